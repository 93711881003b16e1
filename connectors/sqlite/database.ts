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
    this.#connection.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA foreign_keys = OFF;
      PRAGMA temp_store = MEMORY;
      PRAGMA cache_size = -32768;
      PRAGMA wal_autocheckpoint = 4000;
    `);
    migrate(this.#connection);
    this.#requireWritable(file);
    if (options.maxFileBytes !== undefined) {
      const pageBytes = Number(this.get('PRAGMA page_size')?.['page_size']);
      this.#connection.exec(
        `PRAGMA max_page_count = ${Math.ceil(options.maxFileBytes / pageBytes)}`,
      );
    }
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

  /** Writes what stands there already: throws where the file cannot be written. */
  probe(): void {
    const version = Number(this.get('PRAGMA user_version')?.['user_version']);
    this.transact(() => this.#connection.exec(`PRAGMA user_version = ${version}`));
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
