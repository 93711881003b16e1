import type pg from 'pg';
import {
  closingKinds,
  eventKinds,
  finalityOf,
  messageStates,
  rankOfState,
} from '../../core/ledger/codes.ts';
import type { PackedEvent } from '../../core/ledger/packed-event.ts';
import type { Parking } from '../../core/ledger/standing.ts';
import type { Touched } from './touched.ts';

interface StandingRow {
  readonly id: string;
  readonly interface: string;
  readonly interface_number: number;
  readonly state: number;
  readonly state_at: string;
  readonly last_event_at: string;
  readonly received_ms: number | null;
  readonly arrival: number;
}

/** Locks the rows of these messages, in the order of their ids so that no two transactions wait for each other. */
export async function lockStandings(
  client: pg.Client,
  ids: readonly string[],
): Promise<readonly StandingRow[]> {
  const { rows } = await client.query<StandingRow>({
    name: 'lock',
    text: `SELECT id, interface.name AS interface, interface.number AS interface_number, state, state_at, last_event_at, received_ms, arrival
      FROM standing JOIN interface ON interface.number = standing.interface
      WHERE id = ANY($1) ORDER BY id FOR UPDATE OF standing`,
    values: [ids],
  });
  return rows;
}

/** What else is to be known of the locked ones: read after the locks, or it would be as before another's commit. */
export async function readTouched(
  client: pg.Client,
  rows: readonly StandingRow[],
): Promise<Map<string, Touched>> {
  const ids = rows.map(({ id }) => id);
  const ended = rows.filter(({ state }) => finalityOfNumber(state) > 0).map(({ id }) => id);
  const [waits, parkings, keys, closed] = await Promise.all([
    readWaits(client, ids),
    readParkings(client, ids),
    readKeys(client, ids),
    ended.length === 0 ? new Map<string, (string | undefined)[]>() : readClosed(client, ended),
  ]);
  return new Map(
    rows.map((row) => {
      const { id, state } = row;
      const waitsBefore = waits.get(id) ?? new Map<string, string>();
      const touched: Touched = {
        id,
        interface: row.interface,
        interfaceNumber: row.interface_number,
        state,
        stateAt: row.state_at,
        stateRank: rankOfState(state),
        lastEventAt: row.last_event_at,
        // Whatever ends a waiting leads to a state that is final to a degree, and none leads back.
        open: finalityOfNumber(state) === 0,
        waits: new Map(waitsBefore),
        parkings: parkings.get(id) ?? new Map<string, Parking>(),
        hasNewParkings: false,
        isNew: false,
        received: row.received_ms !== null,
        receivedMs: row.received_ms ?? undefined,
        arrival: row.arrival,
        arrived: undefined,
        events: [],
        changes: undefined,
        waitsBefore,
        key: keys.get(id),
        closedBefore: closed.get(id) ?? [],
      };
      return [id, touched];
    }),
  );
}

/** One that the ledger has not heard of. */
export function beginTouched(id: string, arrival: number): Touched {
  return {
    id,
    interface: '',
    interfaceNumber: undefined,
    state: 0,
    stateAt: '',
    stateRank: 0,
    lastEventAt: '',
    open: true,
    waits: new Map(),
    parkings: new Map(),
    hasNewParkings: false,
    isNew: true,
    received: false,
    receivedMs: undefined,
    arrival,
    arrived: undefined,
    events: [],
    changes: undefined,
    waitsBefore: new Map(),
    key: undefined,
    closedBefore: [],
  };
}

async function readWaits(client: pg.Client, ids: readonly string[]) {
  const { rows } = await client.query<{
    readonly id: string;
    readonly queue: string;
    readonly since: string;
  }>({
    name: 'waits',
    text: 'SELECT id, queue, since FROM waiting WHERE id = ANY($1)',
    values: [ids],
  });
  const found = new Map<string, Map<string, string>>();
  for (const { id, queue, since } of rows) {
    found.set(id, (found.get(id) ?? new Map<string, string>()).set(queue, since));
  }
  return found;
}

async function readParkings(client: pg.Client, ids: readonly string[]) {
  const { rows } = await client.query<{
    readonly id: string;
    readonly queue: string;
    readonly number: number;
    readonly key: string;
    readonly since: string;
    readonly stopped: boolean;
  }>({
    name: 'parkings',
    text: 'SELECT id, queue, number, key, since, stopped FROM parked WHERE id = ANY($1) ORDER BY number',
    values: [ids],
  });
  const found = new Map<string, Map<string, Parking>>();
  for (const { id, queue, stopped, ...rest } of rows) {
    const of = found.get(id) ?? new Map<string, Parking>();
    found.set(id, of.set(queue, { ...rest, isStopped: stopped }));
  }
  return found;
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

function finalityOfNumber(state: number): number {
  return finalityOf(messageStates[state] ?? 'received');
}
