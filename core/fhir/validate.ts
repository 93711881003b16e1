import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { Issue } from '../issue.ts';

/** Checks a FHIR R4 resource against the JSON schema: form, elements, codes of required bindings. */
export type FhirValidator = (resource: unknown) => readonly Issue[];

/**
 * A validator over FHIR's own JSON schema (fhir.schema.json, draft 6). Compiling takes 1.7 s, so it waits for
 * the first resource; a check takes microseconds, since the resource type chooses the definition instead
 * of all 146 being tried. The schema knows no invariants, and no required primitive elements.
 */
export function buildFhirValidator(schema: unknown): FhirValidator {
  let validate: ValidateFunction | undefined;
  return (resource) => {
    validate ??= compile(schema);
    if (validate(resource)) return [];
    const type = readType(resource);
    return (validate.errors ?? []).map((error) => toIssue(error, type));
  };
}

interface FhirSchema {
  readonly id: string;
  readonly definitions: Readonly<Record<string, object>>;
}

function compile(schema: unknown): ValidateFunction {
  const { id, definitions } = schema as FhirSchema;
  const types = Object.keys(definitions).filter((name) => isResource(definitions[name]));
  const choice = {
    type: 'object',
    required: ['resourceType'],
    discriminator: { propertyName: 'resourceType' },
    oneOf: types.map((name) => ({ $ref: `#/definitions/${name}` })),
  };
  const ajv = new Ajv({
    strict: false,
    discriminator: true,
    allErrors: true,
    validateSchema: false,
  });
  return ajv.compile({ $id: id, ...choice, definitions: { ...definitions, ResourceList: choice } });
}

/** A few data types have a property of that name too; only a resource's is its own name. */
function isResource(definition: object | undefined): boolean {
  const { properties } = (definition ?? {}) as {
    readonly properties?: { readonly resourceType?: object };
  };
  return 'const' in (properties?.resourceType ?? {});
}

function readType(resource: unknown): string {
  const type: unknown =
    typeof resource === 'object' && resource !== null
      ? (resource as { resourceType?: unknown }).resourceType
      : undefined;
  return typeof type === 'string' ? type : 'Resource';
}

function toIssue({ instancePath, message, params }: ErrorObject, type: string): Issue {
  const path = instancePath
    .split('/')
    .slice(1)
    .map((part) => (/^\d+$/.test(part) ? `[${part}]` : `.${part}`))
    .join('');
  const extra: unknown = params['additionalProperty'];
  return {
    code: 'fhir-schema',
    severity: 'error',
    location: `${type}${path}`,
    message: `The element ${message ?? 'is invalid'}${typeof extra === 'string' ? `: ${extra}` : ''}`,
  };
}
