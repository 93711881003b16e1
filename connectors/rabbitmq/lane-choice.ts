import { hash } from 'node:crypto';
import type { QueueOrder } from '../../core/ports/broker.ts';
import type { AmqpMessage } from './message.ts';

/** Each lane is a quorum queue of its own: more cost the server more than they spread. */
const mostLanes = 32;

/** How many lanes a queue has: 0 where it is not in order, at most 32. */
export function toLaneCount(order: QueueOrder | undefined): number {
  return order === undefined ? 0 : Math.min(mostLanes, Math.max(1, Math.floor(order.lanes)));
}

/** Which of so many lanes a key belongs to: the first 4 bytes of SHA-256 of the key in UTF-8, modulo the count. */
export function toLane(key: string, count: number): number {
  return hash('sha256', key, 'buffer').readUInt32BE() % count;
}

/** It was put into a lane by whoever published it; what has it not came on another way, and is moved into its lane. */
const laneHeader = 'x-hilum-lane';

export function withLane(message: AmqpMessage, lane: number): AmqpMessage {
  const headers = { ...message.properties.headers, [laneHeader]: lane };
  return { ...message, properties: { ...message.properties, headers } };
}

export function hasLane(headers: Readonly<Record<string, unknown>> | undefined): boolean {
  return headers?.[laneHeader] !== undefined;
}

/** A message for nobody: whoever it is delivered to has the lane. */
const announcementHeader = 'x-hilum-announcement';

export function buildAnnouncement(): AmqpMessage {
  const headers = { [announcementHeader]: true };
  return { body: Buffer.alloc(0), properties: { headers, persistent: true, mandatory: true } };
}

export function isAnnouncement(headers: Readonly<Record<string, unknown>> | undefined): boolean {
  return headers?.[announcementHeader] !== undefined;
}
