import { hasBatch, maxSenders, withBatch, type Span } from '../../core/ledger/batch-spans.ts';
import type { Batch } from '../../core/ports/ledger.ts';
import type { Database } from './database.ts';

/**
 * Which batches of each sender are there. Runs inside the caller's transaction.
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
  isNew(batch: Batch): boolean {
    const { sender } = batch;
    const spans = this.#find(sender);
    if (hasBatch(spans, batch)) return false;
    this.#applied.set(sender, withBatch(spans, batch));
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
