import type pg from 'pg';
import type { Interfaces } from './interfaces.ts';
import { toColumns, toInsertion, type TableChange } from './statement.ts';
import { toText, toTextOrNull } from './text.ts';
import type { Arrived, Touched } from './touched.ts';
import type { Work } from './work.ts';

/**
 * What has become of the messages of a transaction, as changes of the tables. What nearly every transaction changes is
 * there although it has no rows: each choice of tables is one more statement to be planned and kept.
 */
export function toChanges(
  work: Work,
  { interfaces, writer }: { readonly interfaces: Interfaces; readonly writer: number },
): readonly TableChange[] {
  const { touched } = work;
  return [
    ...toStandings(touched, interfaces),
    ...toMessages(touched, interfaces),
    toEvents(touched),
    ...toPayloadChanges(touched),
    ...toWaits(touched),
    ...toParkings(touched),
    ...toCounts(work, writer),
  ];
}

/** Takes out what is set aside of messages of which that has changed: it is put in anew, which one statement cannot do. */
export async function endParkings(client: pg.Client, touched: readonly Touched[]): Promise<void> {
  const ids = touched.filter(({ hasNewParkings }) => hasNewParkings).map(({ id }) => id);
  if (ids.length === 0) return;
  const text = 'DELETE FROM parked WHERE id = ANY($1)';
  await client.query({ name: 'parked-over', text, values: [ids] });
}

const standing = {
  table: 'standing',
  types: ['text', 'int', 'smallint', 'text', 'text', 'bigint', 'bigint'],
} as const;
// An UPDATE would open every part of the table.
const standsOtherwise = `ON CONFLICT (id) DO UPDATE SET interface = excluded.interface, state = excluded.state,
  state_at = excluded.state_at, last_event_at = excluded.last_event_at, received_ms = excluded.received_ms,
  arrival = excluded.arrival`;

function toStandings(touched: readonly Touched[], interfaces: Interfaces): readonly TableChange[] {
  const toRow = (row: Touched) => [
    ...[row.id, numberOf(row, interfaces), row.state, toText(row.stateAt)],
    ...[toText(row.lastEventAt), row.receivedMs ?? null, row.arrival],
  ];
  const made = touched.filter(({ isNew }) => isNew).map(toRow);
  const rows = touched.filter(({ isNew }) => !isNew).map(toRow);
  return [
    // Where another has made one meanwhile it fails, and the transaction is made again.
    ...(made.length === 0 ? [] : [toInsertion('standing_new', { ...standing, rows: made })]),
    ...(rows.length === 0
      ? []
      : [toInsertion('standing_changed', { ...standing, rows, onConflict: standsOtherwise })]),
  ];
}

function toMessages(touched: readonly Touched[], interfaces: Interfaces): readonly TableChange[] {
  const arrived = touched.flatMap((row) =>
    row.arrived === undefined ? [] : [{ row, arrived: row.arrived }],
  );
  if (arrived.length === 0) return [];
  return [
    toInsertion('message_new', {
      table: 'message',
      types: [
        ...['text', 'int', 'bigint', 'bigint', 'text', 'text', 'text', 'text', 'text', 'text'],
        ...['text', 'int', 'text', 'text', 'int', 'text'],
      ],
      rows: arrived.map((each) =>
        toMessageRow(each.row, each.arrived, numberOf(each.row, interfaces)),
      ),
    }),
    toBodies(arrived.map(({ row, arrived: { body } }) => ({ id: row.id, body }))),
  ];
}

function toMessageRow(row: Touched, { header, body, digest }: Arrived, owner: number) {
  return [
    row.id,
    owner,
    row.receivedMs ?? 0,
    row.arrival,
    toText(header.receivedAt),
    toText(header.contentType),
    toTextOrNull(header.messageType),
    toTextOrNull(header.controlId),
    toTextOrNull(header.key),
    toText(header.correlationId),
    toTextOrNull(header.causationId),
    header.attempt,
    toTextOrNull(header.charset),
    toTextOrNull(header.replyTo),
    body.length,
    toTextOrNull(digest),
  ];
}

