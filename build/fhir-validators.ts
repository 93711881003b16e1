import standaloneCode from 'ajv/dist/standalone/index.js';
import { transform } from 'esbuild';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readFhirSchema } from '../connectors/file/fhir-schema.ts';
import { TypeSchemas } from '../core/fhir/type-schema.ts';

const root = path.join(import.meta.dirname, '..');

/** What wraps or answers resources, beside what our maps make. */
const always = ['Bundle', 'OperationOutcome', 'Parameters'];

/**
 * Writes `dist/fhir/validators.cjs`: the schema's checks of the resource types that our mappings make, as code, so that no
 * process compiles them. Of all types it would be 11 MB, which every worker would hold in memory.
 */
export async function writeFhirValidators(): Promise<{ readonly types: number }> {
  const schemas = new TypeSchemas(readFhirSchema(), { source: true });
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
