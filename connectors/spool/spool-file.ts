import { constants } from 'node:fs';
import { copyFile, mkdir, open, rm, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import type { Logger } from '../../core/ports/logger.ts';
import { takeFileLock, type FileLock } from './file-lock.ts';
import { readRecords, sizeOf, toRecord } from './records.ts';

/** Records and where they end, to be told to {@link SpoolFile.advance}. */
export interface SpooledRecords {
  readonly contents: readonly Uint8Array[];
  readonly next: number;
}

interface Waiting {
  readonly content: Uint8Array;
  readonly resolve: (stored: boolean) => void;
}

/** How much is flushed to the disk at once. */
const flushBytes = 8 * 1024 * 1024;

/**
 * A file of records, first in, first out: what is appended is on the disk, with a checksum, when that resolves. It
 * grows until all of it was read, and is emptied then. One process at a time has it.
 */
export class SpoolFile {
  readonly #file: string;
  readonly #handle: FileHandle;
  readonly #lock: FileLock;
  readonly #maxBytes: number;
  readonly #logger: Logger;
  /** What is not read yet, and where the file ends. */
  #head = 0;
  #end: number;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  /** One change of the file after the other. */
  #changing: Promise<unknown> = Promise.resolve();
  #isFlushing = false;
  #isWarned = false;

  private constructor(parts: {
    readonly file: string;
    readonly handle: FileHandle;
    readonly lock: FileLock;
    readonly maxBytes: number;
    readonly logger: Logger;
    readonly end: number;
  }) {
    this.#file = parts.file;
    this.#handle = parts.handle;
    this.#lock = parts.lock;
    this.#maxBytes = parts.maxBytes;
    this.#logger = parts.logger;
    this.#end = parts.end;
  }

  /**
   * Opens or makes it (mode 0600), with what an earlier process left in it; undefined where another process has it.
   * What cannot be read there is copied to `FILE.unreadable`. Rejects where the disk cannot.
   */
  static async open(options: {
    readonly file: string;
    readonly maxBytes: number;
    readonly logger: Logger;
  }): Promise<SpoolFile | undefined> {
    const { file, logger } = options;
    const folder = path.dirname(file);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const lock = takeFileLock(file);
    if (lock === undefined) return undefined;
    try {
      const handle = await open(file, constants.O_RDWR | constants.O_CREAT, 0o600);
      await syncFolder(folder);
      const end = await findEnd(handle, file, logger);
      return new SpoolFile({ ...options, handle, lock, end });
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** Whether everything in it was read, and nothing is being written. */
  get isEmpty(): boolean {
    return this.#head === this.#end && this.#waiting.length === 0 && !this.#isFlushing;
  }

  /** What it takes of the disk. */
  get bytes(): number {
    return this.#end;
  }

  /** Whether the record fits beside what is there. */
  hasRoom(content: Uint8Array): boolean {
    return this.#end + this.#waitingBytes + sizeOf(content) <= this.#maxBytes;
  }

  /** True when it is on the disk; false where there is no room for it. */
  async append(content: Uint8Array): Promise<boolean> {
    if (!this.hasRoom(content)) return false;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#waiting.push({ content, resolve });
    this.#waitingBytes += sizeOf(content);
    if (!this.#isFlushing) {
      this.#isFlushing = true;
      void this.#change(() => this.#flushAll());
    }
    return promise;
  }

  /**
   * The oldest records that were not read yet, about so many bytes; the same again until `advance`. Where there are none,
   * what is being written is waited for.
   */
  async read(wantedBytes: number): Promise<SpooledRecords> {
    // Whoever reads until the file is empty would else turn without a pause, and the disk's answer is never heard.
    if (this.#head === this.#end && this.#isFlushing) await this.#changing;
    const range = { from: this.#head, end: this.#end, wantedBytes };
    const { contents, next, isBroken } = await readRecords(this.#handle, range);
    if (!isBroken || contents.length > 0) return { contents, next };
    // It was readable when it was written: the disk has changed it.
    await putAside(this.#file, this.#logger, next);
    return { contents: [], next: range.end };
  }

  /** They are not read again. */
  advance({ next }: SpooledRecords): void {
    this.#head = next;
  }

  /** Empties the file where all of it was read; whether it did. */
  reset(): Promise<boolean> {
    return this.#change(async () => {
      if (!this.isEmpty) return false;
      if (this.#end > 0) {
        await this.#handle.truncate(0);
        await this.#handle.datasync();
        this.#head = 0;
        this.#end = 0;
      }
      return this.isEmpty;
    });
  }

  /** Lets go of it when everything under way is on the disk; `remove`: nobody needs it any more. */
  async close({ remove = false }: { readonly remove?: boolean } = {}): Promise<void> {
    await this.#change(() => this.#handle.close());
    // The lock's file before it is let go: whoever comes then finds, and locks, one of its own.
    if (remove)
      for (const file of [this.#file, `${this.#file}.lock`]) await rm(file, { force: true });
    this.#lock.release();
  }

  #change<T>(work: () => Promise<T>): Promise<T> {
    const changed = this.#changing.then(work);
    this.#changing = changed.catch(() => undefined);
    return changed;
  }

  async #flushAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch: Waiting[] = [];
      let bytes = 0;
      while (batch.length === 0 || bytes < flushBytes) {
        const next = this.#waiting.shift();
        if (next === undefined) break;
        batch.push(next);
        bytes += sizeOf(next.content);
      }
      const isStored = await this.#write(batch, bytes);
      this.#waitingBytes -= bytes;
      for (const { resolve } of batch) resolve(isStored);
    }
    this.#isFlushing = false;
  }

  async #write(batch: readonly Waiting[], bytes: number): Promise<boolean> {
    try {
      const parts = batch.flatMap(({ content }) => toRecord(content));
      await writeFully(this.#handle, Buffer.concat(parts), this.#end);
      await this.#handle.datasync();
      this.#end += bytes;
      this.#isWarned = false;
      return true;
    } catch (error) {
      if (!this.#isWarned) {
        const text = 'The spool cannot be written: see the room on the disk of the data folder.';
        this.#logger.error({ file: this.#file, err: error }, text);
      }
      this.#isWarned = true;
      // What is half there must not stand before what comes next.
      await this.#handle.truncate(this.#end).catch(() => undefined);
      return false;
    }
  }
}

async function writeFully(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await handle.write(
      bytes,
      written,
      bytes.length - written,
      position + written,
    );
    written += bytesWritten;
  }
}

/** Where the last whole record ends. What follows is half of one that nobody was told of, or damage. */
async function findEnd(handle: FileHandle, file: string, logger: Logger): Promise<number> {
  const { size } = await handle.stat();
  let from = 0;
  while (from < size) {
    const range = { from, end: size, wantedBytes: flushBytes };
    const { next, isBroken } = await readRecords(handle, range);
    if (isBroken) {
      await putAside(file, logger, next);
      await handle.truncate(next);
      await handle.datasync();
      return next;
    }
    from = next;
  }
  return from;
}

async function putAside(file: string, logger: Logger, from: number): Promise<void> {
  const copy = `${file}.unreadable`;
  await copyFile(file, copy);
  logger.error(
    { file, copy, from },
    'Records were expected to the end of the spool and something else was found: it was cut short by a crash, or the disk is at fault. The rest is left out; the file was copied.',
  );
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