/** As one piece that the server cuts: an array of bytes would travel as text of twice the length. */
function toBodies(
  bodies: readonly { readonly id: string; readonly body: Uint8Array }[],
): TableChange {
  let start = 1;
  const rows = bodies.map(({ id, body }) => {
    const row = [id, start, body.length];
    start += body.length;
    return row;
  });
  return {
    name: 'content_new',
    text: `INSERT INTO content SELECT id, substring($4::bytea FROM start FOR length)
      FROM (SELECT unnest($1::text[]) AS id, unnest($2::int[]) AS start, unnest($3::int[]) AS length) AS given`,
    values: [...toColumns(3, rows), Buffer.concat(bodies.map(({ body }) => body))],
  };
}

function toEvents(touched: readonly Touched[]): TableChange {
  return toInsertion('event_new', {
    table: 'event',
    types: ['text', 'bigint', 'smallint', 'text'],
    rows: touched
      .filter(({ events }) => events.length > 0)
      .map(({ id, events }) => [id, events[0]?.[0] ?? 0, events.length, JSON.stringify(events)]),
  });
}

function toPayloadChanges(touched: readonly Touched[]): readonly TableChange[] {
  const rows = touched.flatMap(({ id, changes }) =>
    changes === undefined ? [] : [[id, toText(changes)]],
  );
  if (rows.length === 0) return [];
  const onConflict = 'ON CONFLICT (id) DO UPDATE SET changes = excluded.changes';
  const types = ['text', 'text'];
  return [toInsertion('payload_changed', { table: 'payload_change', types, rows, onConflict })];
}

function toWaits(touched: readonly Touched[]): readonly TableChange[] {
  const over: string[] = [];
  const made: (string | number)[][] = [];
  for (const { id, waits, waitsBefore, arrival } of touched) {
    for (const [queue, { place }] of waitsBefore) if (!waits.has(queue)) over.push(place);
    for (const [queue, since] of waits) {
      if (!waitsBefore.has(queue)) made.push([id, toText(queue), toText(since), arrival]);
    }
  }
  return [
    {
      name: 'waiting_over',
      text: 'DELETE FROM waiting WHERE ctid = ANY($1::tid[])',
      values: [over],
    },
    toInsertion('waiting_new', {
      table: 'waiting',
      types: ['text', 'text', 'text', 'bigint'],
      rows: made,
    }),
  ];
}

function toParkings(touched: readonly Touched[]): readonly TableChange[] {
  const rows = touched
    .filter(({ hasNewParkings }) => hasNewParkings)
    .flatMap(({ id, parkings }) =>
      [...parkings].map(([queue, { number, key, since, isStopped, held }]) => [
        ...[number, toText(queue), toText(key), id, toText(since)],
        ...[isStopped, toTextOrNull(held)],
      ]),
    );
  if (rows.length === 0) return [];
  const types = ['bigint', 'text', 'text', 'text', 'text', 'boolean', 'text'];
  return [toInsertion('parked_new', { table: 'parked', types, rows })];
}

function toCounts({ counts, waiting }: Work, writer: number): readonly TableChange[] {
  return [
    toInsertion('counted', {
      table: 'event_count',
      types: ['text', 'text', 'smallint', 'int', 'bigint'],
      rows: counts.map((each) => [
        ...[toText(each.interface), toText(each.queue), each.kind, writer, each.count],
      ]),
      onConflict: `ON CONFLICT (interface, queue, kind, writer)
        DO UPDATE SET count = event_count.count + excluded.count`,
    }),
    toInsertion('waiting_counted', {
      table: 'waiting_count',
      types: ['text', 'int', 'bigint'],
      rows: waiting.map(([queue, count]) => [toText(queue), writer, count]),
      onConflict:
        'ON CONFLICT (queue, writer) DO UPDATE SET count = waiting_count.count + excluded.count',
    }),
  ];
}

/** Of its interface: this transaction knows those of the messages that it brings. */
function numberOf(
  { interface: name, interfaceNumber, arrived }: Touched,
  interfaces: Interfaces,
): number {
  return (arrived === undefined ? interfaceNumber : undefined) ?? interfaces.numberOf(name);
}
