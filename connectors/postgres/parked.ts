import type pg from 'pg';
import type { Envelope } from '../../core/envelope.ts';
import type { ParkedMessage, ParkedPage, ParkedQuestion } from '../../core/ports/ledger.ts';
import { columns, toEnvelope, type MessageRow } from './rows.ts';
import { toText } from './text.ts';

/** So many rows one question looks at, whatever it finds among them; of a queue, of its own. */
const rowsAtOnce = 5_000;

/**
 * The keys with parked messages, in the order of the first parking: by the rows in their order, of which those count that
 * are the first of their key.
 */
export async function findParked(
  client: pg.Client,
  { queue, isStopped, limit, after = 0 }: ParkedQuestion,
): Promise<ParkedPage> {
  const { rows } = await client.query<{
    readonly queue: string;
    readonly key: string;
    readonly parked: number;
    readonly id: string | null;
    readonly since: string;
    readonly stopped: boolean;
    readonly is_held: boolean;
    readonly place: number;
    readonly last: number;
    readonly seen: number;
  }>({
    name: queue === undefined ? 'parked-all' : 'parked-of',
    // The subquery finds the first of a key by its index; as a join it might sort all. A queue that has little is not to
    // be looked for among all that others have.
    text: `WITH seen AS MATERIALIZED (
        SELECT * FROM parked WHERE number > $1 ${queue === undefined ? '' : 'AND queue = $4'}
        ORDER BY number LIMIT ${rowsAtOnce}),
      found AS (
        SELECT * FROM seen WHERE ($2::boolean IS NULL OR stopped = $2)
          AND number = (SELECT min(number) FROM parked AS first
            WHERE first.queue = seen.queue AND first.key = seen.key)
        ORDER BY number LIMIT $3)
      SELECT queue, key, id, since, stopped, held IS NOT NULL AS is_held, number AS place, all_seen.*,
        (SELECT count(*) FROM parked AS other WHERE other.queue = found.queue AND other.key = found.key) AS parked
      FROM (SELECT max(number) AS last, count(*) AS seen FROM seen) AS all_seen LEFT JOIN found ON true
      ORDER BY number`,
    values: [after, isStopped ?? null, limit, ...(queue === undefined ? [] : [toText(queue)])],
  });
  const keys = rows.flatMap(
    ({ id, is_held: isHeld, stopped, place: _, last: __, seen: ___, ...rest }) =>
      id === null
        ? []
        : [
            {
              ...rest,
              firstId: id,
              isStopped: stopped,
              ...(isHeld ? { isHeld: true as const } : {}),
            },
          ],
  );
  const [first] = rows;
  const last = rows.at(-1);
  if (keys.length >= limit && last !== undefined) return { keys, next: last.place };
  return first !== undefined && first.seen >= rowsAtOnce ? { keys, next: first.last } : { keys };
}

/** The ids of parked messages, first parked first. */
export async function listParked(
  client: pg.Client,
  queue: string | undefined,
  { limit, after = 0 }: { readonly limit: number; readonly after?: number },
): Promise<readonly ParkedMessage[]> {
  const { rows } = await client.query<ParkedMessage>({
    name: queue === undefined ? 'list-parked' : 'list-parked-of',
    text: `SELECT id, queue, number AS place FROM parked
      WHERE number > $1 ${queue === undefined ? '' : 'AND queue = $3'} ORDER BY number LIMIT $2`,
    values: [after, limit, ...(queue === undefined ? [] : [toText(queue)])],
  });
  return rows;
}

/** The parked messages of a key, or of the queue as a whole, with their bytes, first parked first. */
export async function readParked(
  client: pg.Client,
  {
    queue,
    key,
    limit,
  }: { readonly queue: string; readonly key: string | undefined; readonly limit: number },
): Promise<readonly Envelope[]> {
  const { rows } = await client.query<
    MessageRow & { readonly body: Uint8Array | null; readonly reply_to: string | null }
  >({
    name: key === undefined ? 'read-parked-of-queue' : 'read-parked',
    text: `SELECT ${columns}, body, reply_to FROM parked JOIN message ON message.id = parked.id
        JOIN standing ON standing.id = message.id JOIN interface ON interface.number = message.interface
      LEFT JOIN content ON content.id = message.id
      WHERE parked.queue = $1 ${key === undefined ? '' : 'AND parked.key = $3'}
      ORDER BY parked.number LIMIT $2`,
    values: [
      toText(queue),
      Math.max(0, Math.floor(limit)),
      ...(key === undefined ? [] : [toText(key)]),
    ],
  });
  return rows.map((row) => ({
    ...toEnvelope(row),
    ...(row.reply_to === null ? {} : { replyTo: row.reply_to }),
  }));
}
