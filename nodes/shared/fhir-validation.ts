import { choice, optional, profileNames } from './fields.ts';

/** How thoroughly a node checks FHIR: `schema` costs microseconds, `full` milliseconds in a thread. */
export type Validation = 'schema' | 'full';

/** The fields of nodes that check FHIR. */
export const validationFields = {
  validation: optional(choice('schema', 'full'), 'schema'),
  profiles: profileNames,
};
