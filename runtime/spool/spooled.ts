import { deserialize, serialize } from 'node:v8';
import type { Batch, LedgerEntry } from '../../core/ports/ledger.ts';

/** Entries on their way to the ledger. */
export interface Spooled {
  readonly batch: Batch;
  readonly entries: readonly LedgerEntry[];
}

export function toSpooled({ batch, entries }: Spooled): Uint8Array {
  return serialize([batch, entries]);
}

export function readSpooled(content: Uint8Array): Spooled {
  const [batch, entries] = deserialize(content) as [Batch, readonly LedgerEntry[]];
  return { batch, entries };
}
