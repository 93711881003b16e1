import { validateFully } from '../connectors/file/conformance.ts';
import { openFhirValidator } from '../connectors/file/fhir-schema.ts';
import type { Issue } from '../core/issue.ts';

/** How a command checks the FHIR that comes out. */
export interface FhirChecks {
  /** `full`: also by invariants, value sets and the profiles. */
  readonly validate: 'schema' | 'full';
  /** Their URLs or ids. */
  readonly profile: readonly string[];
}

/** What is wrong with a resource; nothing is with null, which stands for none. */
export function findFhirIssues(
  resource: object | null,
  { validate, profile }: FhirChecks,
): readonly Issue[] | Promise<readonly Issue[]> {
  if (resource === null) return [];
  return validate === 'full' ? validateFully(resource, profile) : openFhirValidator()(resource);
}
