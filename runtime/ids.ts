import { randomFillSync } from 'node:crypto';
import { toUuid } from './derived-id.ts';

const idBytes = 16;
/** Random bytes of many ids at once: the call costs more than the bytes. */
const pool = Buffer.alloc(256 * idBytes);
let used = pool.length;

/**
 * A new unique id, sortable by time: UUID version 7 (RFC 9562). The clock is handed in, in milliseconds.
 */
export function newId(nowMs: number): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const bytes = pool.subarray(used, used + idBytes);
  used += idBytes;
  bytes.writeUIntBE(nowMs, 0, 6);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return toUuid(bytes.toString('hex'));
}

let lastMs = Number.NaN;
let lastInstant = '';

/** The wall clock as the ledger writes it: ISO 8601, UTC, milliseconds. */
export function toInstant(nowMs: number): string {
  // The same millisecond is asked for many times.
  if (nowMs !== lastMs) {
    lastMs = nowMs;
    lastInstant = new Date(nowMs).toISOString();
  }
  return lastInstant;
}
