import type { EnvelopeHeader } from '../../core/envelope.ts';
import { rankOfState } from '../../core/ledger/codes.ts';
import type { PackedEvent } from '../../core/ledger/packed-event.ts';
import type { Parking, Standing } from '../../core/ledger/standing.ts';
import { isEnded } from './codes.ts';

/** A message as the transaction under way has it, from its rows and what is appended. */
export interface Touched extends Standing {
  /** `''` while only events of it are known. */
  interface: string;
  /** Of the interface, in its row; undefined before it has one. */
  readonly interfaceNumber: number | undefined;
  /** It has no row yet. */
  readonly isNew: boolean;
  /** The message itself is known. */
  received: boolean;
  receivedMs: number | undefined;
  arrival: number;
  /** The message, where this transaction brings it. */
  arrived: Arrived | undefined;
  events: PackedEvent[];
  changes: string | undefined;
  /** Its rows in `waiting`, by their queues. */
  readonly waitsBefore: ReadonlyMap<string, Waiting>;
  /** Of a message that was there before: for whom it is set aside. */
  readonly key: string | undefined;
  /** Of a message that something ended before: the queues whose events did, undefined for one that named none. */
  readonly closedBefore: readonly (string | undefined)[];
}

export interface Waiting {
  readonly since: string;
  /** Where its row is in the table, for as long as the transaction lasts: whoever moves it locks the message first. */
  readonly place: string;
}

export interface Arrived {
  readonly header: EnvelopeHeader & { readonly replyTo?: string };
  readonly body: Uint8Array;
  readonly digest: string | undefined;
}

/** A row of `standing`. */
export interface StandingRow {
  readonly id: string;
  readonly interface: number;
  readonly state: number;
  readonly state_at: string;
  readonly last_event_at: string;
  readonly received_ms: number | null;
  readonly arrival: number;
}

/** One that the ledger has heard of, by its row and what else there is of it. */
export function toTouched(
  row: StandingRow,
  of: {
    readonly interface: string;
    readonly key: string | undefined;
    readonly waits: ReadonlyMap<string, Waiting> | undefined;
    readonly parkings: Map<string, Parking> | undefined;
    readonly closed: Touched['closedBefore'] | undefined;
  },
): Touched {
  const waitsBefore = of.waits ?? new Map<string, Waiting>();
  return {
    id: row.id,
    interface: of.interface,
    interfaceNumber: row.interface,
    state: row.state,
    stateAt: row.state_at,
    stateRank: rankOfState(row.state),
    lastEventAt: row.last_event_at,
    // Whatever ends a waiting leads to a state that is final to a degree, and none leads back.
    open: !isEnded(row.state),
    waits: new Map([...waitsBefore].map(([queue, { since }]) => [queue, since])),
    parkings: of.parkings ?? new Map<string, Parking>(),
    hasNewParkings: false,
    isNew: false,
    received: row.received_ms !== null,
    receivedMs: row.received_ms ?? undefined,
    arrival: row.arrival,
    arrived: undefined,
    events: [],
    changes: undefined,
    waitsBefore,
    key: of.key,
    closedBefore: of.closed ?? [],
  };
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
