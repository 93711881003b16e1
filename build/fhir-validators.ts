import standaloneCode from 'ajv/dist/standalone/index.js';
import { transform } from 'esbuild';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readFhirSchema } from '../connectors/file/fhir-schema.ts';
import { TypeSchemas } from '../core/fhir/type-schema.ts';
import { emitQuickChecks, type Schema } from './fhir-quick-checks.ts';

const root = path.join(import.meta.dirname, '..');

/** What wraps or answers resources, beside what our maps make. */
const always = ['Bundle', 'OperationOutcome', 'Parameters'];

/**
 * Writes `dist/fhir/validators.cjs`: the schema's checks of the resource types that our mappings make, as code, so that no
 * process compiles them. Of all types it would be 11 MB, which every worker would hold in memory. And beside it
 * `quick-checks.cjs`, which tell what is valid from what those have to look at.
 */
export async function writeFhirValidators(): Promise<{ readonly types: number }> {
  const schema = readFhirSchema() as { readonly definitions: Readonly<Record<string, Schema>> };
  const schemas = new TypeSchemas(schema, { source: true });
  const references = Object.fromEntries(
    [...new Set([...always, ...findTargets()])].sort().flatMap((type) => {
      // Some maps make data types.
      const reference = schemas.findReference(type);
      return reference === undefined ? [] : [[type, reference]];
    }),
  );
  const code = standaloneCode.default(schemas.ajv, references);
  const { code: small } = await transform(code, { minify: true, platform: 'node', format: 'cjs' });
  const folder = path.join(root, 'dist', 'fhir');
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'validators.cjs'), small);
  const quick = emitQuickChecks(schema.definitions, Object.keys(references));
  writeFileSync(path.join(folder, 'quick-checks.cjs'), quick);
  return { types: Object.keys(references).length };
}

/** What maps of segments and messages name as made. */
function findTargets(): readonly string[] {
  return ['message', 'segment'].flatMap((room) => {
    const folder = path.join(root, 'mappings', room);
    return readdirSync(folder)
      .filter((name) => name.endsWith('.map.yaml'))
      .flatMap((name) => {
        const text = readFileSync(path.join(folder, name), 'utf8');
        const found = [...text.matchAll(/\b(?:fhir|resource): ([A-Z][A-Za-z]+)\b/g)];
        return found.map(([, type = '']) => type);
      });
  });
}
