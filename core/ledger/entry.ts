import type { Envelope } from '../envelope.ts';
import type { LedgerEntry, LedgerEvent } from '../ports/ledger.ts';
import { eventKinds } from './codes.ts';

/** Whether an entry has all that tables need of it, each of its type: it comes from another process. */
export function isSoundEntry(entry: LedgerEntry): boolean {
  switch (entry.type) {
    case 'message':
      return isEnvelope(entry.envelope) && isTextOrAbsent(entry.digest);
    case 'event':
      return isEvent(entry.event);
    case 'changes':
      return isText(entry.changes.messageId) && isText(entry.changes.text);
  }
}

/** Says what is wrong with an entry that is none, without a value of it. */
export function toUnsound({ type }: LedgerEntry): string {
  return `A ledger entry with all its required fields was expected: a field of its ${type} is absent or of another type.`;
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
    (event.issues == null || Array.isArray(event.issues)) &&
    (event.held == null || Array.isArray(event.held))
  );
}

const isText = (value: unknown): boolean => typeof value === 'string';
const isTextOrAbsent = (value: unknown): boolean => value == null || isText(value);

/**
 * The entry with the digest of its body (SHA-256 in base64, from `digestOf`), where it has none: it is kept of what a
 * partner sent, which may come again.
 */
export function withDigest(
  entry: LedgerEntry,
  digestOf: (body: Uint8Array) => string,
): LedgerEntry {
  if (entry.type !== 'message' || entry.digest !== undefined) return entry;
  const { envelope } = entry;
  if (envelope.causationId !== undefined || envelope.controlId === undefined) return entry;
  return { ...entry, digest: digestOf(envelope.body) };
}
