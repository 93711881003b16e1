import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import path from 'node:path';

/**
 * Writes the whole file (mode 0600) beside the old one, syncs it and renames it over: after a crash there
 * is the old file or the new one. Nothing is written where the text is the same; resolves with whether it was.
 */
export async function writeFileAtomically(file: string, text: string): Promise<boolean> {
  if ((await readFileIfAny(file)) === text) return false;
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${randomUUID()}.new`;
  const handle = await open(temporary, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
  return true;
}

/** The file's text, undefined where there is no such file. */
export async function readFileIfAny(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
