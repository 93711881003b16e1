import type { FhirValidator } from '../fhir/validate.ts';
import type { Issue } from '../issue.ts';
import type { MappingResult, Provenance, Unresolved } from './mapper.ts';

/** How a Bundle came to be as it is. */
export interface Explanation {
  readonly provenance: readonly Provenance[];
  readonly unresolved?: readonly Unresolved[];
}

/**
 * What is wrong with a mapped Bundle by FHIR's schema: each finding is located at the source value that the faulty element
 * was made from, and names element and rule. `explain` maps the same message again, with provenance: asked only where
 * something is wrong.
 */
export function findFaults(
  { resource }: Pick<MappingResult, 'resource'>,
  validate: FhirValidator,
  explain: () => Explanation,
): readonly Issue[] {
  return toBlamed(resource === null ? [] : validate(resource), explain);
}

/** Findings of whatever check about a mapped Bundle, with the source values that are to blame. */
export function toBlamed(findings: readonly Issue[], explain: () => Explanation): readonly Issue[] {
  if (findings.length === 0) return findings;
  const { provenance, unresolved = [] } = explain();
  return findings.map((finding) => blame(finding, provenance, unresolved));
}

function blame(
  finding: Issue,
  provenance: readonly Provenance[],
  unresolved: readonly Unresolved[],
): Issue {
  const { location: element = 'Bundle', message } = finding;
  const reference = unresolved.find(({ target }) => target === element);
  if (reference !== undefined) return blameReference(finding, reference);
  const found = findOrigin(element, provenance);
  if (found === undefined) return finding;
  const { at, origin } = found;
  const made = `made from ${origin.source} by the rule ${origin.rule}`;
  const why =
    at === element
      ? `it was ${made}. Correct the value at its source, or the rule.`
      : `nothing in the message became it. What is around it was ${made}. Let the sender send it, or add a rule.`;
  return { ...finding, location: origin.source, message: `${element}: ${message}; ${why}` };
}

/** A patient whom nothing in the message names is missing, not what refers to the patient. */
function blameReference(finding: Issue, { target, resource, segments, rule }: Unresolved): Issue {
  const [segment] = segments;
  const names = segments.join(' or ');
  return {
    ...finding,
    ...(segment === undefined ? {} : { location: segment }),
    message:
      `${target}: ${finding.message}; the message has no ${resource} for it, which is made from ${names}. ` +
      `Let the sender send ${names} there, or change the reference ${rule}.`,
  };
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
