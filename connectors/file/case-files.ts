import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { buildError } from '../../core/errors.ts';
import type { MappingFile } from '../../core/mapping/document.ts';

/**
 * The case files (`*.case.yaml`) below a folder of mappings, ordered by path. Throws HilumError
 * `mappings-unreadable` (permanent) where the folder or a file cannot be read.
 */
export function readCaseFilesSync(directory: string): readonly MappingFile[] {
  try {
    return readdirSync(directory, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.case\.ya?ml$/.test(name))
      .map((name) => name.split(sep).join('/'))
      .sort((a, b) => (a < b ? -1 : 1))
      .map((path) => ({ path, text: readFileSync(join(directory, path), 'utf8') }));
  } catch (error) {
    throw buildError(
      'permanent',
      'mappings-unreadable',
      `The case files in ${directory} cannot be read; check that the folder is there and readable.`,
      error,
    );
  }
}

/**
 * The content of a golden file; undefined where it is not there. Throws HilumError `golden-invalid` (permanent)
 * where it is no JSON.
 */
export function readGoldenSync(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as unknown;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw buildError(
      'permanent',
      'golden-invalid',
      `Expected JSON in ${file}, found something else; mend it, or remove it and run with --update.`,
      error,
    );
  }
}

/** Writes a golden file, two blanks a level. */
export function writeGoldenSync(file: string, content: unknown): void {
  writeFileSync(file, `${JSON.stringify(content, undefined, 2)}\n`);
}
