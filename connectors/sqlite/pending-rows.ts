import type { Content, Contents } from './contents.ts';
import type { Database } from './database.ts';
import { deleteRow, findPosition, hasRow, insertRow, readRow, setDelay } from './queue-rows.ts';
import type { Delay } from './queue-rows.ts';
import type { WaitingRow } from './queue-state.ts';
import type { UndoLog } from './undo-log.ts';

/** A row that came since the last write-back and is still there. */
export interface PendingRow {
  readonly position: number;
  readonly id: string;
  readonly header: string;
  readonly content: Content;
  readonly issues: string | undefined;
  /** The row of the journal that has it. */
  readonly journalRow: number;
  attempt: number;
  due: number;
  delay: number;
}

/** What has changed in one queue since the last write-back. */
interface PendingQueue {
  /** Their positions are behind all that the file has. */
  readonly fresh: Map<number, PendingRow>;
  readonly ids: Map<string, PendingRow>;
  /** Positions of the file whose rows are there no more. */
  readonly gone: Set<number>;
  /** Positions of the file whose rows wait for a retry. */
  readonly delayed: Map<number, Delay>;
  /** How many rows the file has, those that are gone included. */
  stored: number;
  /** What the write-back under way has written of `fresh`. */
  writing: readonly PendingRow[];
}

/**
 * The rows of queues as they stand: those of the file, and what has changed since they were last written. Its changes
 * are made in memory, inside the caller's transaction, and taken back where that fails.
 */
export class PendingRows {
  readonly #database: Database;
  readonly #contents: Contents;
  readonly #undo: UndoLog;
  readonly #queues = new Map<number, PendingQueue>();
  #changes = 0;

  constructor(database: Database, contents: Contents, undo: UndoLog) {
    this.#database = database;
    this.#contents = contents;
    this.#undo = undo;
    const rows = database.all('SELECT queue, count(*) AS count FROM queued GROUP BY queue');
    for (const { queue, count } of rows) this.#of(Number(queue)).stored = Number(count);
  }

  /** How many changes came since the last write-back. */
  get changes(): number {
    return this.#changes;
  }

  /** How many rows a queue has. */
  count(queue: number): number {
    const { fresh, gone, stored } = this.#of(queue);
    return stored - gone.size + fresh.size;
  }

  /** The highest position that came since the last write-back; 0 where none has. */
  lastPosition(queue: number): number {
    let last = 0;
    for (const position of this.#of(queue).fresh.keys()) last = Math.max(last, position);
    return last;
  }

  /** Where in a queue an id is. */
  find(queue: number, id: string): number | undefined {
    const { ids, gone, stored } = this.#of(queue);
    const fresh = ids.get(id);
    if (fresh !== undefined || stored === 0) return fresh?.position;
    const position = findPosition(this.#database, queue, id);
    return position === undefined || gone.has(position) ? undefined : position;
  }

  insert(queue: number, row: PendingRow): void {
    const { fresh, ids } = this.#of(queue);
    fresh.set(row.position, row);
    ids.set(row.id, row);
    this.#contents.count(row.content, 1);
    this.#change();
    this.#undo.add(() => {
      fresh.delete(row.position);
      ids.delete(row.id);
    });
  }

