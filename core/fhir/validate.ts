import type { ErrorObject, ValidateFunction } from 'ajv';
import type { Issue } from '../issue.ts';
import { findNested } from './nested.ts';

/** Checks a FHIR R4 resource against the JSON schema: form, elements, codes of required bindings. */
export type FhirValidator = (resource: unknown) => readonly Issue[];

/** The check of one resource type by the schema, without the resources in it; undefined where FHIR has no such type. */
export type FindTypeValidator = (resourceType: string) => ValidateFunction | undefined;

/**
 * A validator of resources with all those in them (entries of a Bundle, contained ones), each by its own type. The schema
 * knows no invariants, and no required primitive elements. What `isSurelyValid` says yes to is not looked at again: it may say
 * no to what is valid, but never yes to what is not.
 */
export function buildFhirValidator(
  findType: FindTypeValidator,
  isSurelyValid: (resource: unknown) => boolean = () => false,
): FhirValidator {
  const check = (resource: unknown, path: string): readonly Issue[] => {
    const type = readType(resource);
    if (type === undefined) return [toIssue(path || 'Resource', 'It has no resourceType.')];
    const location = path || type;
    const validate = findType(type);
    if (validate === undefined) {
      return [toIssue(location, `FHIR R4 has no resource type ${JSON.stringify(type)}.`)];
    }
    const own = validate(resource) ? [] : toIssues(validate.errors ?? [], location);
    const nested = [...findNested(resource as object)].flatMap((each) =>
      check(each.resource, location + each.path),
    );
    return nested.length === 0 ? own : [...own, ...nested];
  };
  return (resource) => (isSurelyValid(resource) ? [] : check(resource, ''));
}

function readType(resource: unknown): string | undefined {
  if (typeof resource !== 'object' || resource === null) return undefined;
  const { resourceType } = resource as { readonly resourceType?: unknown };
  return typeof resourceType === 'string' ? resourceType : undefined;
}

function toIssues(errors: readonly ErrorObject[], location: string): readonly Issue[] {
  return errors.map(({ instancePath, message, params }) => {
    const path = instancePath
      .split('/')
      .slice(1)
      .map((part) => (/^\d+$/.test(part) ? `[${part}]` : `.${part}`))
      .join('');
    const extra: unknown = params['additionalProperty'];
    const missing: unknown = params['missingProperty'];
    if (typeof missing === 'string') {
      return toIssue(`${location}${path}.${missing}`, 'The element is required, and missing');
    }
    const what = typeof extra === 'string' ? `: ${extra}` : '';
    return toIssue(location + path, `The element ${message ?? 'is invalid'}${what}`);
  });
}

function toIssue(location: string, message: string): Issue {
  return { code: 'fhir-schema', severity: 'error', location, message };
}
