import type { Envelope } from '../../core/envelope.ts';
import type { ParkedKey } from '../../core/ports/ledger.ts';
import type { Database } from './database.ts';
import { columns, messages, toEnvelope } from './ledger-rows.ts';

/** The keys with parked messages, in the order of the first parking. */
export function findParked(database: Database, queue: string | undefined): readonly ParkedKey[] {
  const where = queue === undefined ? '' : 'WHERE parked.queue = ?';
  return database
    .all(
      `SELECT parked.queue, parked.key, count(*) AS count, min(parked.number) AS first, since, id,
         stopped, held
       FROM parked JOIN message ON message.number = parked.message
       ${where} GROUP BY parked.queue, parked.key ORDER BY first`,
      ...(queue === undefined ? [] : [queue]),
    )
    .map((row) => ({
      queue: String(row['queue']),
      key: String(row['key']),
      parked: Number(row['count']),
      firstId: String(row['id']),
      since: String(row['since']),
      isStopped: Number(row['stopped']) === 1,
      ...(row['held'] === null ? {} : { isHeld: true as const }),
    }));
}

/** The parked messages of a key with their bytes, first parked first. */
export function readParked(
  database: Database,
  { queue, key, limit }: { readonly queue: string; readonly key: string; readonly limit: number },
): readonly Envelope[] {
  return database
    .all(
      `SELECT ${columns}, body, reply_to FROM ${messages}
       JOIN parked ON parked.message = message.number
       JOIN content ON content.number = message.content
       WHERE parked.queue = ? AND parked.key = ? ORDER BY parked.number LIMIT ?`,
      queue,
      key,
      limit,
    )
    .map((row) => ({
      ...toEnvelope(row),
      ...(row['reply_to'] === null ? {} : { replyTo: String(row['reply_to']) }),
    }));
}
