const text = { type: 'string', minLength: 1 } as const;
const texts = { type: 'array', items: text } as const;

/** JSON Schema 2020-12 of a case file: a list of cases. */
export const caseSchema = {
  type: 'array',
  items: {
    type: 'object',
    required: ['name'],
    additionalProperties: false,
    properties: {
      name: text,
      message: text,
      header: text,
      segments: { type: 'array', items: text, minItems: 1 },
      resources: {
        type: 'array',
        minItems: 1,
        items: { type: 'object', required: ['resourceType'], properties: { resourceType: text } },
      },
      event: { type: 'string', pattern: '^[A-Z]{3}\\^[A-Z0-9]{3}$' },
      version: text,
      values: { type: 'object', additionalProperties: { type: 'string' } },
      resource: { type: 'object' },
      map: text,
      layers: texts,
      zone: text,
      facts: { type: 'object' },
      assert: texts,
      golden: { type: 'string', pattern: '^[A-Za-z0-9._-]+\\.json$' },
      unconsumed: texts,
      issues: texts,
    },
    oneOf: [
      { required: ['message'] },
      { required: ['segments'] },
      { required: ['resources', 'values'] },
      { required: ['resource', 'map'] },
    ],
  },
} as const;
