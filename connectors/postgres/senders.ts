import type pg from 'pg';
import { hasBatch, maxSenders, withBatch, type Span } from '../../core/ledger/batch-spans.ts';
import type { Batch } from '../../core/ports/ledger.ts';
import type { TableChange } from './statement.ts';

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
    const names = [...this.#after.keys()].sort();
    const changes = [
      { name: 'batch', isNew: false, text: update },
      { name: 'batch_new', isNew: true, text: insert },
    ] as const;
    return changes.flatMap(({ name, isNew, text }) => {
      const given = names.filter((each) => this.#before.has(each) !== isNew);
      const spans = given.map((each) => JSON.stringify(this.#after.get(each)));
      return given.length === 0 ? [] : [{ name, text, values: [given, spans, touched] }];
    });
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

const update = `UPDATE batch SET spans = given.spans, touched = $3
  FROM (SELECT unnest($1::text[]) AS sender, unnest($2::text[]) AS spans) AS given WHERE batch.sender = given.sender`;
// One that another has made meanwhile fails, and the transaction is made again.
const insert = `INSERT INTO batch SELECT unnest($1::text[]), $3::bigint, unnest($2::text[])`;
