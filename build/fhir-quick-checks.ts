/** A schema, as far as FHIR's own uses the language. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly pattern?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

/**
 * Code of a module that says of a resource whether it is surely valid, with all resources in it: some four times as fast as
 * ajv's checks, which it leaves it to where it cannot tell, or to say what is wrong. It only knows these resource types.
 */
export function emitQuickChecks(
  definitions: Readonly<Record<string, Schema>>,
  types: readonly string[],
): string {
  const checks = new Checks(definitions);
  const known = types.map((type) => `[${JSON.stringify(type)}, ${checks.name({ $ref: type })}]`);
  return [
    '"use strict";',
    `const types = new Map(); const resource = (v) => typeof v === "object" && v !== null && types.get(v.resourceType)?.(v) === true;`,
    ascii,
    ...checks.code,
    `for (const [type, check] of [${known.join(', ')}]) types.set(type, check);`,
    'exports.isSurelyValid = resource;',
  ].join('\n');
}

/** Most texts are ASCII, which these tell fast; of others the pattern decides. */
const ascii = 'const printable = /^[ -~]+$/; const visible = /^[!-~]+$/;';

/** The patterns that text of such ASCII fits. */
const fitting: Readonly<Record<string, string>> = {
  '^[ \\r\\n\\t\\S]+$': 'printable',
  '^\\S*$': 'visible',
  '^[^\\s]+(\\s[^\\s]+)*$': 'visible',
};

/** One function for each schema that is used, by its text. */
class Checks {
  readonly code: string[] = [];
  readonly #definitions: Readonly<Record<string, Schema>>;
  readonly #names = new Map<string, string>();

  constructor(definitions: Readonly<Record<string, Schema>>) {
    this.#definitions = definitions;
  }

  /** The name of the function that checks a value by the schema. */
  name({ $ref, ...schema }: Schema): string {
    const definition = $ref?.replace('#/definitions/', '');
    if (definition === 'ResourceList') return 'resource';
    const found = definition === undefined ? schema : this.#definitions[definition];
    if (found === undefined) throw new Error(`Expected the definition ${definition ?? ''}.`);
    const key = definition ?? JSON.stringify({ ...schema, description: undefined });
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    const name = `c${this.#names.size}`;
    this.#names.set(key, name);
    this.code.push(`const ${name} = (v) => ${this.#emit(found)};`);
    return name;
  }

  #emit(schema: Schema): string {
    const { type, items, properties, pattern } = schema;
    if (properties !== undefined) return this.#emitObject(properties, schema.required ?? []);
    if ('const' in schema) return `v === ${JSON.stringify(schema.const)}`;
    if (schema.enum !== undefined) {
      return `${JSON.stringify(schema.enum)}.includes(v)`;
    }
    if (type === 'array' && items !== undefined) {
      const check = this.name(items);
      return `{ if (!Array.isArray(v)) return false; for (let at = 0; at < v.length; at += 1) if (!${check}(v[at])) return false; return true; }`;
    }
    if (type === 'number') return 'typeof v === "number" && Number.isFinite(v)';
    if (type === 'boolean') return 'typeof v === "boolean"';
    // Without a type anything goes: the narrative's XHTML.
    if (type === undefined) return 'true';
    if (type !== 'string')
      throw new Error(`Expected a type that FHIR's schema has, found ${type}.`);
    return `typeof v === "string"${pattern === undefined ? '' : ` && ${emitPattern(pattern)}`}`;
  }

  #emitObject(properties: Readonly<Record<string, Schema>>, required: readonly string[]): string {
    // In the order in which they are looked for: extensions of primitive elements are rare.
    const [rare, usual] = [true, false].map((isRare) =>
      Object.entries(properties).filter(([name]) => name.startsWith('_') === isRare),
    );
    const cases = [...(usual ?? []), ...(rare ?? [])].map(([name, schema]) => {
      const count = required.includes(name) ? ' left -= 1;' : '';
      return `case ${JSON.stringify(name)}: if (!${this.name(schema)}(v.${name})) return false;${count} break;`;
    });
    return (
      `{ if (typeof v !== "object" || v === null || Array.isArray(v)) return false; let left = ${required.length}; ` +
      `for (const key in v) switch (key) { ${cases.join(' ')} default: return false; } return left === 0; }`
    );
  }
}

function emitPattern(pattern: string): string {
  const fast = fitting[pattern];
  const test = `/${pattern.replaceAll('/', '\\/')}/u.test(v)`;
  return fast === undefined ? test : `(${fast}.test(v) || ${test})`;
}
