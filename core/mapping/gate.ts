import type { FhirValidator } from '../fhir/validate.ts';
import type { Issue } from '../issue.ts';
import type { MappingResult, Provenance } from './mapper.ts';

/**
 * What is wrong with a mapped Bundle by FHIR's schema: each finding is located at the source value that the faulty element
 * was made from, and names element and rule. `explain` maps the same message again, with provenance: asked only where
 * something is wrong.
 */
export function findFaults(
  { resource }: Pick<MappingResult, 'resource'>,
  validate: FhirValidator,
  explain: () => readonly Provenance[],
): readonly Issue[] {
  return toBlamed(resource === null ? [] : validate(resource), explain);
}

/** Findings of whatever check about a mapped Bundle, with the source values that are to blame. */
export function toBlamed(
  findings: readonly Issue[],
  explain: () => readonly Provenance[],
): readonly Issue[] {
  if (findings.length === 0) return findings;
  const origins = explain();
  return findings.map((finding) => blame(finding, origins));
}

function blame(finding: Issue, origins: readonly Provenance[]): Issue {
  const { location: element = 'Bundle', message } = finding;
  const found = findOrigin(element, origins);
  if (found === undefined) return finding;
  const { at, origin } = found;
  const made = `made from ${origin.source} by the rule ${origin.rule}`;
  const why =
    at === element
      ? `it was ${made}. Correct the value at its source, or the rule.`
      : `nothing in the message became it. What is around it was ${made}. Let the sender send it, or add a rule.`;
  return { ...finding, location: origin.source, message: `${element}: ${message}; ${why}` };
}

/**
 * Of the element itself or of something in it, else of the nearest around it of which some rule has written anything: what is
 * missing is missing beside others.
 */
function findOrigin(
  element: string,
  origins: readonly Provenance[],
): { readonly at: string; readonly origin: Provenance } | undefined {
  for (
    let at = element;
    at.includes('.') && at !== 'Bundle.entry';
    at = at.replace(/(\.[^.[]*|\[\d+\])$/, '')
  ) {
    const origin = origins.find(({ target }) => target === at || isWithin(target, at));
    if (origin !== undefined) return { at, origin };
  }
  return undefined;
}

function isWithin(path: string, around: string): boolean {
  return path.startsWith(around) && (path[around.length] === '.' || path[around.length] === '[');
}
