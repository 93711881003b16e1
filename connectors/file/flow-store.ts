import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { buildError } from '../../core/errors.ts';
import { writeFileAtomically } from './write-file.ts';

/** JSON files below a flows folder, by their path inside it: `lab-results.json`, `subflows/x.json`. */
type JsonFiles = ReadonlyMap<string, unknown>;

const subfolders = ['', 'subflows/'];

/**
 * Reads every flow file; an absent folder is empty. Rejects with HilumError `flow-file-unreadable` that
 * names the file where one is not JSON.
 */
export async function readFlowFiles(directory: string): Promise<JsonFiles> {
  const files = new Map<string, unknown>();
  for (const folder of subfolders) {
    for (const name of await listJson(path.join(directory, folder))) {
      const file = path.join(directory, folder, name);
      try {
        files.set(folder + name, JSON.parse(await readFile(file, 'utf8')));
      } catch (error) {
        throw buildError(
          'permanent',
          'flow-file-unreadable',
          `Expected JSON in ${file}, found something else; restore it from the last deploy.`,
          error,
        );
      }
    }
  }
  return files;
}

/** Writes the files that changed and removes those that are no more; gives the names of both. */
export async function writeFlowFiles(
  directory: string,
  files: JsonFiles,
): Promise<readonly string[]> {
  const changed: string[] = [];
  for (const [name, content] of files) {
    const text = `${JSON.stringify(content, null, 2)}\n`;
    if (await writeFileAtomically(path.join(directory, name), text)) changed.push(name);
  }
  for (const folder of subfolders) {
    for (const name of await listJson(path.join(directory, folder))) {
      if (files.has(folder + name)) continue;
      await rm(path.join(directory, folder, name));
      changed.push(folder + name);
    }
  }
  return changed;
}

async function listJson(directory: string): Promise<readonly string[]> {
  try {
    return (await readdir(directory)).filter((name) => name.endsWith('.json')).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
