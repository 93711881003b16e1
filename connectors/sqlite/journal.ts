import type { Envelope } from '../../core/envelope.ts';
import type { PackedChanges } from '../../core/payload-changes.ts';
import type { LedgerEvent } from '../../core/ports/ledger.ts';
import type { Database } from './database.ts';

/** An envelope without its bytes, which are a row of `content`. */
export type Header = Omit<Envelope, 'body'>;

/**
 * One change of queues or ledger, as a row of the journal holds it. Kinds and their places are part of the file's
 * format.
 */
export type JournalEntry =
  /** The ledger has a message, with its digest where it may come again. */
  | readonly [kind: 'message', header: Header, content: number, digest: string | null]
  | readonly [kind: 'event', event: LedgerEvent]
  | readonly [kind: 'changes', changes: PackedChanges]
  | readonly [
      kind: 'queued',
      queue: number,
      position: number,
      id: string,
      attempt: number,
      header: string,
      content: number,
      /** Why it is a dead letter, JSON. */
      issues: string | null,
    ]
  /** A row has left its queue. */
  | readonly [kind: 'gone', queue: number, position: number]
  /** A row waits for its retry: until `due` (ms since 1970), `delay` ms from when that was written. */
  | readonly [
      kind: 'delayed',
      queue: number,
      position: number,
      attempt: number,
      due: number,
      delay: number,
    ];

/**
 * What transactions bring is written at once, and as one row: to write what follows from it (rows of messages and
 * queues, with all their indexes) can wait, and most of it is then written once although it changed many times, or
 * never. After a crash it is made again from the journal.
 */
export class Journal {
  readonly #database: Database;
  #entries: JournalEntry[] = [];
  #isWritten = false;
  #isEmpty: boolean;

  constructor(database: Database) {
    this.#database = database;
    this.#isEmpty = database.get('SELECT 1 FROM journal LIMIT 1') === undefined;
  }

  /** The tables have everything. */
  get isEmpty(): boolean {
    return this.#isEmpty;
  }

  add(entry: JournalEntry): void {
    this.#entries.push(entry);
  }

  /** Writes what the transaction under way has brought. */
  flush(): void {
    if (this.#entries.length === 0) return;
    this.#database.run('INSERT INTO journal (entries) VALUES (?)', JSON.stringify(this.#entries));
    this.#isWritten = true;
  }

  committed(): void {
    if (this.#isWritten) this.#isEmpty = false;
    this.rolledBack();
  }

  rolledBack(): void {
    if (this.#entries.length > 0) this.#entries = [];
    this.#isWritten = false;
  }

  /** What was brought since the last write-back, in order. */
  *read(): Iterable<JournalEntry> {
    for (const row of this.#database.all('SELECT entries FROM journal ORDER BY number')) {
      yield* JSON.parse(String(row['entries'])) as JournalEntry[];
    }
  }

  /** Inside the transaction that has written all of it to the tables. */
  clear(): void {
    this.#database.run('DELETE FROM journal');
  }

  /** That transaction is committed. */
  cleared(): void {
    this.#isEmpty = true;
  }
}
