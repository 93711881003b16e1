import type { LedgerEntry } from '../../core/ports/ledger.ts';
import { Refusal } from './database.ts';
import { eventKinds } from './ledger-codes.ts';

/** Refuses what SQLite would only notice in the middle of the transaction. */
export function checkEntry(entry: LedgerEntry): void {
  const sound =
    entry.type === 'message'
      ? [entry.envelope.id, entry.envelope.interface, entry.envelope.contentType].every(isText) &&
        isText(entry.envelope.correlationId) &&
        isText(entry.envelope.receivedAt) &&
        entry.envelope.body instanceof Uint8Array
      : isText(entry.event.messageId) &&
        isText(entry.event.at) &&
        eventKinds.includes(entry.event.kind);
  if (sound) return;
  throw new Refusal({
    errorClass: 'permanent',
    code: 'ledger-entry-invalid',
    message: `A ledger entry with all its required fields was expected: a field of this ${entry.type} is absent or of another type.`,
  });
}

const isText = (value: unknown): boolean => typeof value === 'string';
