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
  const origin = findOrigin(element, origins);
  const what = `${element}: ${message}`;
  if (origin === undefined) return { ...finding, message: what };
  return {
    ...finding,
    location: origin.source,
    message: `${what}; it was made from ${origin.source} by the rule ${origin.rule}. Correct the value at its source, or the rule.`,
  };
}

/** Of the element itself, else of something in it, else of the nearest around it that some rule has written. */
function findOrigin(element: string, origins: readonly Provenance[]): Provenance | undefined {
  const inside = origins.find(({ target }) => target === element || isWithin(target, element));
  if (inside !== undefined) return inside;
  let nearest: Provenance | undefined;
  for (const origin of origins) {
    if (!isWithin(element, origin.target)) continue;
    if (nearest === undefined || origin.target.length > nearest.target.length) nearest = origin;
  }
  // What is missing beside others: of its resource, whose first element says which segment it is.
  const resource = /^Bundle\.entry\[\d+\]\.resource/.exec(element)?.[0];
  return (
    nearest ??
    (resource === undefined ? undefined : origins.find(({ target }) => isWithin(target, resource)))
  );
}

function isWithin(path: string, around: string): boolean {
  return path.startsWith(around) && (path[around.length] === '.' || path[around.length] === '[');
}
