import type { Database } from './database.ts';
import type { UndoLog } from './undo-log.ts';

/** Bytes of which the tables do not say yet who has them. */
export interface Content {
  readonly number: number;
  readonly id: string;
  readonly body: Uint8Array;
  /** The ledger's message has it. */
  isMessage: boolean;
  /** How many rows of queues have it that are not in the file. */
  rows: number;
}

/**
 * The bytes of messages, each once: what is published and appended under one id between two write-backs shares
 * them. They are written at once, by the transaction that brings them; who has them is written with the write-back.
 */
export class Contents {
  readonly #database: Database;
  readonly #undo: UndoLog;
  readonly #byNumber = new Map<number, Content>();
  readonly #byId = new Map<string, Content>();
  /** Numbers of those that the journal names and a row of the file has as its own. */
  readonly #ofRows = new Set<number>();
  #last: number;
  #bytes = 0;

  constructor(database: Database, undo: UndoLog) {
    this.#database = database;
    this.#undo = undo;
    this.#last = Number(database.get('SELECT max(number) AS last FROM content')?.['last'] ?? 0);
  }

  /** How many bytes came since the last write-back. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Stores the bytes of an id, inside the caller's transaction, where they are not there already. */
  store(id: string, body: Uint8Array): Content {
    const known = this.#byId.get(id);
    if (known !== undefined && Buffer.compare(known.body, body) === 0) return known;
    const number = this.#write(body);
    return this.#remember({ number, id, body, isMessage: false, rows: 0 });
  }

  /** One that the journal names. */
  restore(number: number, id: string): Content {
    const known = this.#byNumber.get(number);
    if (known !== undefined) return known;
    const stored = this.#database.get('SELECT body FROM content WHERE number = ?', number);
    const body = stored?.['body'] instanceof Uint8Array ? stored['body'] : new Uint8Array();
    const sql = 'SELECT 1 FROM message WHERE id = ? AND content = ?';
    const isMessage = this.#database.get(sql, id, number) !== undefined;
    return this.#remember({ number, id, body, isMessage, rows: 0 });
  }

  /** A row that the journal names is in the file: the bytes are not to be deleted, nor had by another. */
  keepForRow(number: number): void {
    this.#ofRows.add(number);
  }

  /** Whether another row, as its owner, needs a copy. */
  isOfRow({ number }: Content): boolean {
    return this.#ofRows.has(number);
  }

  /** A message of the ledger has it from now on. */
  claim(content: Content): void {
    if (content.isMessage) return;
    content.isMessage = true;
    this.#undo.add(() => (content.isMessage = false));
  }

  /** One row more has it, or one less. */
  count(content: Content, by: 1 | -1): void {
    content.rows += by;
    this.#undo.add(() => (content.rows -= by));
  }

  /** Another copy, for a second row that does not share it with the ledger. Inside a transaction. */
  copy({ body }: Content): number {
    return this.#write(body);
  }

  /** Deletes what nobody has any more: part of the write-back. */
  deleteUnused(): void {
    for (const { number, isMessage, rows } of this.#byNumber.values()) {
      if (isMessage || rows > 0 || this.#ofRows.has(number)) continue;
      this.#database.run('DELETE FROM content WHERE number = ?', number);
    }
  }

  /** The write-back is committed: who has what is in the tables, but for those. */
  forgetAllBut(carried: Iterable<Content>): void {
    this.#byNumber.clear();
    this.#byId.clear();
    this.#ofRows.clear();
    for (const content of carried) {
      this.#byNumber.set(content.number, content);
      this.#byId.set(content.id, content);
    }
    this.#bytes = 0;
  }

  #write(body: Uint8Array): number {
    this.#last += 1;
    this.#database.run('INSERT INTO content VALUES (?, ?)', this.#last, body);
    return this.#last;
  }

  #remember(content: Content): Content {
    const { number, id, body } = content;
    const former = this.#byId.get(id);
    this.#byNumber.set(number, content);
    this.#byId.set(id, content);
    this.#bytes += body.length;
    this.#undo.add(() => {
      this.#bytes -= body.length;
      this.#byNumber.delete(number);
      if (former === undefined) this.#byId.delete(id);
      else this.#byId.set(id, former);
    });
    return content;
  }
}
