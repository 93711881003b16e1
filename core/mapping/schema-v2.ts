import { id, name, note, text, texts, toEditRules, toHead } from './schema-parts.ts';

/** The schemas of maps to HL7 v2: message by message from FHIR, and from HL7 v2 itself; `rules` are those of all maps. */
export function toV2Schemas(rules: object): {
  readonly v2MessageMap: object;
  readonly v2Map: object;
} {
  return { v2MessageMap: toV2MessageMap(rules), v2Map: toV2Map() };
}

const event = { type: 'string', pattern: '^[A-Z]{3}\\^[A-Z][A-Z0-9]{2}$' } as const;

function toV2MessageMap(rules: object): object {
  const selectors = { anyOf: [text, { ...texts, minItems: 1 }] };
  const labels = { type: 'object', minProperties: 1, additionalProperties: selectors };
  return {
    type: 'object',
    additionalProperties: false,
    required: ['kind', 'id', 'segments'],
    properties: {
      ...toHead({ const: 'V2MessageMap' }),
      source: {
        type: 'object',
        required: ['fhir'],
        additionalProperties: false,
        properties: { fhir: texts },
      },
      target: {
        type: 'object',
        required: ['v2'],
        additionalProperties: false,
        properties: { v2: name },
      },
      priority: { type: 'integer' },
      events: {
        type: 'array',
        minItems: 1,
        items: {
          type: 'object',
          required: ['event'],
          additionalProperties: false,
          properties: { event, structure: name, when: text },
        },
      },
      labels,
      segments: { type: 'array', items: { $ref: '#/$defs/part' } },
    },
    anyOf: [{ required: ['source', 'target', 'events'] }, { required: ['extends', 'layer'] }],
    $defs: {
      part: {
        type: 'object',
        required: ['id'],
        additionalProperties: false,
        properties: {
          id,
          segment: { type: 'string', pattern: '^[A-Z][A-Z0-9]{2}$' },
          group: name,
          forEach: selectors,
          with: selectors,
          where: text,
          except: selectors,
          unused: { type: 'boolean' },
          again: { type: 'boolean' },
          as: id,
          labels,
          when: text,
          maps: texts,
          rules,
          setId: text,
          within: name,
          required: texts,
          needs: texts,
          must: { type: 'boolean' },
          ignore: text,
          severity: { enum: ['information', 'warning', 'error'] },
          segments: { type: 'array', items: { $ref: '#/$defs/part' } },
          override: { enum: ['replace', 'disable'] },
          note,
        },
        oneOf: [
          { required: ['segment'] },
          { required: ['group', 'segments'] },
          { required: ['ignore', 'forEach'] },
          { required: ['override'], properties: { override: { const: 'disable' } } },
        ],
      },
    },
  };
}

function toV2Map(): object {
  return {
    type: 'object',
    additionalProperties: false,
    required: ['kind', 'id', 'rules'],
    properties: {
      ...toHead({ const: 'V2Map' }),
      source: {
        type: 'object',
        additionalProperties: false,
        properties: { v2: text, messages: { type: 'array', items: event } },
      },
      target: {
        type: 'object',
        required: ['v2'],
        additionalProperties: false,
        properties: { v2: text },
      },
      rules: toEditRules(),
    },
    anyOf: [{ required: ['target'] }, { required: ['source'] }, { required: ['extends', 'layer'] }],
  };
}
