import type pg from 'pg';
import { eventKinds, messageStates } from '../../core/ledger/codes.ts';
import type {
  LedgerFilter,
  MessageSummary,
  OrderedPage,
  Page,
  WaitingMessage,
} from '../../core/ports/ledger.ts';
import { columns, messages, toSummary, type MessageRow } from './rows.ts';
import { toText } from './text.ts';

/** How many messages one statement looks at where no index tells them apart. */
const lookedAt = 1_000;

/** A place in the order of receipt, and of arrival within one instant. */
interface Cursor {
  readonly receivedMs: number;
  readonly arrival: number;
}

/** The values of a statement, by the places that name them. */
class Values {
  readonly all: unknown[] = [];

  /** Its place in the statement's text. */
  add(value: unknown): string {
    this.all.push(typeof value === 'string' ? toText(value) : value);
    return `$${this.all.length}`;
  }
}

/**
 * A page of what the filter asks for. As fast with many million messages as with ten where the filter has an index;
 * where it must look at message after message, it does so a thousand at a time, from one end to the other.
 */
export async function findMessages(
  client: pg.Client,
  filter: LedgerFilter,
  { limit: asked, order = 'newest', after }: OrderedPage,
): Promise<readonly MessageSummary[]> {
  const limit = Math.max(0, Math.floor(asked));
  let start = after === undefined ? undefined : await findCursor(client, after);
  if (limit === 0 || (after !== undefined && start === undefined)) return [];
  const owners = await findOwners(client, filter);
  const found: MessageSummary[] = [];
  for (;;) {
    const values = new Values();
    const rest = restOf(filter, values);
    const wanted = rest === '' ? limit - found.length : lookedAt;
    const direction = order === 'oldest' ? 'ASC' : 'DESC';
    const text = `
      WITH candidate AS (
        ${candidatesOf(filter, { owners, order, start, wanted }, values)}
        ORDER BY received_ms ${direction}, arrival ${direction} LIMIT ${wanted})
      SELECT ${columns}, candidate.received_ms, candidate.arrival, (message.id IS NOT NULL) AS fits
      FROM candidate LEFT JOIN (${messages}) ON message.id = candidate.id${rest}
      ORDER BY candidate.received_ms ${direction}, candidate.arrival ${direction}`;
    const { rows } = await client.query<
      MessageRow & {
        readonly received_ms: number;
        readonly arrival: number;
        readonly fits: boolean;
      }
    >(text, values.all);
    for (const row of rows) if (row.fits && found.length < limit) found.push(toSummary(row));
    const last = rows.at(-1);
    if (last === undefined || rows.length < wanted || found.length >= limit) return found;
    start = { receivedMs: last.received_ms, arrival: last.arrival };
  }
}

/** What waits in a queue, who waits longest first. */
export async function findWaiting(
  client: pg.Client,
  queue: string,
  { limit, after }: Page,
): Promise<readonly WaitingMessage[]> {
  const start = after === undefined ? ['', 0] : await findPlace(client, queue, after);
  if (start === undefined) return [];
  const waiting = await client.query<{ readonly id: string; readonly since: string }>({
    name: 'waiting',
    text: `SELECT id, since FROM waiting WHERE queue = $1 AND (since, arrival) > ($2, $3)
        AND EXISTS (SELECT FROM message WHERE message.id = waiting.id)
      ORDER BY since, arrival LIMIT $4`,
    values: [toText(queue), ...start, Math.max(0, Math.floor(limit))],
  });
  const { rows } = await client.query<MessageRow>({
    name: 'waiting-rows',
    text: `SELECT ${columns} FROM ${messages} WHERE message.id = ANY($1)`,
    values: [waiting.rows.map(({ id }) => id)],
  });
  const byId = new Map(rows.map((row) => [row.id, row]));
  return waiting.rows.flatMap(({ id, since }) => {
    const row = byId.get(id);
    return row === undefined ? [] : [{ ...toSummary(row), since }];
  });
}

/** Where in the queue's order a message stands, or stood before it left. */
async function findPlace(
  client: pg.Client,
  queue: string,
  id: string,
): Promise<readonly [string, number] | undefined> {
  const { rows } = await client.query<{ readonly since: string | null; readonly arrival: number }>({
    name: 'place',
    text: `SELECT standing.arrival, coalesce(
        (SELECT since FROM waiting WHERE waiting.id = $2 AND queue = $1),
        (SELECT one ->> 2 FROM event, json_array_elements(events::json) AS one
         WHERE event.id = $2 AND (one ->> 1)::int = ${eventKinds.indexOf('queued')} AND one ->> 3 = $1
         ORDER BY (one ->> 0)::bigint LIMIT 1)) AS since
      FROM standing WHERE standing.id = $2`,
    values: [toText(queue), toText(id)],
  });
  const [row] = rows;
  return row?.since == null ? undefined : [row.since, row.arrival];
}

async function findCursor(client: pg.Client, id: string): Promise<Cursor | undefined> {
  const { rows } = await client.query<Cursor>({
    name: 'cursor',
    text: 'SELECT received_ms AS "receivedMs", arrival FROM message WHERE id = $1',
    values: [toText(id)],
  });
  return rows[0];
}

