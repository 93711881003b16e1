import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { buildError } from '../../core/errors.ts';
import { readFileIfAny, syncFolder, writeFileAtomically } from './write-file.ts';

/** What is to become of several files, as one change: after a crash all of it has happened, or nothing. */
export interface FileChanges {
  /** By absolute path. */
  readonly write: ReadonlyMap<string, string>;
  readonly remove: readonly string[];
}

/** What stands in the journal: from where to where files move, and which are no more. */
interface Journal {
  readonly moves: readonly (readonly [from: string, to: string])[];
  readonly removes: readonly string[];
}

const suffix = '.next';

/**
 * Makes all changes or none, over any crash: the new files are written beside the old ones (mode 0600) and synced, a
 * journal that names them is written (from then on the change counts), they are renamed, the journal is removed. Where
 * the process ends in between, {@link recoverFileSet} does the rest. Resolves with the paths that changed; what is there
 * already with the same text is left alone. One change at a time per journal. `onStep` is told before every step, for
 * tests that end the process there.
 */
export async function writeFileSet(
  journalFile: string,
  { write, remove }: FileChanges,
  onStep: (step: string) => void = () => undefined,
): Promise<readonly string[]> {
  await finishJournal(journalFile);
  const staged: string[] = [];
  const moves: (readonly [string, string])[] = [];
  try {
    for (const [file, text] of write) {
      if ((await readFileIfAny(file)) === text) continue;
      onStep(`stage ${path.basename(file)}`);
      const beside = `${file}.${randomUUID()}${suffix}`;
      staged.push(beside);
      await writeSynced(beside, text);
      moves.push([beside, file]);
    }
    if (moves.length === 0 && remove.length === 0) return [];
    await syncFoldersOf(moves.map(([from]) => from));
    onStep('journal');
    const journal: Journal = { moves, removes: remove };
    await writeFileAtomically(journalFile, `${JSON.stringify(journal)}\n`);
    await apply(journalFile, journal, onStep);
  } catch (error) {
    // Once the journal is there the change has happened, and whoever starts next does the rest.
    if ((await readFileIfAny(journalFile)) !== undefined) throw error;
    await Promise.all(staged.map((file) => rm(file, { force: true })));
    throw error;
  }
  return [...moves.map(([, to]) => to), ...remove];
}

/**
 * Does the rest of a change that a crash has interrupted, where its journal was written, and removes what one before
 * its journal has left in these folders. Before anybody reads the files. Rejects with HilumError `journal-unreadable`
 * (permanent) on a journal that is none.
 */
export async function recoverFileSet(
  journalFile: string,
  folders: readonly string[],
): Promise<void> {
  await finishJournal(journalFile);
  for (const folder of folders) {
    for (const name of await listFiles(folder)) {
      if (name.endsWith(suffix)) await rm(path.join(folder, name), { force: true });
    }
  }
}

async function finishJournal(journalFile: string): Promise<void> {
  const text = await readFileIfAny(journalFile);
  if (text !== undefined)
    await apply(journalFile, parseJournal(journalFile, text), () => undefined);
}

function parseJournal(file: string, text: string): Journal {
  try {
    return JSON.parse(text) as Journal;
  } catch (error) {
    throw buildError(
      'permanent',
      'journal-unreadable',
      `Expected the journal of a deploy in ${file}, found something else; restore the flows from a backup and remove it.`,
      error,
    );
  }
}

/** May be done again from its begin: what has moved already is no longer where it came from. */
async function apply(
  journalFile: string,
  { moves, removes }: Journal,
  onStep: (step: string) => void,
): Promise<void> {
  for (const [from, to] of moves) {
    onStep(`move ${path.basename(to)}`);
    await rename(from, to).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    });
  }
  for (const file of removes) {
    onStep(`remove ${path.basename(file)}`);
    await rm(file, { force: true });
  }
  await syncFoldersOf([...moves.map(([, to]) => to), ...removes]);
  onStep('journal removed');
  await rm(journalFile, { force: true });
  await syncFolder(path.dirname(journalFile));
}

async function writeSynced(file: string, text: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncFoldersOf(files: readonly string[]): Promise<void> {
  for (const folder of new Set(files.map((file) => path.dirname(file)))) await syncFolder(folder);
}

async function listFiles(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
