import type { Envelope } from '../../core/envelope.ts';
import type { LedgerEntry, LedgerEvent } from '../../core/ports/ledger.ts';
import { Refusal } from './database.ts';
import { eventKinds } from './ledger-codes.ts';

/** Refuses what could not be written to the tables later, when it is confirmed already. */
export function checkEntry(entry: LedgerEntry): void {
  if (isSound(entry)) return;
  throw new Refusal({
    errorClass: 'permanent',
    code: 'ledger-entry-invalid',
    message: `A ledger entry with all its required fields was expected: a field of its ${entry.type} is absent or of another type.`,
  });
}

function isSound(entry: LedgerEntry): boolean {
  switch (entry.type) {
    case 'message':
      return isEnvelope(entry.envelope) && isTextOrAbsent(entry.digest);
    case 'event':
      return isEvent(entry.event);
    case 'changes':
      return isText(entry.changes.messageId) && isText(entry.changes.text);
  }
}

function isEnvelope(envelope: Envelope): boolean {
  return (
    isText(envelope.id) &&
    isText(envelope.interface) &&
    isText(envelope.contentType) &&
    isText(envelope.correlationId) &&
    isText(envelope.receivedAt) &&
    Number.isSafeInteger(envelope.attempt) &&
    isTextOrAbsent(envelope.messageType) &&
    isTextOrAbsent(envelope.controlId) &&
    isTextOrAbsent(envelope.key) &&
    isTextOrAbsent(envelope.causationId) &&
    isTextOrAbsent(envelope.charset) &&
    isTextOrAbsent(envelope.replyTo) &&
    envelope.body instanceof Uint8Array
  );
}

function isEvent(event: LedgerEvent): boolean {
  return (
    isText(event.messageId) &&
    isText(event.at) &&
    eventKinds.includes(event.kind) &&
    isTextOrAbsent(event.queue) &&
    isTextOrAbsent(event.summary) &&
    (event.attempt == null || Number.isSafeInteger(event.attempt)) &&
    (event.issues == null || Array.isArray(event.issues))
  );
}

const isText = (value: unknown): boolean => typeof value === 'string';
const isTextOrAbsent = (value: unknown): boolean => value == null || isText(value);
