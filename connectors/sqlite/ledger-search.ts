import type { LedgerFilter, WaitingMessage } from '../../core/ports/ledger.ts';
import type { Database, Value } from './database.ts';
import { eventKinds, messageStates } from '../../core/ledger/codes.ts';
import { columns, messages, toSummary } from './ledger-rows.ts';
import type { LedgerStore } from './ledger-store.ts';
import { firstNumberOf } from './message-numbers.ts';
import type { Cursor, FindPage, FindRequest, WaitingRequest } from './protocol.ts';

/** How many messages one request looks at: while it does, nobody else is served. */
const lookedAt = 1_000;

/** A part of an index whose rows are in order of time: their numbers are. */
interface Range {
  readonly where: string;
  readonly values: readonly Value[];
}

/**
 * One page of what the filter asks for, by time of receipt and, within one instant, of arrival. As fast with a
 * million messages as with ten where the filter has an index; where it must look at message after message, it stops
 * after a thousand and says where to go on.
 */
export function findMessages(
  database: Database,
  store: LedgerStore,
  request: FindRequest,
): FindPage {
  const { filter, order } = request;
  const limit = Math.min(lookedAt, Math.max(0, Math.floor(request.limit)));
  const start = toCursor(database, request.after, order);
  if (start === undefined || limit === 0) return { found: [] };
  const ranges = chooseRanges(store, filter);
  const rest = restOf(filter);
  const wanted = rest === undefined ? limit : lookedAt;
  const candidates = ranges
    .flatMap((range) => readRange(database, range, { filter, order, start, limit: wanted }))
    .sort((left, right) => (order === 'oldest' ? left - right : right - left))
    .slice(0, wanted);
  const found: FindPage['found'][number][] = [];
  let last: Cursor | undefined;
  for (const candidate of candidates) {
    if (found.length === limit) break;
    last = candidate;
    const row = database.get(
      `SELECT ${columns} FROM ${messages} WHERE message.number = ?${rest?.where ?? ''}`,
      candidate,
      ...(rest?.values ?? []),
    );
    if (row !== undefined) found.push(toSummary(row));
  }
  const isEnd = candidates.length < wanted && last === candidates.at(-1);
  return last === undefined || isEnd ? { found } : { found, next: last };
}

/** What waits in a queue, who waits longest first. */
export function findWaiting(
  database: Database,
  { queue, limit, after }: WaitingRequest,
): readonly WaitingMessage[] {
  const start = after === undefined ? ['', 0] : findPlace(database, queue, after);
  if (start === undefined) return [];
  return database
    .all(
      `SELECT ${columns}, since FROM ${messages} JOIN waiting ON waiting.message = message.number
       WHERE waiting.queue = ? AND (since, waiting.message) > (?, ?) AND content_type NOT NULL
       ORDER BY since, waiting.message LIMIT ?`,
      queue,
      ...start,
      Math.max(0, Math.floor(limit)),
    )
    .map((row) => ({ ...toSummary(row), since: String(row['since']) }));
}

/** Where in the queue's order a message stands, or stood before it left. */
function findPlace(database: Database, queue: string, id: string): Value[] | undefined {
  const row = database.get(
    `SELECT number, coalesce(
       (SELECT since FROM waiting WHERE waiting.message = number AND queue = ?),
       (SELECT json_extract(one.value, '$[2]') FROM event, json_each(events) AS one
        WHERE event.message = message.number AND json_extract(one.value, '$[1]') = ${queued}
          AND json_extract(one.value, '$[3]') = ? ORDER BY json_extract(one.value, '$[0]') LIMIT 1))
       AS since
     FROM message WHERE id = ?`,
    queue,
    queue,
    id,
  );
  const since = row?.['since'];
  return typeof since === 'string' ? [since, Number(row?.['number'])] : undefined;
}

const queued = eventKinds.indexOf('queued');

/** Where to start; undefined where that message is unknown. */
function toCursor(
  database: Database,
  after: string | Cursor | undefined,
  order: FindRequest['order'],
): Cursor | undefined {
  if (typeof after === 'number') return after;
  if (after === undefined) return order === 'oldest' ? -1 : Number.MAX_SAFE_INTEGER;
  const row = database.get(
    'SELECT number FROM message WHERE id = ? AND content_type NOT NULL',
    after,
  );
  return row && Number(row['number']);
}

