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
  /** With its place in the order of all events. */
  | readonly [kind: 'event', event: LedgerEvent, number: number]
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

/** An entry, and the row that has it. */
export interface Journaled {
  readonly row: number;
  readonly entry: JournalEntry;
}

/**
 * What transactions bring is written at once, and as one row: to write what follows from it (rows of messages and
 * queues, with all their indexes) can wait, and most of it is then written once although it changed many times, or
 * never. After a crash it is made again from the journal. A row may tell of what is in the tables already.
 */
export class Journal {
  readonly #database: Database;
  #entries: JournalEntry[] = [];
  #isWritten = false;
  #first: number;
  #next: number;

  constructor(database: Database) {
    this.#database = database;
    const row = database.get('SELECT min(number) AS first, max(number) AS last FROM journal');
    this.#next = Number(row?.['last'] ?? 0) + 1;
    this.#first = Number(row?.['first'] ?? this.#next);
  }

  /** The tables have everything. */
  get isEmpty(): boolean {
    return this.#first === this.#next;
  }

  /** The number of the row that the transaction under way writes, or the next one. */
  get row(): number {
    return this.#next;
  }

  add(entry: JournalEntry): void {
    this.#entries.push(entry);
  }

  /** Writes what the transaction under way has brought. */
  flush(): void {
    if (this.#entries.length === 0) return;
    this.#database.run(
      'INSERT INTO journal VALUES (?, ?)',
      this.#next,
      JSON.stringify(this.#entries),
    );
    this.#isWritten = true;
  }

  committed(): void {
    if (this.#isWritten) this.#next += 1;
    this.rolledBack();
  }

  rolledBack(): void {
    if (this.#entries.length > 0) this.#entries = [];
    this.#isWritten = false;
  }

  /** What it has, in order, each with the number of its row. */
  *read(): Iterable<Journaled> {
    for (const { number, entries } of this.#database.all('SELECT * FROM journal ORDER BY number')) {
      const row = Number(number);
      for (const entry of JSON.parse(String(entries)) as JournalEntry[]) yield { row, entry };
    }
  }

  /** Inside the transaction that has written to the tables whatever rows before that one have. */
  clearBefore(row: number): void {
    this.#database.run('DELETE FROM journal WHERE number < ?', row);
  }

  /** That transaction is committed. */
  clearedBefore(row: number): void {
    this.#first = Math.min(row, this.#next);
  }
}