  /** Takes a row out; false where it was not there. */
  remove(queue: number, position: number): boolean {
    const { fresh, ids, gone } = this.#of(queue);
    const row = fresh.get(position);
    if (row !== undefined) {
      fresh.delete(position);
      ids.delete(row.id);
      this.#contents.count(row.content, -1);
      this.#change();
      this.#undo.add(() => {
        fresh.set(position, row);
        ids.set(row.id, row);
      });
      return true;
    }
    if (gone.has(position) || !hasRow(this.#database, queue, position)) return false;
    gone.add(position);
    this.#change();
    this.#undo.add(() => gone.delete(position));
    return true;
  }

  /** Makes a row wait, with another attempt; false where it is not there. */
  delay(queue: number, position: number, to: Delay): boolean {
    const { fresh, gone, delayed } = this.#of(queue);
    const row = fresh.get(position);
    this.#change();
    if (row !== undefined) {
      const { attempt, due, delay } = row;
      Object.assign(row, to);
      this.#undo.add(() => Object.assign(row, { attempt, due, delay }));
      return true;
    }
    if (gone.has(position)) return false;
    const before = delayed.get(position);
    delayed.set(position, to);
    this.#undo.add(() => {
      if (before === undefined) delayed.delete(position);
      else delayed.set(position, before);
    });
    return true;
  }

  /** A row as it is delivered; undefined where it is not there. */
  read(queue: number, position: number): WaitingRow | undefined {
    const { fresh, gone, delayed } = this.#of(queue);
    const row = fresh.get(position);
    if (row !== undefined) return toWaiting(row);
    if (gone.has(position)) return undefined;
    const stored = readRow(this.#database, queue, position);
    const attempt = delayed.get(position)?.attempt;
    if (stored === undefined || attempt === undefined) return stored;
    const [id, , header, body] = stored.parcel;
    return { position, parcel: [id, attempt, header, body] };
  }

  /** What it takes to move a row: it is still there. */
  readWhole(queue: number, position: number): PendingRow | undefined {
    const fresh = this.#of(queue).fresh.get(position);
    if (fresh !== undefined) return fresh;
    const stored = this.read(queue, position);
    if (stored === undefined) return undefined;
    const [id, attempt, header, body] = stored.parcel;
    const content = this.#contents.store(id, body);
    const rest = { issues: undefined, journalRow: 0, due: 0, delay: 0 };
    return { position, id, header, content, attempt, ...rest };
  }

  /** How many rows of a queue are in the file. */
  stored(queue: number): number {
    return this.#of(queue).stored;
  }

  /** Of the file: it has left its queue, or waits for a retry. */
  isAway(queue: number, position: number): boolean {
    const { gone, delayed } = this.#of(queue);
    return gone.has(position) || delayed.has(position);
  }

  /** The rows that the file has not, behind a position, in order, but those that wait for a retry. */
  *behind(queue: number, position: number): Iterable<WaitingRow> {
    for (const row of inOrder(this.#of(queue).fresh)) {
      if (row.position > position && row.due === 0) yield toWaiting(row);
    }
  }

  /** The bytes of the rows that the last write-back has left. */
  *carriedContents(): Iterable<Content> {
    for (const { fresh } of this.#queues.values()) {
      for (const { content } of fresh.values()) yield content;
    }
  }

  /** The rows that the file has not and that wait for a retry; and those of the file whose wait began since. */
  *waits(): Iterable<{ readonly queue: number; readonly position: number } & Delay> {
    for (const [queue, { fresh, delayed }] of this.#queues) {
      for (const { position, attempt, due, delay } of fresh.values()) {
        if (due > 0) yield { queue, position, attempt, due, delay };
      }
      for (const [position, wait] of delayed) yield { queue, position, ...wait };
    }
  }

  /**
   * Writes the changes, inside the caller's transaction; the memory follows with {@link written}. Rows that came in
   * the journal's row `youngFrom` or later are left for the next call: most of them will have gone by then. Returns
   * the first row of the journal that is needed for them, `Infinity` for none.
   */
  writeBack(youngFrom: number): number {
    let needed = Infinity;
    const claimed = new Set<number>();
    for (const [queue, pending] of this.#queues) {
      const { fresh, gone, delayed } = pending;
      const rows = inOrder(fresh);
      // No row of the file stands behind one that it has not.
      const last = rows.findLastIndex(
        (row) => row.journalRow < youngFrom || !row.content.isMessage,
      );
      pending.writing = rows.slice(0, last + 1);
      for (const { journalRow } of rows.slice(last + 1)) needed = Math.min(needed, journalRow);
      for (const position of gone) deleteRow(this.#database, queue, position);
      for (const [position, to] of delayed) {
        if (!gone.has(position)) setDelay(this.#database, queue, position, to);
      }
      for (const row of pending.writing) {
        const { content } = row;
        const isOwned = !content.isMessage;
        const number =
          isOwned && (claimed.has(content.number) || this.#contents.isOfRow(content))
            ? this.#contents.copy(content)
            : content.number;
        claimed.add(number);
        insertRow(this.#database, queue, { ...row, content: number, isOwned });
      }
    }
    return needed;
  }

  /** What was written back is committed. */
  written(): void {
    for (const pending of this.#queues.values()) {
      const { fresh, ids, gone, delayed, writing } = pending;
      pending.stored += writing.length - gone.size;
      for (const { position, id, content } of writing) {
        fresh.delete(position);
        ids.delete(id);
        content.rows -= 1;
      }
      pending.writing = [];
      gone.clear();
      delayed.clear();
    }
    this.#changes = 0;
  }

  #of(queue: number): PendingQueue {
    let pending = this.#queues.get(queue);
    if (pending === undefined) {
      const maps = { fresh: new Map(), ids: new Map(), gone: new Set<number>() };
      pending = { ...maps, delayed: new Map(), stored: 0, writing: [] };
      this.#queues.set(queue, pending);
    }
    return pending;
  }

  #change(): void {
    this.#changes += 1;
    this.#undo.add(() => (this.#changes -= 1));
  }
}

/** Rows are put back at the end where a transaction that took them out was undone. */
function inOrder(fresh: ReadonlyMap<number, PendingRow>): readonly PendingRow[] {
  return [...fresh.values()].sort((left, right) => left.position - right.position);
}

function toWaiting({ position, id, attempt, header, content }: PendingRow): WaitingRow {
  return { position, parcel: [id, attempt, header, content.body] };
}
