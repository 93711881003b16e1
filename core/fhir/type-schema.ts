import { Ajv, type ValidateFunction } from 'ajv';
import type { FindTypeValidator } from './validate.ts';

interface FhirSchema {
  readonly id: string;
  readonly definitions: Readonly<Record<string, object>>;
}

/**
 * FHIR's own JSON schema (fhir.schema.json, draft 6) in ajv, one definition a resource type. What stands for any resource
 * takes any object: who checks a resource checks those in it by their own types. Nothing is compiled before it is asked for.
 */
export class TypeSchemas {
  readonly ajv: Ajv;
  readonly #id: string;
  readonly #definitions: FhirSchema['definitions'];

  /** `source`: to be written out as code. */
  constructor(schema: unknown, { source = false }: { readonly source?: boolean } = {}) {
    const { id, definitions } = schema as FhirSchema;
    this.#id = id;
    this.#definitions = definitions;
    this.ajv = new Ajv({
      ...{ strict: false, allErrors: true, validateSchema: false },
      code: { source },
    });
    this.ajv.addSchema({ $id: id, definitions: { ...definitions, ResourceList: anyObject } });
  }

  /** What ajv knows the type by; undefined where it is none of a resource: a few data types have a `resourceType` too. */
  findReference(resourceType: string): string | undefined {
    const definition = Object.hasOwn(this.#definitions, resourceType)
      ? this.#definitions[resourceType]
      : undefined;
    const { properties } = (definition ?? {}) as {
      readonly properties?: { readonly resourceType?: object };
    };
    return 'const' in (properties?.resourceType ?? {})
      ? `${this.#id}#/definitions/${resourceType}`
      : undefined;
  }
}

const anyObject = { type: 'object' };

/** Each type is compiled when it is first asked for: the first takes some 100 ms, the next some 10. */
export function compileTypes(schema: unknown): FindTypeValidator {
  const schemas = new TypeSchemas(schema);
  return (resourceType): ValidateFunction | undefined => {
    const reference = schemas.findReference(resourceType);
    return reference === undefined ? undefined : schemas.ajv.getSchema(reference);
  };
}
