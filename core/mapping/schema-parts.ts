import { unmappedPolicies } from './document.ts';

/** What the schemas of all kinds of maps have in common, as JSON Schema 2020-12. */

export const id = { type: 'string', pattern: '^[A-Za-z0-9._@-]+$' } as const;
export const name = { type: 'string', pattern: '^[A-Z][A-Z0-9_]{1,}$' } as const;
export const text = { type: 'string', minLength: 1 } as const;
export const texts = { type: 'array', items: text } as const;
export const note = { type: 'string' } as const;

/** How the file of any map begins; `kind` is a schema too. */
export function toHead<Kind extends object>(
  kind: Kind,
): {
  readonly kind: Kind;
  readonly id: typeof id;
  readonly extends: typeof id;
  readonly layer: typeof id;
  readonly note: typeof note;
} {
  return { kind, id, extends: id, layer: id, note };
}

/** The rules of a map that changes what is there, from HL7 v2 to HL7 v2 and from FHIR to FHIR; `more`: further keys. */
export function toEditRules(more: Readonly<Record<string, object>> = {}): object {
  return {
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
        ...more,
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
  };
}
