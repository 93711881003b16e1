import type pg from 'pg';
import type { Span } from '../../core/ledger/batch-spans.ts';
import { closingKinds, eventKinds } from '../../core/ledger/codes.ts';
import type { PackedEvent } from '../../core/ledger/packed-event.ts';
import type { Parking } from '../../core/ledger/standing.ts';
import { findMessageId } from '../../core/ports/ledger.ts';
import type { Append } from './appended.ts';
import { isEnded } from './codes.ts';
import type { Interfaces } from './interfaces.ts';
import { sendTogether } from './pipelined.ts';
import { numbersPerBlock } from './schema.ts';
import { toTouched, type StandingRow, type Touched, type Waiting } from './touched.ts';

/** What a transaction finds of the messages and senders of its appends, all of it locked. */
export interface Locked {
  /** By id; those that are new are absent. */
  readonly touched: Map<string, Touched>;
  readonly senders: ReadonlyMap<string, readonly Span[]>;
  /** The next number in the order of arrival, for each entry, each message and one more. */
  readonly nextNumber: () => number;
}

/**
 * Begins a transaction, and locks and reads the rows of its messages and senders: in the order of their names, so that no
 * two transactions wait for each other. One trip, but for what has ended and is to be begun again.
 */
export async function beginLocked(
  client: pg.Client,
  appends: readonly Append[],
  interfaces: Interfaces,
): Promise<Locked> {
  const asked = readAsked(appends);
  const ids = [...asked.ids].sort();
  const [, locked, rest, keys] = await sendTogether(client, () => [
    client.query('BEGIN'),
    lock(client, ids, [...asked.senders].sort()),
    // After the locks, or it would be as before another's commit.
    readRest(client, ids, Math.ceil((asked.entries + ids.length + 1) / numbersPerBlock)),
    asked.parked.size === 0 ? new Map<string, string>() : readKeys(client, [...asked.parked]),
  ]);
  const begunAgain = locked.standings.filter(
    ({ id, state }) => isEnded(state) && asked.begun.has(id),
  );
  const endedIds = begunAgain.map(({ id }) => id);
  const owners = locked.standings.map((row) => row.interface);
  const [closed] = await sendTogether(client, () => [
    endedIds.length === 0 ? undefined : readClosed(client, endedIds),
    interfaces.look(client, owners),
  ]);
  const touched = locked.standings.map((row) => {
    const { id } = row;
    const found = { waits: rest.waits.get(id), parkings: rest.parkings.get(id), key: keys.get(id) };
    const name = interfaces.nameOf(row.interface);
    return [id, toTouched(row, { ...found, interface: name, closed: closed?.get(id) })] as const;
  });
  return { touched: new Map(touched), senders: locked.senders, nextNumber: rest.nextNumber };
}

/** What is to be known of whom. */
function readAsked(appends: readonly Append[]) {
  const ids = new Set<string>();
  const begun = new Set<string>();
  const parked = new Set<string>();
  const senders = new Set<string>();
  let entries = 0;
  for (const append of appends) {
    entries += append.entries.length;
    if (append.batch !== undefined) senders.add(append.batch.sender);
    for (const entry of append.entries) {
      const id = findMessageId(entry);
      ids.add(id);
      if (entry.type !== 'event') continue;
      const { kind } = entry.event;
      if (kind === 'queued' || kind === 'parked') begun.add(id);
      if (kind === 'parked') parked.add(id);
    }
  }
  return { ids, begun, parked, senders, entries };
}