/** The index that leads to the fewest, as one or more parts that are each in order. */
function chooseRanges(store: LedgerStore, filter: LedgerFilter): readonly Range[] {
  const { controlId, key, states } = filter;
  if (controlId !== undefined) return [{ where: 'control_id = ?', values: [controlId] }];
  if (key !== undefined) return [{ where: 'key = ?', values: [key] }];
  const interfaces = interfacesOf(store, filter);
  if (interfaces === undefined && states === undefined) return [{ where: 'TRUE', values: [] }];
  const names = interfaces ?? [...store.interfaces.keys()];
  const codes = new Set((states ?? messageStates).map((state) => messageStates.indexOf(state)));
  return names.flatMap((name) => {
    const number = store.interfaces.get(name);
    if (number === undefined) return [];
    return [...codes].map((code) => ({
      where: 'state = ? AND interface = ?',
      values: [code, number],
    }));
  });
}

/** The interfaces to look at; undefined: all. */
function interfacesOf(
  store: LedgerStore,
  { interface: name, queue }: LedgerFilter,
): readonly string[] | undefined {
  if (name !== undefined) return [name];
  if (queue === undefined) return undefined;
  const names = [...store.counts].filter(([, queues]) => queues.has(queue)).map(([each]) => each);
  // Events that came before their message are counted under none.
  return names.includes('') ? undefined : names;
}

function readRange(
  database: Database,
  { where, values }: Range,
  options: Pick<FindRequest, 'filter' | 'order' | 'limit'> & { readonly start: Cursor },
): readonly Cursor[] {
  const { filter, order, limit, start } = options;
  const { receivedFrom, receivedTo } = filter;
  const isOldest = order === 'oldest';
  const from = receivedFrom === undefined ? 0 : firstNumberOf(receivedFrom);
  const to = receivedTo === undefined ? Number.MAX_SAFE_INTEGER : firstNumberOf(receivedTo);
  return database
    .all(
      `SELECT number FROM message
       WHERE ${where} AND content_type NOT NULL AND number >= ? AND number < ?
       ORDER BY number${isOldest ? '' : ' DESC'} LIMIT ?`,
      ...values,
      isOldest ? Math.max(from, start + 1) : from,
      isOldest ? to : Math.min(to, start),
      limit,
    )
    .map((row) => Number(row['number']));
}

/** What the ranges leave to be looked at in each message; undefined: nothing. */
function restOf(filter: LedgerFilter): Range | undefined {
  const { controlId, key, interface: name, states, messageType, queue, issueCode } = filter;
  const parts: Range[] = [];
  const add = (where: string, ...values: readonly Value[]): void => {
    parts.push({ where, values });
  };
  const byIdentity = controlId !== undefined || key !== undefined;
  if (controlId !== undefined && key !== undefined) add('message.key = ?', key);
  if (byIdentity && name !== undefined) add('interface.name = ?', name);
  if (byIdentity && states !== undefined) {
    const codes = states.map((state) => messageStates.indexOf(state));
    add(`state IN (${codes.join(', ')})`);
  }
  if (messageType?.endsWith('*') === true) {
    const prefix = messageType.slice(0, -1);
    add('substr(message_type, 1, length(?)) = ?', prefix, prefix);
  } else if (messageType !== undefined) {
    add('message_type = ?', messageType);
  }
  if (queue !== undefined) {
    add(
      `EXISTS (SELECT 1 FROM event, json_each(events) AS one
       WHERE event.message = message.number AND json_extract(one.value, '$[3]') = ?)`,
      queue,
    );
  }
  if (issueCode !== undefined) {
    add(
      // In a summary the quotation marks would be escaped.
      `EXISTS (SELECT 1 FROM event WHERE event.message = message.number AND instr(events, ?) > 0)`,
      `"code":${JSON.stringify(issueCode)}`,
    );
  }
  if (parts.length === 0) return undefined;
  return {
    where: parts.map(({ where }) => ` AND ${where}`).join(''),
    values: parts.flatMap(({ values }) => values),
  };
}
