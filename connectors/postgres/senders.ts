import type pg from 'pg';
import { hasBatch, maxSenders, withBatch, type Span } from '../../core/ledger/batch-spans.ts';
import type { Batch } from '../../core/ports/ledger.ts';
import { toInsertion, type TableChange } from './statement.ts';

/** Which batches of the senders of a transaction are there, and which it brings. */
export class Senders {
  readonly #before: ReadonlyMap<string, readonly Span[]>;
  readonly #after = new Map<string, readonly Span[]>();

  /** `before`: what the tables say, whose rows are locked; one that is new has none. */
  constructor(before: ReadonlyMap<string, readonly Span[]>) {
    this.#before = before;
  }

  /** False where the batch is there already. */
  take(batch: Batch): boolean {
    const { sender } = batch;
    const spans = this.#after.get(sender) ?? this.#before.get(sender) ?? [];
    if (hasBatch(spans, batch)) return false;
    this.#after.set(sender, withBatch(spans, batch));
    return true;
  }

  /** `touched`: grows from transaction to transaction. */
  toChanges(touched: number): readonly TableChange[] {
    const toRow = (name: string) => [name, touched, JSON.stringify(this.#after.get(name))];
    const names = [...this.#after.keys()].sort();
    const made = names.filter((name) => !this.#before.has(name)).map(toRow);
    const rows = names.filter((name) => this.#before.has(name)).map(toRow);
    return [
      // One that another has made meanwhile fails, and the transaction is made again.
      ...(made.length === 0 ? [] : [toInsertion('batch_new', { ...batch, rows: made })]),
      ...(rows.length === 0 ? [] : [toInsertion('batch_grown', { ...batch, rows, onConflict })]),
    ];
  }

  /** Forgets the oldest senders where there are new ones. */
  async forgetOldest(client: pg.Client): Promise<void> {
    if ([...this.#after.keys()].every((name) => this.#before.has(name))) return;
    await client.query({
      name: 'senders-forgotten',
      text: `DELETE FROM batch WHERE touched <
        (SELECT touched FROM batch ORDER BY touched DESC OFFSET $1 LIMIT 1)`,
      values: [maxSenders - 1],
    });
  }
}

const batch = { table: 'batch', types: ['text', 'bigint', 'text'] } as const;
const onConflict =
  'ON CONFLICT (sender) DO UPDATE SET touched = excluded.touched, spans = excluded.spans';
