import { unmappedPolicies } from './document.ts';

/** What the schemas of all maps have in common. */
interface Shared {
  readonly id: object;
  readonly name: object;
  readonly text: object;
  readonly texts: object;
  readonly rules: object;
}

/** The schemas of maps to HL7 v2: message by message from FHIR, and from HL7 v2 itself. */
export function toV2Schemas(shared: Shared): {
  readonly v2MessageMap: object;
  readonly v2Map: object;
} {
  return { v2MessageMap: toV2MessageMap(shared), v2Map: toV2Map(shared) };
}

const event = { type: 'string', pattern: '^[A-Z]{3}\\^[A-Z][A-Z0-9]{2}$' } as const;

function toV2MessageMap({ id, name, text, texts, rules }: Shared): object {
  const selectors = { anyOf: [text, { ...texts, minItems: 1 }] };
  return {
    type: 'object',
    additionalProperties: false,
    required: ['kind', 'id', 'segments'],
    properties: {
      kind: { const: 'V2MessageMap' },
      id,
      extends: id,
      layer: id,
      note: { type: 'string' },
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
          unused: { type: 'boolean' },
          again: { type: 'boolean' },
          as: id,
          labels: { type: 'object', minProperties: 1, additionalProperties: selectors },
          when: text,
          maps: texts,
          rules,
          setId: text,
          within: name,
          required: texts,
          needs: texts,
          must: { type: 'boolean' },
          segments: { type: 'array', items: { $ref: '#/$defs/part' } },
          override: { enum: ['replace', 'disable'] },
          note: { type: 'string' },
        },
        oneOf: [
          { required: ['segment'] },
          { required: ['group', 'segments'] },
          { required: ['override'], properties: { override: { const: 'disable' } } },
        ],
      },
    },
  };
}

function toV2Map({ id, text }: Shared): object {
  return {
    type: 'object',
    additionalProperties: false,
    required: ['kind', 'id', 'rules'],
    properties: {
      kind: { const: 'V2Map' },
      id,
      extends: id,
      layer: id,
      note: { type: 'string' },
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
            onUnmapped: { enum: unmappedPolicies },
            move: { type: 'boolean' },
            drop: text,
            override: { enum: ['replace', 'disable', 'add'] },
            note: { type: 'string' },
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
    anyOf: [{ required: ['target'] }, { required: ['source'] }, { required: ['extends', 'layer'] }],
  };
}