/** The numbers of the interfaces to look at; undefined: all. */
async function findOwners(
  client: pg.Client,
  { interface: name, queue }: LedgerFilter,
): Promise<readonly number[] | undefined> {
  if (name === undefined && queue === undefined) return undefined;
  const { rows } = await client.query<{ readonly number: number; readonly name: string }>(
    name === undefined
      ? `SELECT number, name FROM interface WHERE name IN (SELECT interface FROM event_count WHERE queue = $1)`
      : 'SELECT number, name FROM interface WHERE name = $1',
    [toText(name ?? queue ?? '')],
  );
  // Events that came before their message are counted under none.
  if (name === undefined && rows.some((row) => row.name === '')) return undefined;
  return rows.map(({ number }) => number);
}

/** The messages by the index that leads to the fewest, from the start on. */
function candidatesOf(
  filter: LedgerFilter,
  options: {
    readonly owners: readonly number[] | undefined;
    readonly order: 'newest' | 'oldest';
    readonly start: Cursor | undefined;
    readonly wanted: number;
  },
  values: Values,
): string {
  const { controlId, key, states, receivedFrom, receivedTo } = filter;
  const { owners, order, start, wanted } = options;
  const bounds: string[] = [];
  if (receivedFrom !== undefined) bounds.push(`received_ms >= ${values.add(toMs(receivedFrom))}`);
  if (receivedTo !== undefined) bounds.push(`received_ms < ${values.add(toMs(receivedTo))}`);
  if (start !== undefined) {
    const sign = order === 'oldest' ? '>' : '<';
    const place = `(${values.add(start.receivedMs)}::bigint, ${values.add(start.arrival)}::bigint)`;
    bounds.push(`(received_ms, arrival) ${sign} ${place}`);
  }
  const where = (first: string): string => [first, ...bounds].filter(Boolean).join(' AND ');
  const whereAll =
    bounds.length === 0
      ? ''
      : `WHERE ${bounds.map((bound) => bound.replace('received_ms', 'received_ms + 0')).join(' AND ')}`;
  const of = (condition: string): string =>
    `SELECT id, received_ms, arrival FROM message${condition === '' ? '' : ` WHERE ${condition}`}`;
  if (controlId !== undefined) return of(where(`control_id = ${values.add(controlId)}`));
  if (key !== undefined) return of(where(`key = ${values.add(key)}`));
  if (owners === undefined && states === undefined) {
    // As the index of all messages has it.
    return `SELECT id, received_ms + 0 AS received_ms, arrival FROM message ${whereAll}`;
  }
  const codes = [
    ...new Set((states ?? messageStates).map((state) => messageStates.indexOf(state))),
  ];
  const direction = order === 'oldest' ? 'ASC' : 'DESC';
  const all =
    owners === undefined
      ? 'SELECT number FROM interface'
      : `SELECT unnest(${values.add(owners)}::int[])`;
  // Each state of each interface is a stretch of the index that is in order.
  return `SELECT found.id, found.received_ms, found.arrival
    FROM (${all}) AS owner(number), unnest(${values.add(codes)}::int[]) AS code(state),
    LATERAL (
      SELECT id, received_ms, arrival FROM standing
      WHERE ${where('standing.state = code.state AND interface = owner.number AND received_ms IS NOT NULL')}
      ORDER BY received_ms ${direction}, arrival ${direction} LIMIT ${wanted}) AS found`;
}

/** What the index leaves to be looked at in each message; empty: nothing. */
function restOf(filter: LedgerFilter, values: Values): string {
  const { controlId, key, interface: name, states, messageType, queue, issueCode } = filter;
  const parts: string[] = [];
  const byIdentity = controlId !== undefined || key !== undefined;
  if (controlId !== undefined && key !== undefined) parts.push(`message.key = ${values.add(key)}`);
  if (byIdentity && name !== undefined) parts.push(`interface.name = ${values.add(name)}`);
  if (byIdentity && states !== undefined) {
    const codes = states.map((state) => messageStates.indexOf(state));
    parts.push(`standing.state = ANY(${values.add(codes)}::int[])`);
  }
  if (messageType?.endsWith('*') === true) {
    parts.push(`starts_with(message_type, ${values.add(messageType.slice(0, -1))})`);
  } else if (messageType !== undefined) {
    parts.push(`message_type = ${values.add(messageType)}`);
  }
  if (queue !== undefined) {
    parts.push(
      `EXISTS (SELECT FROM event, json_array_elements(events::json) AS one
        WHERE event.id = message.id AND one ->> 3 = ${values.add(queue)})`,
    );
  }
  if (issueCode !== undefined) {
    // In a summary the quotation marks would be escaped.
    const text = `"code":${JSON.stringify(issueCode)}`;
    parts.push(
      `EXISTS (SELECT FROM event WHERE event.id = message.id AND strpos(events, ${values.add(text)}) > 0)`,
    );
  }
  return parts.map((part) => ` AND ${part}`).join('');
}

const toMs = (instant: string): number => Date.parse(instant) || 0;
