import { isSoundEntry, toUnsound } from '../../core/ledger/entry.ts';
import type { LedgerEntry } from '../../core/ports/ledger.ts';
import { Refusal } from './database.ts';

/** Refuses what could not be written to the tables later, when it is confirmed already. */
export function checkEntry(entry: LedgerEntry): void {
  if (isSoundEntry(entry)) return;
  throw new Refusal({
    errorClass: 'permanent',
    code: 'ledger-entry-invalid',
    message: toUnsound(entry),
  });
}
