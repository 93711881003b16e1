import { existsSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

/**
 * Copies a data file, all of one moment, whether somebody has it open or not; returns the copy's bytes. Throws where
 * there is no such file, or something of the copy's name already.
 */
export function backUpFile(file: string, copy: string): number {
  if (!existsSync(file)) throw new Error(`A data file was expected at ${file} and there is none.`);
  if (existsSync(copy)) throw new Error(`${copy} was expected not to be there.`);
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    database.prepare('VACUUM INTO ?').run(copy);
  } finally {
    database.close();
  }
  return statSync(copy).size;
}
