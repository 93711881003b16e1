import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { format } from 'prettier';
import { toPublishedSchemas } from '../core/mapping/published-schemas.ts';

/** Where editors find the schemas: they are committed, since a checkout has no build. */
export const schemaFolder = path.join(import.meta.dirname, '..', 'mappings', 'schema');

/** The text of each published schema, by file name. */
export async function renderMappingSchemas(): Promise<Readonly<Record<string, string>>> {
  const files: Record<string, string> = {};
  for (const [name, schema] of Object.entries(toPublishedSchemas())) {
    files[name] = await format(JSON.stringify(schema), { parser: 'json', printWidth: 100 });
  }
  return files;
}

/** Writes the schemas that differ from what is there. */
export async function writeMappingSchemas(): Promise<void> {
  mkdirSync(schemaFolder, { recursive: true });
  for (const [name, text] of Object.entries(await renderMappingSchemas())) {
    const file = path.join(schemaFolder, name);
    if (read(file) !== text) writeFileSync(file, text);
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
