import { randomBytes } from 'node:crypto';
import { toUuid } from './derived-id.ts';

/**
 * A new unique id, sortable by time: UUID version 7 (RFC 9562). The clock is handed in, in milliseconds.
 */
export function newId(nowMs: number): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(nowMs, 0, 6);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return toUuid(bytes.toString('hex'));
}

/** The wall clock as the ledger writes it: ISO 8601, UTC, milliseconds. */
export function toInstant(nowMs: number): string {
  return new Date(nowMs).toISOString();
}
