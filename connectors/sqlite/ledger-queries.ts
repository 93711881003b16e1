import type { Envelope, EnvelopeHeader } from '../../core/envelope.ts';
import type { Issue } from '../../core/issue.ts';
import type {
  LedgerCount,
  LedgerEvent,
  MessageState,
  MessageSummary,
  ParkedKey,
  QueueAge,
  Trace,
} from '../../core/ports/ledger.ts';
import type { Database, Row } from './database.ts';
import { compareInstants } from './instants.ts';
import { eventKinds, messageStates, rankOf } from './ledger-codes.ts';
import type { LedgerStore } from './ledger-store.ts';
import type { RecentOptions } from './protocol.ts';

const columns = `message.number, id, interface.name AS interface, state, last_event_at, content_type,
  message_type, control_id, message.key, correlation_id, causation_id, received_at, attempt, charset,
  bytes`;
const messages = `message JOIN interface ON interface.number = message.interface`;

/** The message with this id, else the newest with this control id, and its whole correlation. */
export function findTrace(database: Database, id: string): Trace | undefined {
  const origin =
    database.get('SELECT correlation_id FROM message WHERE id = ? AND content_type NOT NULL', id) ??
    database.get(
      'SELECT correlation_id FROM message WHERE control_id = ? ORDER BY number DESC LIMIT 1',
      id,
    );
  if (origin === undefined) return undefined;
  const found = database.all(
    `SELECT ${columns} FROM ${messages} WHERE correlation_id = ? ORDER BY message.number`,
    String(origin['correlation_id']),
  );
  const events = found.flatMap((message) =>
    database
      .all('SELECT * FROM event WHERE message = ? ORDER BY number', Number(message['number']))
      .map((row) => ({
        number: Number(row['number']),
        event: toEvent(row, String(message['id'])),
      })),
  );
  events.sort(
    (left, right) =>
      compareInstants(left.event.at, right.event.at) ||
      rankOf(left.event.kind) - rankOf(right.event.kind) ||
      left.number - right.number,
  );
  return { messages: found.map(toSummary), events: events.map(({ event }) => event) };
}

/** The message with this id, else the newest that a partner sent with this control id, with its bytes. */
export function findEnvelope(database: Database, id: string): Envelope | undefined {
  const row =
    database.get(`SELECT ${columns} FROM ${messages} WHERE id = ? AND content_type NOT NULL`, id) ??
    database.get(
      `SELECT ${columns} FROM ${messages} WHERE control_id = ?
       ORDER BY causation_id IS NULL DESC, message.number DESC LIMIT 1`,
      id,
    );
  if (row === undefined) return undefined;
  const content = database.get('SELECT body FROM content WHERE message = ?', Number(row['number']));
  return toEnvelope({ ...row, ...content });
}

/** The states of these messages; unknown ones are absent. */
export function findStates(
  database: Database,
  ids: readonly string[],
): ReadonlyMap<string, MessageState> {
  const states = new Map<string, MessageState>();
  for (const id of ids) {
    const row = database.get('SELECT state FROM message WHERE id = ?', id);
    if (row !== undefined) states.set(id, toState(row));
  }
  return states;
}

/**
 * The newest messages. As fast with a million as with ten: each state of an interface is one range of
 * the index, read from its end, and the ranges are merged.
 */
export function findRecent(
  database: Database,
  store: LedgerStore,
  options: RecentOptions,
): readonly MessageSummary[] {
  const limit = Math.max(0, Math.floor(options.limit));
  const before = findBefore(database, options.before);
  if (before === undefined) return [];
  if (options.interface === undefined && options.state === undefined) {
    return database
      .all(
        `SELECT ${columns} FROM ${messages} WHERE message.number < ? AND content_type NOT NULL
         ORDER BY message.number DESC LIMIT ?`,
        before,
        limit,
      )
      .map(toSummary);
  }
  const states =
    options.state === undefined ? messageStates.keys() : [messageStates.indexOf(options.state)];
  const interfaces =
    options.interface === undefined
      ? [...store.interfaces.values()]
      : [store.interfaces.get(options.interface) ?? 0];
  const numbers: number[] = [];
  for (const state of states) {
    for (const number of interfaces) {
      for (const row of database.all(
        `SELECT number FROM message WHERE state = ? AND interface = ? AND number < ?
         AND content_type NOT NULL ORDER BY number DESC LIMIT ?`,
        state,
        number,
        before,
        limit,
      )) {
        numbers.push(Number(row['number']));
      }
    }
  }
  return numbers
    .sort((left, right) => right - left)
    .slice(0, limit)
    .flatMap((number) =>
      database.all(`SELECT ${columns} FROM ${messages} WHERE message.number = ?`, number),
    )
    .map(toSummary);
}

