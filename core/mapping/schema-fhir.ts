import { unmappedPolicies } from './document.ts';
import { id, note, text, toHead } from './schema-parts.ts';

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
      rules: {
        type: 'array',
        items: {
          type: 'object',
          required: ['id'],
          additionalProperties: false,
          properties: {
            id,
            from: text,
            to: text,
            const: {},
            table: id,
            when: text,
            where: text,
            also: { type: 'object', minProperties: 1 },
            onUnmapped: { enum: unmappedPolicies },
            move: { type: 'boolean' },
            drop: text,
            override: { enum: ['replace', 'disable', 'add'] },
            note,
          },
          anyOf: [
            { required: ['override'], properties: { override: { const: 'disable' } } },
            { required: ['from', 'drop'] },
            { required: ['from', 'to'] },
            { required: ['to', 'const'] },
          ],
        },
      },
    },
    anyOf: [{ required: ['source', 'target'] }, { required: ['extends', 'layer'] }],
  };
}
