import type pg from 'pg';
import { messageStates } from '../../core/ledger/codes.ts';
import type { FormerReceipt, ReceivedQuery } from '../../core/ports/ledger.ts';
import { toText } from './text.ts';
import { stateNumber } from './codes.ts';

/** Of a control id that is used for other content again and again, so many are looked at. */
const newest = 64;

const notTaken = [stateNumber('refused'), stateNumber('duplicate')].join(', ');

/**
 * The newest message of the same content that was taken under each control id, else the newest of another. Both are
 * found by an index, and both are bounded: a sender may use one control id for a million messages.
 */
const sql = `
  SELECT asked.position, coalesce(same.id, other.id) AS id, coalesce(same.state, other.state) AS state,
    coalesce(same.received_at, other.received_at) AS received_at, same.id IS NOT NULL AS is_same
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[]) WITH ORDINALITY
    AS asked(interface, control_id, digest, since, since_ms, position)
  JOIN interface ON interface.name = asked.interface
  LEFT JOIN LATERAL (
    SELECT message.id, state, received_at FROM message JOIN standing ON standing.id = message.id
    WHERE message.control_id = asked.control_id AND message.interface = interface.number
      AND message.digest = asked.digest AND message.received_ms >= asked.since_ms
      AND received_at >= asked.since AND state NOT IN (${notTaken})
    ORDER BY message.received_ms DESC, message.arrival DESC LIMIT 1
  ) AS same ON true
  LEFT JOIN LATERAL (
    SELECT recent.id, state, received_at FROM (
      SELECT * FROM message WHERE message.control_id = asked.control_id
        AND message.received_ms >= asked.since_ms
      ORDER BY message.received_ms DESC, message.arrival DESC LIMIT ${newest}) AS recent
    JOIN standing ON standing.id = recent.id
    WHERE same.id IS NULL AND recent.interface = interface.number AND recent.digest IS NOT NULL
      AND received_at >= asked.since AND state NOT IN (${notTaken})
    ORDER BY recent.received_ms DESC, recent.arrival DESC LIMIT 1
  ) AS other ON true
  WHERE same.id IS NOT NULL OR other.id IS NOT NULL`;

/** Most come for the first time, which a look by one index tells. */
const seenSql = `
  SELECT position FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS asked(control_id, since_ms, position)
  WHERE EXISTS (SELECT FROM message
    WHERE message.control_id = asked.control_id AND message.received_ms >= asked.since_ms)`;

/** For each of the queries what came before, where anything did. */
export async function findReceived(
  client: pg.Client,
  queries: readonly ReceivedQuery[],
): Promise<readonly (FormerReceipt | undefined)[]> {
  const seen = await client.query<{ readonly position: number }>({
    name: 'seen',
    text: seenSql,
    values: [queries.map(({ controlId }) => toText(controlId)), queries.map(sinceMs)],
  });
  const positions = seen.rows.map(({ position }) => position - 1);
  const found: (FormerReceipt | undefined)[] = queries.map(() => undefined);
  if (positions.length === 0) return found;
  const asked = positions.flatMap((position) => queries[position] ?? []);
  const receipts = await findReceipts(client, asked);
  for (const [index, position] of positions.entries()) found[position] = receipts[index];
  return found;
}

async function findReceipts(
  client: pg.Client,
  queries: readonly ReceivedQuery[],
): Promise<readonly (FormerReceipt | undefined)[]> {
  const { rows } = await client.query<{
    readonly position: number;
    readonly id: string;
    readonly state: number;
    readonly received_at: string;
    readonly is_same: boolean;
  }>({
    name: 'received',
    text: sql,
    values: [
      queries.map((query) => toText(query.interface)),
      queries.map((query) => toText(query.controlId)),
      queries.map((query) => query.digest),
      queries.map((query) => query.since),
      queries.map(sinceMs),
    ],
  });
  const found: (FormerReceipt | undefined)[] = queries.map(() => undefined);
  for (const row of rows) {
    found[row.position - 1] = {
      id: row.id,
      state: messageStates[row.state] ?? 'received',
      receivedAt: row.received_at,
      hasSameContent: row.is_same,
    };
  }
  return found;
}

const sinceMs = ({ since }: ReceivedQuery): number => Date.parse(since) || 0;
