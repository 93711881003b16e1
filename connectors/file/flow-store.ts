import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { buildError } from '../../core/errors.ts';
import type { FileChanges } from './file-set.ts';

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

/** What makes a flows folder hold these files and no others, for {@link writeFileSet}. */
export async function planFlowFiles(directory: string, files: JsonFiles): Promise<FileChanges> {
  const write = new Map(
    [...files].map(([name, content]) => [
      path.join(directory, name),
      `${JSON.stringify(content, null, 2)}\n`,
    ]),
  );
  const remove: string[] = [];
  for (const folder of flowFolders(directory)) {
    for (const name of await listJson(folder)) {
      const file = path.join(folder, name);
      if (!write.has(file)) remove.push(file);
    }
  }
  return { write, remove };
}

/** The folders in which flow files lie. */
export function flowFolders(directory: string): readonly string[] {
  return subfolders.map((folder) => path.join(directory, folder));
}

async function listJson(directory: string): Promise<readonly string[]> {
  try {
    return (await readdir(directory)).filter((name) => name.endsWith('.json')).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
