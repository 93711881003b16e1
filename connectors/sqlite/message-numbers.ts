import type { Database } from './database.ts';

/** So many messages of one millisecond are in their order; more go on into the next one's numbers. */
const perMs = 2048;

/** The lowest number of a message that was received at this instant (ISO 8601); 0 where it is none. */
export function firstNumberOf(instant: string): number {
  const ms = Date.parse(instant);
  return Number.isNaN(ms) ? 0 : Math.min(Math.max(0, ms) * perMs, Number.MAX_SAFE_INTEGER);
}

/** When a message of this number was received, to within what {@link MessageNumbers} moves it: ISO 8601. */
export function receivedAtOf(number: number): string {
  return new Date(Math.floor(number / perMs)).toISOString();
}

/**
 * Numbers messages by the time of receipt, and within a millisecond by arrival: the table of messages, and whatever
 * refers to it, is in that order by itself, and what is recent lies together.
 */
export class MessageNumbers {
  readonly #database: Database;
  #last = 0;

  constructor(database: Database) {
    this.#database = database;
  }

  reload(): void {
    const row = this.#database.get('SELECT max(number) AS last FROM message');
    this.#last = Number(row?.['last'] ?? 0);
  }

  /** A free number for a message that was received then: inside the transaction that writes it. */
  next(receivedAt: string): number {
    const first = firstNumberOf(receivedAt);
    if (first > this.#last) return (this.#last = first);
    if (first + perMs > this.#last) return (this.#last += 1);
    // It is late: behind those of its millisecond, or behind the next ones where that is full.
    for (let from = first; ; from += perMs) {
      const row = this.#database.get(
        'SELECT max(number) AS last FROM message WHERE number >= ? AND number < ?',
        from,
        from + perMs,
      );
      if (row?.['last'] == null) return from;
      const free = Number(row['last']) + 1;
      if (free < from + perMs) return free;
    }
  }
}
