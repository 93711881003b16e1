import type { Envelope } from '../../core/envelope.ts';
import type { PackedChanges } from '../../core/payload-changes.ts';
import type { LedgerCount, MessageState, QueueAge, Trace } from '../../core/ports/ledger.ts';
import type { Database } from './database.ts';
import { compareInstants } from '../../core/ledger/instants.ts';
import { eventKinds, rankOf } from '../../core/ledger/codes.ts';
import { toEvent } from '../../core/ledger/packed-event.ts';
import { columns, eventsOf, messages, toEnvelope, toSummary } from './ledger-rows.ts';
import type { LedgerStore } from './ledger-store.ts';

/** The message with this id, else the newest with this control id, and its whole correlation. */
export function findTrace(database: Database, id: string): Trace | undefined {
  const origin =
    database.get('SELECT correlation_id FROM message WHERE id = ? AND content_type NOT NULL', id) ??
    database.get(
      `SELECT correlation_id FROM message WHERE control_id = ?
       ORDER BY number DESC LIMIT 1`,
      id,
    );
  if (origin === undefined) return undefined;
  const correlation = String(origin['correlation_id']);
  // The first has its own id as its correlation, and the index has only the others.
  const found = database
    .all(
      `SELECT ${columns} FROM ${messages} WHERE id = ? AND correlation_id = id UNION ALL
       SELECT ${columns} FROM ${messages} WHERE correlation_id = ? AND correlation_id <> id`,
      correlation,
      correlation,
    )
    .sort((left, right) => Number(left['number']) - Number(right['number']));
  const events = found.flatMap((message) =>
    database
      .all('SELECT events FROM event WHERE message = ?', Number(message['number']))
      .flatMap(eventsOf)
      .map((packed) => ({ number: packed[0], event: toEvent(packed, String(message['id'])) })),
  );
  events.sort(
    (left, right) =>
      compareInstants(left.event.at, right.event.at) ||
      rankOf(left.event.kind) - rankOf(right.event.kind) ||
      left.number - right.number,
  );
  return { messages: found.map(toSummary), events: events.map(({ event }) => event) };
}

const byControlId = `SELECT ${columns} FROM ${messages} WHERE control_id = ?`;
const newestOne = 'ORDER BY message.number DESC LIMIT 1';

/** The message with this id, else the newest that a partner sent with this control id, with its bytes. */
export function findEnvelope(database: Database, id: string): Envelope | undefined {
  const row =
    database.get(`SELECT ${columns} FROM ${messages} WHERE id = ? AND content_type NOT NULL`, id) ??
    database.get(`${byControlId} AND causation_id IS NULL ${newestOne}`, id) ??
    database.get(`${byControlId} ${newestOne}`, id);
  if (row === undefined) return undefined;
  const content = database.get(
    `SELECT body FROM content JOIN message ON content.number = message.content
     WHERE message.number = ?`,
    Number(row['number']),
  );
  return toEnvelope({ ...row, ...content });
}

/** What the nodes of a flow made of the payload of the message with this id. */
export function findChanges(database: Database, id: string): PackedChanges | undefined {
  const sql = `SELECT changes FROM message JOIN payload_change
    ON payload_change.message = message.number WHERE id = ?`;
  const row = database.get(sql, id);
  return row === undefined ? undefined : { messageId: id, text: String(row['changes']) };
}

/** The states of these messages; unknown ones are absent. */
export function findStates(
  store: LedgerStore,
  ids: readonly string[],
): ReadonlyMap<string, MessageState> {
  const states = new Map<string, MessageState>();
  for (const id of ids) {
    const state = store.stateOf(id);
    if (state !== undefined) states.set(id, state);
  }
  return states;
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

/** The counters of all events. */
export function listCounts(store: LedgerStore): readonly LedgerCount[] {
  const counts: LedgerCount[] = [];
  for (const [interfaceId, queues] of store.counts) {
    for (const [queue, kinds] of queues) {
      for (const [code, { count }] of kinds) {
        const kind = eventKinds[code];
        if (kind !== undefined) counts.push({ interface: interfaceId, queue, kind, count });
      }
    }
  }
  return counts;
}
