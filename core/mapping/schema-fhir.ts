import { text, toEditRules, toHead } from './schema-parts.ts';

/** The schema of maps from FHIR to FHIR. */
export function toFhirMapSchema(): {
  readonly type: 'object';
  readonly [keyword: string]: unknown;
} {
  const type = { type: 'string', pattern: '^[A-Z][A-Za-z]+$' };
  return {
    type: 'object',
    additionalProperties: false,
    required: ['kind', 'id', 'rules'],
    properties: {
      ...toHead({ const: 'FhirMap' }),
      source: {
        type: 'object',
        required: ['fhir'],
        additionalProperties: false,
        properties: { fhir: type },
      },
      target: {
        type: 'object',
        required: ['fhir'],
        additionalProperties: false,
        properties: { fhir: type, profile: text },
      },
      rest: { enum: ['keep', 'leave'] },
      finish: { const: true },
      rules: toEditRules({ where: text, also: { type: 'object', minProperties: 1 } }),
    },
    anyOf: [{ required: ['source', 'target'] }, { required: ['extends', 'layer'] }],
  };
}
