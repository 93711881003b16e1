import { hash } from 'node:crypto';
import type { AmqpMessage } from './message.ts';

/** How many lanes a queue may have: powers of two, so that a lane of fewer holds whole lanes of more. */
export const laneCounts = [1, 2, 4, 8, 16, 32] as const;

const mostLanes = 32;

/** The number of lanes that is made where so many were asked for: the next power of two, at most 32. */
export function toLaneCount(lanes: number): number {
  return laneCounts.find((count) => count >= lanes) ?? mostLanes;
}

/** The header by which the server sends a message to its lane, of a queue with so many. */
export function laneHeader(count: number): string {
  // Not `x-…`: a headers exchange leaves those out.
  return `hilum-lane-of-${count}`;
}

/** Which of so many lanes a key belongs to: the first byte of SHA-256 of the key in UTF-8, modulo the count. */
function toLane(key: string, count: number): number {
  return (hash('sha256', key, 'buffer')[0] ?? 0) % count;
}

/** The message with its lane for every count: which one a queue has is known to the server. */
export function withLanes(message: AmqpMessage, key: string): AmqpMessage {
  const slot = toLane(key, mostLanes);
  const headers = { ...message.properties.headers };
  for (const count of laneCounts) if (count > 1) headers[laneHeader(count)] = slot % count;
  return { ...message, properties: { ...message.properties, headers } };
}
