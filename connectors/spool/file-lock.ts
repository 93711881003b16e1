import { DatabaseSync } from 'node:sqlite';

/** A file that one process at a time has; however that ends, its lock ends with it. */
export interface FileLock {
  release(): void;
}

/** Takes the lock beside a file (`FILE.lock`); undefined where another has it. SQLite's locks do what Node's files cannot. */
export function takeFileLock(file: string): FileLock | undefined {
  const lock = new DatabaseSync(`${file}.lock`);
  try {
    lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch {
    lock.close();
    return undefined;
  }
  return { release: () => lock.close() };
}
