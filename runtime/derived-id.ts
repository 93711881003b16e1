import { hash } from 'node:crypto';

/**
 * The id that a parent and these parts always give: a UUID (version 8) that begins with the time of the
 * parent's id, for the ledger's index, and goes on with a SHA-256 of them all. What a retried flow sends
 * again gets the same id, so it is taken once.
 */
export function deriveId(parentId: string, ...parts: readonly string[]): string {
  const bytes = hash('sha256', JSON.stringify([parentId, ...parts]), 'buffer');
  bytes.write(parentId.replaceAll('-', '').slice(0, 12), 0, 'hex');
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return toUuid(bytes.toString('hex', 0, 16));
}

/** 32 hexadecimal digits in the usual five groups. */
export function toUuid(hex: string): string {
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join('-');
}