/** What waits in each queue and since when; a queue in which nothing waits is absent. */
export function findAges(database: Database, store: LedgerStore): readonly QueueAge[] {
  const ages: QueueAge[] = [];
  for (const [queue, waiting] of store.waiting) {
    if (waiting === 0) continue;
    const oldest = database.get('SELECT min(since) AS since FROM waiting WHERE queue = ?', queue);
    const since = oldest?.['since'];
    ages.push({ queue, waiting, oldestAt: typeof since === 'string' ? since : undefined });
  }
  return ages;
}

/** The keys with parked messages, in the order of the first parking. */
export function findParked(database: Database, queue: string | undefined): readonly ParkedKey[] {
  return database
    .all(
      `SELECT parked.queue, parked.key, count(*) AS count, min(parked.number) AS first, since, id,
         stopped
       FROM parked JOIN message ON message.number = parked.message
       WHERE parked.queue = coalesce(?, parked.queue)
       GROUP BY parked.queue, parked.key ORDER BY first`,
      queue ?? null,
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
      `SELECT ${columns}, body FROM ${messages}
       JOIN parked ON parked.message = message.number
       JOIN content ON content.message = parked.message
       WHERE parked.queue = ? AND parked.key = ? ORDER BY parked.number LIMIT ?`,
      queue,
      key,
      limit,
    )
    .map(toEnvelope);
}

/** The counters of all events. */
export function listCounts(store: LedgerStore): readonly LedgerCount[] {
  const counts: LedgerCount[] = [];
  for (const [interfaceId, queues] of store.counts) {
    for (const [queue, kinds] of queues) {
      for (const [code, count] of kinds) {
        const kind = eventKinds[code];
        if (kind !== undefined) counts.push({ interface: interfaceId, queue, kind, count });
      }
    }
  }
  return counts;
}

/** The number that `before` stands for; undefined where there is no such message. */
function findBefore(database: Database, before: string | undefined): number | undefined {
  if (before === undefined) return Number.MAX_SAFE_INTEGER;
  const row = database.get('SELECT number FROM message WHERE id = ?', before);
  return row === undefined ? undefined : Number(row['number']);
}

function toState(row: Row): MessageState {
  return messageStates[Number(row['state'])] ?? 'received';
}

function toHeader(row: Row): EnvelopeHeader {
  return {
    id: String(row['id']),
    interface: String(row['interface']),
    contentType: String(row['content_type']),
    ...optional(row, 'message_type', 'messageType'),
    ...optional(row, 'control_id', 'controlId'),
    ...optional(row, 'key', 'key'),
    correlationId: String(row['correlation_id']),
    ...optional(row, 'causation_id', 'causationId'),
    receivedAt: String(row['received_at']),
    attempt: Number(row['attempt']),
    ...optional(row, 'charset', 'charset'),
  };
}

function toEnvelope(row: Row): Envelope {
  const { body } = row;
  return { ...toHeader(row), body: body instanceof Uint8Array ? body : new Uint8Array() };
}

function toSummary(row: Row): MessageSummary {
  return {
    ...toHeader(row),
    state: toState(row),
    bytes: Number(row['bytes']),
    lastEventAt: String(row['last_event_at']),
  };
}

function toEvent(row: Row, messageId: string): LedgerEvent {
  const issues = row['issues'];
  const attempt = row['attempt'];
  return {
    messageId,
    kind: eventKinds[Number(row['kind'])] ?? 'received',
    at: String(row['at']),
    ...optional(row, 'queue', 'queue'),
    ...(attempt == null ? {} : { attempt: Number(attempt) }),
    ...optional(row, 'summary', 'summary'),
    ...(typeof issues === 'string' ? { issues: JSON.parse(issues) as readonly Issue[] } : {}),
  };
}

/** A text column under the name of its field; nothing where it is NULL, since the field is then absent. */
function optional<Field extends string>(
  row: Row,
  column: string,
  field: Field,
): Partial<Record<Field, string>> {
  const value = row[column];
  return typeof value === 'string' ? ({ [field]: value } as Record<Field, string>) : {};
}
