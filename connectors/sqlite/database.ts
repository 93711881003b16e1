import { DatabaseSync } from 'node:sqlite';
import type { StatementSync } from 'node:sqlite';
import type { Failure } from './protocol.ts';
import { migrate } from './schema.ts';

/** What SQLite takes as a parameter here. */
export type Value = string | number | Uint8Array | null;
export type Row = Record<string, string | number | bigint | Uint8Array | null>;

/** A request that cannot be carried out, found before anything of it was written. */
export class Refusal extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.name = 'Refusal';
    this.failure = failure;
  }
}

/** The one connection to the file: write-ahead log, every commit flushed to the disk before it returns. */
export class Database {
  readonly #connection: DatabaseSync;
  readonly #lock: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #maxPages: number | undefined;

  /** Opens or makes the file. Throws when another process owns it, or a newer version has written it. */
  constructor(file: string, options: { readonly maxFileBytes?: number | undefined }) {
    // A second owner would deliver again what this one has in its memory as delivered. The lock ends with
    // the process however it ends, and leaves the file itself free for readers such as a backup.
    this.#lock = new DatabaseSync(`${file}.lock`);
    try {
      this.#lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    } catch (cause) {
      this.#lock.close();
      throw new Error(`One owner of ${file} was expected and another has it: end that one first.`, {
        cause,
      });
    }
    this.#connection = new DatabaseSync(file);
    if (this.get('PRAGMA page_count')?.['page_count'] === 0) {
      // Of an empty file only: later it would take a VACUUM. Three messages of the usual size fit into one page, and
      // pruning can give room back.
      this.#connection.exec('PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL');
    }
    this.#connection.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA foreign_keys = OFF;
      PRAGMA temp_store = MEMORY;
      PRAGMA cache_size = -8192;
    `);
    this.checkpointBy('commits');
    migrate(this.#connection);
    this.#requireWritable(file);
    if (options.maxFileBytes !== undefined) {
      const pageBytes = Number(this.get('PRAGMA page_size')?.['page_size']);
      this.#maxPages = Math.ceil(options.maxFileBytes / pageBytes);
      this.#limitPages(this.#maxPages);
    }
  }

  /** Lets `work` go a little beyond the bound of the file: it is what makes room, or what was promised. */
  beyondLimit<Result>(work: () => Result): Result {
    if (this.#maxPages === undefined) return work();
    this.#limitPages(this.#maxPages + reservedPages);
    try {
      return work();
    } finally {
      this.#limitPages(this.#maxPages);
    }
  }

  #limitPages(pages: number): void {
    // SQLite takes it as no less than the file has.
    this.#connection.exec(`PRAGMA max_page_count = ${pages}`);
  }

  /** SQLite opens a file that it may only read without a word, and refuses every transaction later. */
  #requireWritable(file: string): void {
    const version = Number(this.get('PRAGMA user_version')?.['user_version']);
    this.run('BEGIN IMMEDIATE');
    try {
      // To begin is allowed all the same: something must be written, which is then taken back.
      this.#connection.exec(`PRAGMA user_version = ${version}`);
    } catch (cause) {
      if (sqliteError(cause)?.code !== sqliteReadOnly) return;
      throw new Error(
        `A data file that can be written to was expected at ${file} and this one is read-only: give it, and its folder, to the user that runs Hilum, and see whether its disk is mounted read-only.`,
        { cause },
      );
    } finally {
      if (this.#connection.isTransaction) this.run('ROLLBACK');
    }
  }

  run(sql: string, ...values: Value[]): number {
    return Number(this.#prepare(sql).run(...values).changes);
  }

  get(sql: string, ...values: Value[]): Row | undefined {
    return this.#prepare(sql).get(...values);
  }

  all(sql: string, ...values: Value[]): Row[] {
    return this.#prepare(sql).all(...values);
  }

  iterate(sql: string, ...values: Value[]): Iterable<Row> {
    return this.#prepare(sql).iterate(...values);
  }

  /**
   * Runs `work` as one transaction that the next one makes durable: for what says again, elsewhere, what is durable
   * already. The write-ahead log is kept in order, so a crash takes this back before anything later.
   */
  transactUnflushed(work: () => void): void {
    this.#connection.exec('PRAGMA synchronous = NORMAL');
    try {
      this.transact(work);
    } finally {
      this.#connection.exec('PRAGMA synchronous = FULL');
    }
  }

  /** Runs what only reads: the file is locked and unlocked once for all of it. */
  reading<Result>(work: () => Result): Result {
    this.run('BEGIN');
    try {
      return work();
    } finally {
      if (this.#connection.isTransaction) this.run('COMMIT');
    }
  }

  /** Runs `work` as one transaction: when it throws, nothing of it is there. */
  transact(work: () => void): void {
    this.run('BEGIN IMMEDIATE');
    try {
      work();
      this.run('COMMIT');
    } catch (error) {
      // A full disk may have ended the transaction already.
      if (this.#connection.isTransaction) this.run('ROLLBACK');
      throw error;
    }
  }

  /** Runs statements that take no values. */
  execute(sql: string): void {
    this.#connection.exec(sql);
  }

  /** Writes what stands there already: throws where the file cannot be written. */
  probe(): void {
    const version = Number(this.get('PRAGMA user_version')?.['user_version']);
    this.transact(() => this.#connection.exec(`PRAGMA user_version = ${version}`));
  }

  /** How many pages the write-ahead log has, and how many of them are still to be copied into the file. */
  logPages(): { readonly all: number; readonly left: number } {
    const row = this.get('PRAGMA wal_checkpoint(NOOP)');
    const all = Math.max(0, Number(row?.['log'] ?? 0));
    return { all, left: all - Math.max(0, Number(row?.['checkpointed'] ?? 0)) };
  }

  /** Copies what it can of the log. Outside a transaction. */
  checkpoint(): void {
    try {
      this.#connection.exec('PRAGMA wal_checkpoint(PASSIVE)');
    } catch {
      // As on a full disk: the log keeps it.
    }
  }

  /** Who copies the log into the file when it has grown: a commit, or somebody else. */
  checkpointBy(who: 'commits' | 'others'): void {
    this.#connection.exec(`PRAGMA wal_autocheckpoint = ${who === 'commits' ? checkpointPages : 0}`);
  }

  /** Lets the write-ahead log start over where it can: the room it takes can then be written to again. */
  restartLog(): void {
    try {
      this.#connection.exec('PRAGMA wal_checkpoint(RESTART)');
    } catch {
      // On a full disk this may fail as what came before it did, and changes nothing about it.
    }
  }

  close(): void {
    this.#statements.clear();
    this.#connection.close();
    this.#lock.close();
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#connection.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

/** 16 MiB with pages of 8 KiB. */
const checkpointPages = 2_000;

/** 16 MiB: more than all that waits for a write-back. */
const reservedPages = 2_000;

const sqliteReadOnly = 8;
const sqliteFull = 13;
/** Faults of one statement's data, whose neighbours are innocent: too big, constraint, mismatch, range. */
const dataFaults = new Set([18, 19, 20, 25]);

/** What SQLite says about an error of its own: the primary result code and its words. */
function sqliteError(error: unknown): { readonly code: number; readonly text: string } | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  const text = 'errstr' in error ? String(error.errstr) : error.message;
  return { code: Number(error.errcode) & 0xff, text };
}

/** Whether the disk, or what of it the file may take, is used up. */
export function isFull(error: unknown): boolean {
  return sqliteError(error)?.code === sqliteFull;
}

/** An error of the file as what a client is told: trying again helps, unless the data is at fault. */
export function toFailure(error: unknown, unavailable: string): Failure {
  if (error instanceof Refusal) return error.failure;
  const found = sqliteError(error);
  if (found === undefined || dataFaults.has(found.code)) {
    return {
      errorClass: 'permanent',
      code: 'request-invalid',
      // A type or constraint, never a value: SQLite and V8 name columns and kinds only.
      message: `A request that can be stored was expected: ${error instanceof Error ? error.message : 'unknown error'}.`,
    };
  }
  const remedy =
    found.code === sqliteFull
      ? 'Free space on the disk of the data folder; nothing that was confirmed is lost.'
      : 'See the state of the disk of the data folder; nothing that was confirmed is lost.';
  return {
    errorClass: 'transient',
    code: unavailable,
    message: `Storing was expected and the data file refused (${found.text}). ${remedy}`,
  };
}
