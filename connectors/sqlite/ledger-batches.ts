import type { Batch } from '../../core/ports/ledger.ts';
import type { Database } from './database.ts';

/** Numbers from the first to the last. */
type Span = [first: number, last: number];

/** So many senders are remembered, the latest: one more with every start of a process. */
const maxSenders = 1_000;

/**
 * Which batches of each sender are there. Spans of numbers, since most come one after the other: a row stays small.
 * Runs inside the caller's transaction.
 */
export class LedgerBatches {
  readonly #database: Database;
  readonly #applied = new Map<string, Span[]>();
  readonly #changed = new Set<string>();
  readonly #new = new Set<string>();

  constructor(database: Database) {
    this.#database = database;
  }

  /** Whether the batch is there for the first time; from now on it is. */
  isNew({ sender, number, heardBelow }: Batch): boolean {
    const spans = this.#find(sender);
    if (spans.some(([first, last]) => first <= number && number <= last)) return false;
    this.#applied.set(sender, join(spans, number, heardBelow));
    this.#changed.add(sender);
    return true;
  }

  /** Writes what is new since the last call. */
  flush(): void {
    for (const name of this.#changed) {
      this.#database.run(
        // Its row becomes the last: what is in use is not forgotten.
        'REPLACE INTO spooled (name, applied) VALUES (?, ?)',
        name,
        JSON.stringify(this.#applied.get(name)),
      );
    }
    if (this.#new.size > 0) this.#forgetOld();
    this.#changed.clear();
    this.#new.clear();
  }

  /** Forgets what is not in the file. */
  reload(): void {
    this.#applied.clear();
    this.#changed.clear();
    this.#new.clear();
  }

  #find(name: string): readonly Span[] {
    const known = this.#applied.get(name);
    if (known !== undefined) return known;
    const row = this.#database.get('SELECT applied FROM spooled WHERE name = ?', name);
    if (row === undefined) this.#new.add(name);
    return row === undefined ? [] : (JSON.parse(String(row['applied'])) as Span[]);
  }

  #forgetOld(): void {
    this.#database.run(
      `DELETE FROM spooled
       WHERE number < (SELECT number FROM spooled ORDER BY number DESC LIMIT 1 OFFSET ?)`,
      maxSenders - 1,
    );
    for (const name of this.#applied.keys()) {
      if (this.#applied.size <= maxSenders) break;
      if (!this.#changed.has(name)) this.#applied.delete(name);
    }
  }
}

/** The spans with one number more, without what nobody sends again. */
function join(spans: readonly Span[], number: number, heardBelow: number): Span[] {
  const kept = spans.filter(([, last]) => last >= heardBelow);
  const joined: Span[] = [];
  for (const [first, last] of [...kept, [number, number] as const].sort((a, b) => a[0] - b[0])) {
    const before = joined.at(-1);
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else joined.push([first, last]);
  }
  return joined;
}
