import type pg from 'pg';
import type { Envelope } from '../../core/envelope.ts';
import { eventKinds, messageStates, rankOf } from '../../core/ledger/codes.ts';
import { compareInstants } from '../../core/ledger/instants.ts';
import { toEvent, type PackedEvent } from '../../core/ledger/packed-event.ts';
import type { PackedChanges } from '../../core/payload-changes.ts';
import type { LedgerCount, MessageState, QueueAge, Trace } from '../../core/ports/ledger.ts';
import { columns, messages, toEnvelope, toSummary, type MessageRow } from './rows.ts';
import { toText } from './text.ts';

/** The message with this id, else the newest with this control id, and its whole correlation. */
export async function findTrace(client: pg.Client, id: string): Promise<Trace | undefined> {
  const correlation = await findCorrelation(client, toText(id));
  if (correlation === undefined) return undefined;
  // The first has its own id as its correlation, and the index has only the others. Ids first, and their rows by them:
  // no guess of how many there are can lead through the whole of a table.
  const others = await client.query<{ readonly id: string }>({
    name: 'trace',
    text: 'SELECT id FROM message WHERE correlation_id = $1 AND correlation_id <> id',
    values: [correlation],
  });
  const ids = [correlation, ...others.rows.map(({ id: each }) => each)];
  const { rows } = await client.query<
    MessageRow & { readonly received_ms: number; readonly arrival: number }
  >({
    name: 'trace-rows',
    text: `SELECT ${columns}, message.received_ms, message.arrival FROM ${messages}
      WHERE message.id = ANY($1) AND correlation_id = $2`,
    values: [ids, correlation],
  });
  const found = rows.toSorted(
    (left, right) => left.received_ms - right.received_ms || left.arrival - right.arrival,
  );
  return { messages: found.map(toSummary), events: await readEvents(client, found) };
}

async function findCorrelation(client: pg.Client, id: string): Promise<string | undefined> {
  const byId = await client.query<{ readonly correlation_id: string }>({
    name: 'correlation',
    text: 'SELECT correlation_id FROM message WHERE id = $1',
    values: [id],
  });
  if (byId.rows[0] !== undefined) return byId.rows[0].correlation_id;
  const byControlId = await client.query<{ readonly correlation_id: string }>({
    name: 'correlation-control',
    text: `SELECT correlation_id FROM message WHERE control_id = $1
      ORDER BY received_ms DESC, arrival DESC LIMIT 1`,
    values: [id],
  });
  return byControlId.rows[0]?.correlation_id;
}

async function readEvents(
  client: pg.Client,
  found: readonly MessageRow[],
): Promise<Trace['events']> {
  const { rows } = await client.query<{ readonly id: string; readonly events: string }>({
    name: 'events',
    text: 'SELECT id, events FROM event WHERE id = ANY($1)',
    values: [found.map(({ id }) => id)],
  });
  const events = rows.flatMap(({ id, events: packed }) =>
    (JSON.parse(packed) as readonly PackedEvent[]).map((each) => ({
      number: each[0],
      event: toEvent(each, id),
    })),
  );
  events.sort(
    (left, right) =>
      compareInstants(left.event.at, right.event.at) ||
      rankOf(left.event.kind) - rankOf(right.event.kind) ||
      left.number - right.number,
  );
  return events.map(({ event }) => event);
}

const newestOne = 'ORDER BY received_ms DESC, arrival DESC LIMIT 1';

/** The message with this id, else the newest that a partner sent with this control id, with its bytes. */
export async function findEnvelope(client: pg.Client, id: string): Promise<Envelope | undefined> {
  const found = await readEnvelope(client, toText(id));
  if (found !== undefined) return found;
  for (const [name, where] of [
    ['read-received', `control_id = $1 AND causation_id IS NULL ${newestOne}`],
    ['read-control', `control_id = $1 ${newestOne}`],
  ] as const) {
    const { rows } = await client.query<{ readonly id: string }>({
      name,
      text: `SELECT id FROM message WHERE ${where}`,
      values: [toText(id)],
    });
    if (rows[0] !== undefined) return readEnvelope(client, rows[0].id);
  }
  return undefined;
}

async function readEnvelope(client: pg.Client, id: string): Promise<Envelope | undefined> {
  const { rows } = await client.query<MessageRow & { readonly body: Uint8Array | null }>({
    name: 'read',
    text: `SELECT ${columns}, (SELECT body FROM content WHERE content.id = $1) AS body FROM ${messages}
      WHERE message.id = $1 AND standing.id = $1`,
    values: [id],
  });
  return rows[0] && toEnvelope(rows[0]);
}

/** What the nodes of a flow made of the payload of the message with this id. */
export async function findChanges(
  client: pg.Client,
  id: string,
): Promise<PackedChanges | undefined> {
  const { rows } = await client.query<{ readonly changes: string }>({
    name: 'read-changes',
    text: 'SELECT changes FROM payload_change WHERE id = $1',
    values: [toText(id)],
  });
  return rows[0] && { messageId: id, text: rows[0].changes };
}

/** The states of these messages; unknown ones are absent. */
export async function findStates(
  client: pg.Client,
  ids: readonly string[],
): Promise<ReadonlyMap<string, MessageState>> {
  const { rows } = await client.query<{ readonly id: string; readonly state: number }>({
    name: 'states',
    text: 'SELECT id, state FROM standing WHERE id = ANY($1)',
    values: [ids],
  });
  const found = new Map(rows.map(({ id, state }) => [id, messageStates[state] ?? 'received']));
  return new Map(
    ids.flatMap((id) => {
      const state = found.get(id);
      return state === undefined ? [] : [[id, state] as const];
    }),
  );
}

/** What waits in each queue and since when; a queue in which nothing waits is absent. */
export async function findAges(client: pg.Client): Promise<readonly QueueAge[]> {
  const { rows } = await client.query<{
    readonly queue: string;
    readonly waiting: number;
    readonly since: string | null;
  }>({
    name: 'ages',
    text: `SELECT queue, waiting,
        (SELECT since FROM waiting WHERE waiting.queue = counted.queue ORDER BY since LIMIT 1) AS since
      FROM (SELECT queue, sum(count)::bigint AS waiting FROM waiting_count GROUP BY queue) AS counted
      WHERE waiting > 0`,
  });
  return rows.map(({ queue, waiting, since }) => ({
    queue,
    waiting,
    oldestAt: since ?? undefined,
  }));
}

/** The counters of all events. */
export async function listCounts(client: pg.Client): Promise<readonly LedgerCount[]> {
  const { rows } = await client.query<{
    readonly interface: string;
    readonly queue: string;
    readonly kind: number;
    readonly count: number;
  }>({
    name: 'list-counts',
    text: `SELECT interface, queue, kind, sum(count)::bigint AS count FROM event_count
      GROUP BY interface, queue, kind`,
  });
  return rows.map((row) => ({ ...row, kind: eventKinds[row.kind] ?? 'received' }));
}
