import { preferredExtension, unmappedExtension, unmappedPolicies } from './document.ts';
import { toFhirMapSchema } from './schema-fhir.ts';
import { id, name, note, text, texts, toHead } from './schema-parts.ts';
import { toV2Schemas } from './schema-v2.ts';

/**
 * What a mapping file may hold, as JSON Schema 2020-12. The discriminator is `kind`; what a schema cannot
 * say (that a path parses, that a map exists) the compiler checks.
 */
const rule = {
  type: 'object',
  required: ['id'],
  additionalProperties: false,
  properties: {
    id,
    from: text,
    to: text,
    via: id,
    table: id,
    fn: { type: 'string', pattern: '^[a-z][A-Za-z0-9]*$' },
    const: {},
    resource: text,
    when: text,
    ifNone: text,
    join: { type: 'string' },
    also: { type: 'object', minProperties: 1 },
    ignore: text,
    onUnmapped: { enum: unmappedPolicies },
    dir: { enum: ['toFhir', 'toV2'] },
    override: { enum: ['replace', 'disable', 'add'] },
    note,
    ig: { type: 'string' },
  },
  anyOf: [
    { required: ['override'], properties: { override: { const: 'disable' } } },
    { required: ['ignore', 'from'] },
    { required: ['to', 'from'] },
    { required: ['to', 'const'] },
    { required: ['to', 'via'] },
  ],
} as const;

const rules = { type: 'array', items: rule } as const;

const identity = {
  type: 'object',
  required: ['request', 'key'],
  additionalProperties: false,
  properties: {
    request: { enum: ['update', 'create', 'id'] },
    system: { type: 'string', pattern: '^urn:[a-z0-9:-]+$' },
    each: { type: 'boolean' },
    identifier: texts,
    from: texts,
    key: {
      type: 'object',
      additionalProperties: false,
      minProperties: 1,
      properties: { within: texts, by: { type: 'array', items: texts }, and: texts },
    },
  },
} as const;

/** What a map is from or to: HL7 v2 (a segment or datatype) or FHIR (a resource or datatype). */
const side = {
  type: 'object',
  minProperties: 1,
  maxProperties: 1,
  additionalProperties: false,
  properties: { v2: text, fhir: text },
} as const;

const map = {
  type: 'object',
  additionalProperties: false,
  properties: {
    ...toHead({ enum: ['SegmentMap', 'DatatypeMap', 'V2SegmentMap'] }),
    source: side,
    target: side,
    when: text,
    identity,
    rules,
  },
  required: ['kind', 'id', 'rules'],
  anyOf: [{ required: ['source', 'target'] }, { required: ['extends', 'layer'] }],
  if: { properties: { kind: { const: 'V2SegmentMap' } } },
  then: {
    properties: {
      source: { type: 'object', required: ['fhir'] },
      target: { type: 'object', required: ['v2'] },
      identity: false,
      when: false,
    },
  },
  else: {
    properties: {
      source: { type: 'object', required: ['v2'] },
      target: { type: 'object', required: ['fhir'] },
    },
  },
} as const;

const reference = {
  type: 'object',
  required: ['id', 'to', 'resource'],
  additionalProperties: false,
  properties: {
    id,
    to: text,
    resource: id,
    within: name,
    pick: { enum: ['first', 'only'] },
    when: text,
    also: { type: 'object', minProperties: 1 },
    note,
  },
} as const;

/** What a message map and a block consist of. */
const part = {
  type: 'object',
  additionalProperties: false,
  properties: {
    forEach: name,
    resources: { type: 'array', items: { $ref: '#/$defs/part' } },
    include: id,
    id,
    as: id,
    resource: text,
    extend: id,
    within: name,
    when: text,
    needs: id,
    apart: id,
    maps: { type: 'array', items: id },
    identity,
    references: { type: 'array', items: reference },
    override: { enum: ['replace', 'disable'] },
    note,
  },
  oneOf: [
    { required: ['forEach', 'resources'] },
    { required: ['include'] },
    { required: ['id', 'resource', 'maps', 'identity'] },
    { required: ['id', 'extend', 'maps'] },
    { required: ['id', 'override'], properties: { override: { const: 'disable' } } },
  ],
} as const;

const parts = { type: 'array', items: { $ref: '#/$defs/part' } } as const;

const messageMap = {
  type: 'object',
  additionalProperties: false,
  required: ['kind', 'id', 'resources'],
  properties: {
    ...toHead({ const: 'MessageMap' }),
    bundle: id,
    source: {
      type: 'object',
      required: ['messages'],
      additionalProperties: false,
      properties: {
        messages: {
          type: 'array',
          items: { type: 'string', pattern: '^[A-Z]{3}(\\^[A-Z][A-Z0-9]{2})?$' },
        },
      },
    },
    structure: {
      type: 'object',
      required: ['segments', 'groups'],
      additionalProperties: false,
      properties: {
        segments: { type: 'array', items: name },
        groups: { type: 'array', items: { $ref: '#/$defs/group' } },
      },
    },
    resources: parts,
  },
  anyOf: [{ required: ['source', 'structure'] }, { required: ['extends', 'layer'] }],
  $defs: {
    group: {
      type: 'object',
      required: ['name', 'opens'],
      additionalProperties: false,
      properties: {
        name,
        opens: { type: 'array', items: name, minItems: 1 },
        segments: { type: 'array', items: name },
        groups: { type: 'array', items: { $ref: '#/$defs/group' } },
      },
    },
    part,
  },
} as const;

const messageBlock = {
  type: 'object',
  additionalProperties: false,
  required: ['kind', 'id', 'resources'],
  properties: { ...toHead({ const: 'MessageBlock' }), resources: parts },
  dependentRequired: { extends: ['layer'] },
  $defs: { part },
} as const;

const { v2MessageMap, v2Map } = toV2Schemas(rules);
const fhirMap = toFhirMapSchema();

const conceptMap = {
  type: 'object',
  required: ['resourceType', 'id', 'group'],
  properties: {
    resourceType: { const: 'ConceptMap' },
    id,
    identifier: { type: 'object', properties: { system: text, value: text } },
    extension: {
      type: 'array',
      items: {
        type: 'object',
        required: ['url'],
        properties: { url: text },
        if: { properties: { url: { const: unmappedExtension } } },
        then: { required: ['valueCode'], properties: { valueCode: { enum: unmappedPolicies } } },
      },
    },
    group: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        required: ['element'],
        properties: {
          source: text,
          target: text,
          element: {
            type: 'array',
            items: {
              type: 'object',
              required: ['code'],
              properties: {
                code: text,
                target: {
                  type: 'array',
                  items: {
                    type: 'object',
                    properties: {
                      code: text,
                      display: text,
                      extension: {
                        type: 'array',
                        items: {
                          type: 'object',
                          required: ['url'],
                          properties: { url: text },
                          if: { properties: { url: { const: preferredExtension } } },
                          then: {
                            required: ['valueBoolean'],
                            properties: { valueBoolean: { type: 'boolean' } },
                          },
                        },
                      },
                    },
                  },
                },
              },
            },
          },
          unmapped: {
            type: 'object',
            required: ['mode'],
            properties: { mode: { enum: ['provided', 'fixed'] }, code: text },
          },
        },
      },
    },
  },
} as const;

/** One schema a kind of file. */
export const mappingSchemas = {
  map,
  messageMap,
  messageBlock,
  v2MessageMap,
  v2Map,
  fhirMap,
  conceptMap,
} as const;
