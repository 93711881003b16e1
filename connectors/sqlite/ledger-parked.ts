import type { Envelope } from '../../core/envelope.ts';
import type {
  ParkedKey,
  ParkedMessage,
  ParkedPage,
  ParkedQuestion,
} from '../../core/ports/ledger.ts';
import type { Database } from './database.ts';
import { columns, messages, toEnvelope } from './ledger-rows.ts';
import type { ListParkedRequest, ReadParkedRequest } from './protocol.ts';
import { beginTurn } from './turn.ts';

/** So many rows are read at once while a page is looked for. */
const rowsAtOnce = 256;
/** So few of a queue are found by its index, and sorted; one that has more has much of all that there is. */
const fewRows = 1_000;

/**
 * The keys with parked messages, in the order of the first parking: by the rows in their order, of which those count that
 * are the first of their key. No further than a turn of the owner goes.
 */
export function findParked(database: Database, request: ParkedQuestion): ParkedPage {
  const { queue, isStopped, limit, after = 0 } = request;
  const mayGoOn = beginTurn();
  const keys: ParkedKey[] = [];
  const few = queue !== undefined && hasFew(database, queue) ? [queue] : [];
  // A queue that has little is not to be looked for among all that others have.
  const where = few.length === 0 ? 'WHERE' : 'INDEXED BY parked_key WHERE queue = ? AND';
  const sql = `SELECT number, queue, key, stopped FROM parked ${where} number > ? ORDER BY number LIMIT ?`;
  let place = after;
  for (;;) {
    const rows = database.all(sql, ...few, place, rowsAtOnce);
    for (const row of rows) {
      if (keys.length >= limit || !mayGoOn()) return { keys, next: place };
      place = Number(row['number']);
      if (queue !== undefined && row['queue'] !== queue) continue;
      if (isStopped !== undefined && (row['stopped'] === 1) !== isStopped) continue;
      const found = readFirst(database, place);
      if (found !== undefined) keys.push(found);
    }
    if (rows.length < rowsAtOnce) return { keys };
  }
}

function hasFew(database: Database, queue: string): boolean {
  const sql = `SELECT count(*) AS count FROM (SELECT 1 FROM parked WHERE queue = ? LIMIT ${fewRows + 1})`;
  return Number(database.get(sql, queue)?.['count']) <= fewRows;
}

/** Undefined where another of its key is before it. */
function readFirst(database: Database, number: number): ParkedKey | undefined {
  const row = database.get(
    `SELECT parked.queue, parked.key, since, id, stopped, held,
       (SELECT count(*) FROM parked AS other
        WHERE other.queue = parked.queue AND other.key = parked.key) AS count
     FROM parked JOIN message ON message.number = parked.message
     WHERE parked.number = ? AND NOT EXISTS (SELECT 1 FROM parked AS other
       WHERE other.queue = parked.queue AND other.key = parked.key AND other.number < parked.number)`,
    number,
  );
  if (row === undefined) return undefined;
  return {
    queue: String(row['queue']),
    key: String(row['key']),
    parked: Number(row['count']),
    firstId: String(row['id']),
    since: String(row['since']),
    isStopped: Number(row['stopped']) === 1,
    ...(row['held'] === null ? {} : { isHeld: true as const }),
  };
}

/** The ids of parked messages, first parked first. */
export function listParked(
  database: Database,
  { queue, limit, after = 0 }: ListParkedRequest,
): readonly ParkedMessage[] {
  // By its number, which needs no sort: most is of one queue.
  const where = queue === undefined ? '' : 'AND +parked.queue = ?';
  return database
    .all(
      `SELECT id, parked.queue, parked.number FROM parked JOIN message ON message.number = parked.message
       WHERE parked.number > ? ${where} ORDER BY parked.number LIMIT ?`,
      after,
      ...(queue === undefined ? [] : [queue]),
      limit,
    )
    .map((row) => ({
      id: String(row['id']),
      queue: String(row['queue']),
      place: Number(row['number']),
    }));
}

/** The parked messages of a key, or of the queue as a whole, with their bytes, first parked first. */
export function readParked(
  database: Database,
  { queue, key, limit }: ReadParkedRequest,
): readonly Envelope[] {
  return database
    .all(
      `SELECT ${columns}, body, reply_to FROM ${messages}
       JOIN parked ON parked.message = message.number
       JOIN content ON content.number = message.content
       WHERE parked.queue = ? ${key === undefined ? '' : 'AND parked.key = ?'}
       ORDER BY parked.number LIMIT ?`,
      queue,
      ...(key === undefined ? [] : [key]),
      limit,
    )
    .map((row) => ({
      ...toEnvelope(row),
      ...(row['reply_to'] === null ? {} : { replyTo: String(row['reply_to']) }),
    }));
}