/** In the order of names, first the senders. */
async function lock(client: pg.Client, ids: readonly string[], senders: readonly string[]) {
  const { rows } = await client.query<
    | (StandingRow & { readonly sender: null })
    | { readonly id: null; readonly sender: string; readonly spans: string }
  >({
    name: 'lock',
    text: `WITH senders AS MATERIALIZED (
        SELECT sender, spans FROM batch WHERE sender = ANY($2) ORDER BY sender FOR UPDATE),
      standings AS MATERIALIZED (
        SELECT id, interface, state, state_at, last_event_at, received_ms, arrival
        FROM standing WHERE id = ANY($1) ORDER BY id FOR UPDATE)
      SELECT sender, spans, NULL AS id, NULL::int AS interface, NULL::smallint AS state, NULL AS state_at,
        NULL AS last_event_at, NULL::bigint AS received_ms, NULL::bigint AS arrival FROM senders
      UNION ALL SELECT NULL, NULL, standings.* FROM standings`,
    values: [ids, senders],
  });
  const found = new Map<string, readonly Span[]>();
  const standings: StandingRow[] = [];
  for (const row of rows) {
    if (row.id === null) found.set(row.sender, JSON.parse(row.spans) as Span[]);
    else standings.push(row);
  }
  return { senders: found, standings };
}

/** Where messages wait and are set aside, and so many blocks of numbers. */
async function readRest(client: pg.Client, ids: readonly string[], blocks: number) {
  const { rows } = await client.query<{
    readonly id: string | null;
    readonly place: string | null;
    readonly number: number;
    readonly queue: string;
    readonly since: string;
    readonly key: string;
    readonly stopped: boolean;
    readonly held: string | null;
  }>({
    name: 'rest',
    text: `SELECT id, ctid::text AS place, NULL::bigint AS number, queue, since, NULL AS key, NULL::boolean AS stopped,
          NULL AS held
        FROM waiting WHERE id = ANY($1)
      UNION ALL SELECT id, NULL, number, queue, since, key, stopped, held FROM parked WHERE id = ANY($1)
      UNION ALL SELECT NULL, NULL, nextval('arrival'), NULL, NULL, NULL, NULL, NULL FROM generate_series(1, $2)`,
    values: [ids, blocks],
  });
  const waits = new Map<string, Map<string, Waiting>>();
  const parkings = new Map<string, Map<string, Parking>>();
  const firsts: number[] = [];
  for (const { id, place, number, queue, since, key, stopped, held } of rows) {
    if (id === null) firsts.push(number);
    else if (place !== null) put(waits, id, queue, { since, place });
    else {
      const parking = { number, key, since, isStopped: stopped, held: held ?? undefined };
      put(parkings, id, queue, parking);
    }
  }
  let used = 0;
  const nextNumber = (): number => {
    const first = firsts[Math.floor(used / numbersPerBlock)] ?? 0;
    used += 1;
    return first + ((used - 1) % numbersPerBlock);
  };
  return { waits, parkings, nextNumber };
}

function put<Value>(
  into: Map<string, Map<string, Value>>,
  id: string,
  queue: string,
  value: Value,
): void {
  const of = into.get(id) ?? new Map<string, Value>();
  into.set(id, of.set(queue, value));
}

async function readKeys(
  client: pg.Client,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const { rows } = await client.query<{ readonly id: string; readonly key: string }>({
    name: 'keys',
    text: 'SELECT id, key FROM message WHERE id = ANY($1) AND key IS NOT NULL',
    values: [ids],
  });
  return new Map(rows.map(({ id, key }) => [id, key]));
}

/** The queues in which these have ended; undefined for an event that named none. */
async function readClosed(client: pg.Client, ids: readonly string[]) {
  const { rows } = await client.query<{ readonly id: string; readonly events: string }>({
    name: 'closed',
    text: 'SELECT id, events FROM event WHERE id = ANY($1)',
    values: [ids],
  });
  const found = new Map<string, (string | undefined)[]>();
  for (const { id, events } of rows) {
    for (const [, code, , queue] of JSON.parse(events) as readonly PackedEvent[]) {
      const kind = eventKinds[code];
      if (kind === undefined || !closingKinds.has(kind)) continue;
      const of = found.get(id) ?? [];
      of.push(queue ?? undefined);
      found.set(id, of);
    }
  }
  return found;
}
