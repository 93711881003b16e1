import type pg from 'pg';
import { eventKinds, messageStates } from '../../core/ledger/codes.ts';
import { toText, toTextOrNull } from './text.ts';
import type { Arrived, Touched } from './touched.ts';

/** What one transaction has to say beside its messages. */
export interface Deltas {
  /** By interface, queue (`''`: none) and kind. */
  readonly counts: ReadonlyMap<
    string,
    { readonly key: readonly [string, string, number]; count: number }
  >;
  readonly waiting: ReadonlyMap<string, number>;
}

/**
 * Writes what has become of the messages, all statements at once: the connection sends them one after the other without
 * waiting. The caller waits for all, and ends the transaction.
 */
export function writeTouched(
  client: pg.Client,
  touched: readonly Touched[],
  numbers: { readonly interfaces: ReadonlyMap<string, number>; readonly writer: number },
  deltas: Deltas,
): Promise<unknown>[] {
  const { interfaces, writer } = numbers;
  return [
    ...writeStandings(client, touched, interfaces),
    ...writeMessages(client, touched, interfaces),
    ...writeEvents(client, touched),
    ...writeWaits(client, touched),
    ...writeParkings(client, touched),
    ...writeCounts(client, deltas, writer),
  ];
}

type Column = readonly (string | number | boolean | null)[];

function write(client: pg.Client, name: string, text: string, values: readonly unknown[]) {
  return client.query({ name, text, values: [...values] });
}

/** A statement over rows, each column an array; none where there are no rows. */
function each<Row>(
  rows: readonly Row[],
  columns: (row: Row) => Column,
  run: (arrays: readonly Column[]) => Promise<unknown>,
): Promise<unknown>[] {
  const first = rows[0];
  if (first === undefined) return [];
  const arrays = columns(first).map((): (string | number | boolean | null)[] => []);
  for (const row of rows) {
    for (const [index, value] of columns(row).entries()) arrays[index]?.push(value);
  }
  return [run(arrays)];
}

function writeStandings(
  client: pg.Client,
  touched: readonly Touched[],
  interfaces: ReadonlyMap<string, number>,
): Promise<unknown>[] {
  const columns = (row: Touched): Column => [
    row.id,
    numberOf(row, interfaces),
    row.state,
    toText(row.stateAt),
    toText(row.lastEventAt),
    row.receivedMs ?? null,
    row.arrival,
  ];
  const types =
    '$1::text[], $2::int[], $3::int[], $4::text[], $5::text[], $6::bigint[], $7::bigint[]';
  const made = touched.filter(({ isNew }) => isNew);
  const changed = touched.filter(({ isNew }) => !isNew);
  return [
    // Where another has made one meanwhile it fails, and the transaction is made again.
    ...each(made, columns, (arrays) =>
      write(client, 'standing-new', `INSERT INTO standing SELECT * FROM unnest(${types})`, arrays),
    ),
    ...each(changed, columns, (arrays) =>
      write(
        client,
        'standing',
        `UPDATE standing SET interface = given.interface, state = given.state, state_at = given.state_at,
           last_event_at = given.last_event_at, received_ms = given.received_ms, arrival = given.arrival
         FROM unnest(${types})
           AS given(id, interface, state, state_at, last_event_at, received_ms, arrival)
         WHERE standing.id = given.id AND standing.id = ANY($1)`,
        arrays,
      ),
    ),
  ];
}

function writeMessages(
  client: pg.Client,
  touched: readonly Touched[],
  interfaces: ReadonlyMap<string, number>,
): Promise<unknown>[] {
  const rows = touched.flatMap((row) =>
    row.arrived === undefined ? [] : [{ row, arrived: row.arrived }],
  );
  return [
    ...each(
      rows,
      ({ row, arrived }) => toMessageColumns(row, arrived, numberOf(row, interfaces)),
      (arrays) =>
        write(
          client,
          'message',
          `INSERT INTO message SELECT * FROM unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[], $5::text[],
             $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::int[], $13::text[],
             $14::text[], $15::int[], $16::text[])`,
          arrays,
        ),
    ),
    ...writeBodies(
      client,
      rows.map(({ row, arrived }) => ({ id: row.id, body: arrived.body })),
    ),
  ];
}

