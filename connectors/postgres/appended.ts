import type { Batch, LedgerEntry } from '../../core/ports/ledger.ts';

/** One call of `append`, until it is known what became of it. */
export interface Append {
  readonly entries: readonly LedgerEntry[];
  readonly batch: Batch | undefined;
  /** Of its bodies. */
  readonly bytes: number;
}
