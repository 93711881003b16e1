import type { Envelope } from '../../core/envelope.ts';
import { packHeld, unpackHeld } from '../../core/held-code.ts';
import type { HeldGroup, HeldMessage, ParkedKey } from '../../core/ports/ledger.ts';
import type { Database } from './database.ts';
import { columns, messages, toEnvelope } from './ledger-rows.ts';
import type { ReadHeldRequest } from './protocol.ts';

/** The keys with parked messages, in the order of the first parking. */
export function findParked(database: Database, queue: string | undefined): readonly ParkedKey[] {
  const where = queue === undefined ? '' : 'WHERE parked.queue = ?';
  return database
    .all(
      `SELECT parked.queue, parked.key, count(*) AS count, min(parked.number) AS first, since, id,
         stopped
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

/** What messages are held for, those first that were set aside first. */
export function findHeld(database: Database): readonly HeldGroup[] {
  return database
    .all(
      `SELECT queue, held, count(*) AS messages, min(number) AS first,
         count(*) + sum((SELECT count(*) FROM parked AS other
           WHERE other.queue = one.queue AND other.key = one.key AND stopped = 0)) AS waiting,
         min(since) AS first_at, max(since) AS last_at,
         json_group_array(message) FILTER (WHERE nth <= 3) AS examples
       FROM (SELECT *, row_number() OVER (PARTITION BY queue, held ORDER BY number) AS nth
             FROM parked WHERE held IS NOT NULL) AS one
       GROUP BY queue, held ORDER BY first LIMIT 10000`,
    )
    .map((row) => {
      const numbers = JSON.parse(String(row['examples'])) as readonly number[];
      const examples = numbers.map((number) =>
        database.get(`SELECT id, interface.name FROM ${messages} WHERE message.number = ?`, number),
      );
      return {
        interface: String(examples[0]?.['name'] ?? ''),
        queue: String(row['queue']),
        codes: unpackHeld(String(row['held'])),
        messages: Number(row['messages']),
        waiting: Number(row['waiting']),
        firstAt: String(row['first_at']),
        lastAt: String(row['last_at']),
        examples: examples.map((each) => String(each?.['id'])),
      };
    });
}

/** The messages of a group, in the order of their setting aside. */
export function readHeld(
  database: Database,
  { queue, codes, limit, after = 0 }: ReadHeldRequest,
): readonly HeldMessage[] {
  return database
    .all(
      `SELECT id, parked.key, parked.number FROM parked JOIN message ON message.number = parked.message
       WHERE parked.number > ? AND held IS NOT NULL AND held = ? AND parked.queue = ?
       ORDER BY parked.number LIMIT ?`,
      after,
      packHeld(codes),
      queue,
      limit,
    )
    .map((row) => ({
      id: String(row['id']),
      key: String(row['key']),
      place: Number(row['number']),
    }));
}
