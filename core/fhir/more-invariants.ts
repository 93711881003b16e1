import type { Issue } from '../issue.ts';
import { toRecord } from './record.ts';

/** Invariants of FHIR R4 that @medplum/core leaves out: org-1, and dom-3, for which it has no FHIRPath function. */
export function checkMoreInvariants(resource: unknown, location: string): readonly Issue[] {
  const { resourceType, identifier, name, contained } = toRecord(resource);
  const issues: Issue[] = [];
  if (resourceType === 'Organization' && identifier === undefined && name === undefined) {
    issues.push(toIssue(location, 'org-1', 'an organization has a name or an identifier'));
  }
  if (!Array.isArray(contained)) return issues;
  const all = JSON.stringify(resource);
  for (const [index, inner] of contained.entries()) {
    const { id } = toRecord(inner);
    const isNamed = typeof id === 'string' && all.includes(JSON.stringify(`#${id}`));
    // What refers to its container belongs to it as well.
    if (isNamed || JSON.stringify(inner).includes('"reference":"#"')) continue;
    const at = `${location}.contained[${index}]`;
    issues.push(toIssue(at, 'dom-3', 'a contained resource is referred to'));
  }
  return issues;
}

const toIssue = (location: string, key: string, human: string): Issue => ({
  code: 'fhir-invariant',
  severity: 'error',
  location,
  message: `Constraint ${key} not met: ${human}`,
});