function toMessageColumns(row: Touched, { header, body, digest }: Arrived, owner: number): Column {
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
function writeBodies(
  client: pg.Client,
  bodies: readonly { readonly id: string; readonly body: Uint8Array }[],
): Promise<unknown>[] {
  let start = 1;
  const columns = bodies.map(({ id, body }): Column => {
    const row = [id, start, body.length];
    start += body.length;
    return row;
  });
  return each(
    columns,
    (row) => row,
    (arrays) =>
      write(
        client,
        'content',
        `INSERT INTO content SELECT id, substring($4::bytea FROM start FOR length)
         FROM unnest($1::text[], $2::int[], $3::int[]) AS given(id, start, length)`,
        [...arrays, Buffer.concat(bodies.map(({ body }) => body))],
      ),
  );
}

function writeEvents(client: pg.Client, touched: readonly Touched[]): Promise<unknown>[] {
  return [
    ...each(
      touched.filter(({ events }) => events.length > 0),
      ({ id, events }) => [id, events[0]?.[0] ?? 0, events.length, JSON.stringify(events)],
      (arrays) =>
        write(
          client,
          'event',
          'INSERT INTO event SELECT * FROM unnest($1::text[], $2::bigint[], $3::int[], $4::text[])',
          arrays,
        ),
    ),
    ...each(
      touched.filter(({ changes }) => changes !== undefined),
      ({ id, changes = '' }) => [id, toText(changes)],
      (arrays) =>
        write(
          client,
          'changes',
          `INSERT INTO payload_change SELECT * FROM unnest($1::text[], $2::text[])
           ON CONFLICT (id) DO UPDATE SET changes = excluded.changes`,
          arrays,
        ),
    ),
  ];
}

function writeWaits(client: pg.Client, touched: readonly Touched[]): Promise<unknown>[] {
  const over: Column[] = [];
  const made: Column[] = [];
  for (const { id, waits, waitsBefore, arrival } of touched) {
    for (const queue of waitsBefore.keys()) if (!waits.has(queue)) over.push([id, toText(queue)]);
    for (const [queue, since] of waits) {
      if (!waitsBefore.has(queue)) made.push([id, toText(queue), toText(since), arrival]);
    }
  }
  return [
    ...each(
      over,
      (row) => row,
      (arrays) =>
        write(
          client,
          'waiting-over',
          `DELETE FROM waiting USING unnest($1::text[], $2::text[]) AS given(id, queue)
           WHERE waiting.id = given.id AND waiting.queue = given.queue`,
          arrays,
        ),
    ),
    ...each(
      made,
      (row) => row,
      (arrays) =>
        write(
          client,
          'waiting-new',
          'INSERT INTO waiting SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[])',
          arrays,
        ),
    ),
  ];
}

function writeParkings(client: pg.Client, touched: readonly Touched[]): Promise<unknown>[] {
  const changed = touched.filter(({ hasNewParkings }) => hasNewParkings);
  if (changed.length === 0) return [];
  const ids = changed.map(({ id }) => id);
  const rows = changed.flatMap(({ id, parkings }) =>
    [...parkings].map(([queue, { number, key, since, isStopped }]): Column => [
      ...[number, toText(queue), toText(key), id, toText(since)],
      isStopped,
    ]),
  );
  return [
    write(client, 'parked-over', 'DELETE FROM parked WHERE id = ANY($1)', [ids]),
    ...each(
      rows,
      (row) => row,
      (arrays) =>
        write(
          client,
          'parked-new',
          `INSERT INTO parked SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[],
             $6::boolean[])`,
          arrays,
        ),
    ),
  ];
}

function writeCounts(client: pg.Client, deltas: Deltas, writer: number): Promise<unknown>[] {
  return [
    ...each(
      [...deltas.counts.values()],
      ({ key: [name, queue, kind], count }) => [toText(name), toText(queue), kind, writer, count],
      (arrays) =>
        write(
          client,
          'counts',
          `INSERT INTO event_count SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::int[], $5::bigint[])
           ON CONFLICT (interface, queue, kind, writer)
           DO UPDATE SET count = event_count.count + excluded.count`,
          arrays,
        ),
    ),
    ...each(
      [...deltas.waiting].filter(([, count]) => count !== 0),
      ([queue, count]) => [toText(queue), writer, count],
      (arrays) =>
        write(
          client,
          'waiting-counts',
          `INSERT INTO waiting_count SELECT * FROM unnest($1::text[], $2::int[], $3::bigint[])
           ON CONFLICT (queue, writer) DO UPDATE SET count = waiting_count.count + excluded.count`,
          arrays,
        ),
    ),
  ];
}

/** Of its interface: this transaction knows those of the messages that it brings. */
function numberOf(
  { interface: name, interfaceNumber, arrived }: Touched,
  interfaces: ReadonlyMap<string, number>,
): number {
  const number = arrived === undefined ? interfaceNumber : undefined;
  const found = number ?? interfaces.get(name);
  if (found === undefined) throw new Error('The number of an interface was expected to be known.');
  return found;
}

/** Counts an event. */
export function countEvent(
  counts: Map<string, { readonly key: readonly [string, string, number]; count: number }>,
  key: readonly [interfaceId: string, queue: string, kind: number],
): void {
  const name = key.join('\0');
  const found = counts.get(name);
  if (found === undefined) counts.set(name, { key, count: 1 });
  else found.count += 1;
}

export const kindNumber = (kind: (typeof eventKinds)[number]): number => eventKinds.indexOf(kind);
export const stateNumber = (state: (typeof messageStates)[number]): number =>
  messageStates.indexOf(state);
