import type pg from 'pg';
import type { Interfaces } from './interfaces.ts';
import { toColumns, type TableChange } from './statement.ts';
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

function toStandings(touched: readonly Touched[], interfaces: Interfaces): TableChange[] {
  const given = `SELECT unnest($1::text[]), unnest($2::int[]), unnest($3::int[]), unnest($4::text[]), unnest($5::text[]),
    unnest($6::bigint[]), unnest($7::bigint[])`;
  const changes = [
    // Where another has made one meanwhile it fails, and the transaction is made again.
    { name: 'standing_new', isNew: true, text: `INSERT INTO standing ${given}` },
    {
      name: 'standing',
      isNew: false,
      // Those that are there: an UPDATE would open every part of the table.
      text: `INSERT INTO standing ${given} ON CONFLICT (id) DO UPDATE SET interface = excluded.interface,
        state = excluded.state, state_at = excluded.state_at, last_event_at = excluded.last_event_at,
        received_ms = excluded.received_ms, arrival = excluded.arrival`,
    },
  ] as const;
  return changes.flatMap(({ name, isNew, text }) => {
    const rows = touched
      .filter((each) => each.isNew === isNew)
      .map((row) => [
        ...[row.id, numberOf(row, interfaces), row.state, toText(row.stateAt)],
        ...[toText(row.lastEventAt), row.receivedMs ?? null, row.arrival],
      ]);
    return rows.length === 0 ? [] : [{ name, text, values: toColumns(7, rows) }];
  });
}

function toMessages(touched: readonly Touched[], interfaces: Interfaces): TableChange[] {
  const arrived = touched.flatMap((row) =>
    row.arrived === undefined ? [] : [{ row, arrived: row.arrived }],
  );
  if (arrived.length === 0) return [];
  const rows = arrived.map(({ row, arrived: message }) =>
    toMessageRow(row, message, numberOf(row, interfaces)),
  );
  const message = {
    name: 'message_new',
    text: `INSERT INTO message SELECT unnest($1::text[]), unnest($2::int[]), unnest($3::bigint[]), unnest($4::bigint[]), unnest($5::text[]), unnest($6::text[]), unnest($7::text[]), unnest($8::text[]), unnest($9::text[]), unnest($10::text[]), unnest($11::text[]), unnest($12::int[]), unnest($13::text[]), unnest($14::text[]), unnest($15::int[]), unnest($16::text[])`,
    values: toColumns(16, rows),
  };
  return [message, toBodies(arrived.map(({ row, arrived: { body } }) => ({ id: row.id, body })))];
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
  const rows = touched
    .filter(({ events }) => events.length > 0)
    .map(({ id, events }) => [id, events[0]?.[0] ?? 0, events.length, JSON.stringify(events)]);
  return {
    name: 'event_new',
    text: 'INSERT INTO event SELECT unnest($1::text[]), unnest($2::bigint[]), unnest($3::int[]), unnest($4::text[])',
    values: toColumns(4, rows),
  };
}

function toPayloadChanges(touched: readonly Touched[]): TableChange[] {
  const rows = touched.flatMap(({ id, changes }) =>
    changes === undefined ? [] : [[id, toText(changes)]],
  );
  if (rows.length === 0) return [];
  return [
    {
      name: 'payload_changed',
      text: `INSERT INTO payload_change SELECT unnest($1::text[]), unnest($2::text[])
        ON CONFLICT (id) DO UPDATE SET changes = excluded.changes`,
      values: toColumns(2, rows),
    },
  ];
}

function toWaits(touched: readonly Touched[]): readonly TableChange[] {
  const over: string[][] = [];
  const made: (string | number)[][] = [];
  for (const { id, waits, waitsBefore, arrival } of touched) {
    for (const queue of waitsBefore.keys()) if (!waits.has(queue)) over.push([id, toText(queue)]);
    for (const [queue, since] of waits) {
      if (!waitsBefore.has(queue)) made.push([id, toText(queue), toText(since), arrival]);
    }
  }
  return [
    {
      name: 'waiting_over',
      text: `DELETE FROM waiting USING (SELECT unnest($1::text[]) AS id, unnest($2::text[]) AS queue) AS given
        WHERE waiting.id = given.id AND waiting.queue = given.queue`,
      values: toColumns(2, over),
    },
    {
      name: 'waiting_new',
      text: 'INSERT INTO waiting SELECT unnest($1::text[]), unnest($2::text[]), unnest($3::text[]), unnest($4::bigint[])',
      values: toColumns(4, made),
    },
  ];
}

function toParkings(touched: readonly Touched[]): TableChange[] {
  const rows = touched
    .filter(({ hasNewParkings }) => hasNewParkings)
    .flatMap(({ id, parkings }) =>
      [...parkings].map(([queue, { number, key, since, isStopped }]) => [
        ...[number, toText(queue), toText(key), id, toText(since)],
        isStopped,
      ]),
    );
  if (rows.length === 0) return [];
  return [
    {
      name: 'parked_new',
      text: `INSERT INTO parked SELECT unnest($1::bigint[]), unnest($2::text[]), unnest($3::text[]), unnest($4::text[]), unnest($5::text[]), unnest($6::boolean[])`,
      values: toColumns(6, rows),
    },
  ];
}

function toCounts({ counts, waiting }: Work, writer: number): readonly TableChange[] {
  const events = counts.map((each) => [
    ...[toText(each.interface), toText(each.queue), each.kind, writer, each.count],
  ]);
  const waits = waiting.map(([queue, count]) => [toText(queue), writer, count]);
  return [
    {
      name: 'counted',
      text: `INSERT INTO event_count SELECT unnest($1::text[]), unnest($2::text[]), unnest($3::int[]), unnest($4::int[]), unnest($5::bigint[])
        ON CONFLICT (interface, queue, kind, writer) DO UPDATE SET count = event_count.count + excluded.count`,
      values: toColumns(5, events),
    },
    {
      name: 'waiting_counted',
      text: `INSERT INTO waiting_count SELECT unnest($1::text[]), unnest($2::int[]), unnest($3::bigint[])
        ON CONFLICT (queue, writer) DO UPDATE SET count = waiting_count.count + excluded.count`,
      values: toColumns(3, waits),
    },
  ];
}

/** Of its interface: this transaction knows those of the messages that it brings. */
function numberOf(
  { interface: name, interfaceNumber, arrived }: Touched,
  interfaces: Interfaces,
): number {
  return (arrived === undefined ? interfaceNumber : undefined) ?? interfaces.numberOf(name);
}
