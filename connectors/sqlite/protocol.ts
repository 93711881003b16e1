import type { HeldCode } from '../../core/held-code.ts';
import type { ErrorClass } from '../../core/errors.ts';
import type { Issue } from '../../core/issue.ts';
import type {
  Batch,
  HeldGroup,
  LedgerEntry,
  LedgerFilter,
  MessageState,
  MessageSummary,
  ParkedQuestion,
  ReceivedQuery,
} from '../../core/ports/ledger.ts';
import type { PruneRequest } from '../../core/ports/retention.ts';

/**
 * What a client asks of the owner: a frame holds all requests of one tick, in order, and the owner
 * commits them together. Tuples, not objects: they are serialised thousands of times a second.
 */
export type Request =
  | readonly [id: number, kind: 'publish', queue: string, parcel: Parcel]
  | readonly [id: number, kind: 'publishEvent', topic: string, parcel: Parcel]
  | readonly [id: number, kind: 'take', queue: string, parcel: Parcel, unless: Unless]
  | readonly [id: number, kind: 'accept', lease: number, beside: Beside]
  | readonly [
      id: number,
      kind: 'retry',
      lease: number,
      beside: Beside,
      delayMs: number,
      countAttempt: boolean,
    ]
  | readonly [id: number, kind: 'deadLetter', lease: number, beside: Beside, issues: string]
  /** It could not be settled: it is delivered again. */
  | readonly [id: number, kind: 'release', lease: number]
  | readonly [
      id: number,
      kind: 'declare',
      queue: string,
      interfaceId: string,
      topics: readonly string[],
      /** One consumer at a time has it. */
      isOrdered: boolean,
    ]
  | readonly [id: number, kind: 'consume', queue: string, consumer: number, window: number]
  /** No more deliveries; with `giveBack` what is unsettled goes back too. */
  | readonly [id: number, kind: 'stop', consumer: number, giveBack: boolean]
  | readonly [id: number, kind: 'depths']
  | readonly [id: number, kind: 'append', entries: readonly LedgerEntry[], batch?: Batch]
  | RetentionRequest
  | LedgerQuestion;

/** What makes room, in small steps. */
type RetentionRequest =
  | readonly [id: number, kind: 'prune', request: PruneRequest]
  | readonly [id: number, kind: 'discardDead', ids: readonly string[]]
  | readonly [id: number, kind: 'giveBack', bytes: number]
  | readonly [id: number, kind: 'storage'];

/** What is asked of the ledger and writes nothing. */
export type LedgerQuestion =
  | readonly [id: number, kind: 'trace', messageId: string]
  | readonly [id: number, kind: 'read', messageId: string]
  | readonly [id: number, kind: 'changes', messageId: string]
  | readonly [id: number, kind: 'states', ids: readonly string[]]
  | readonly [id: number, kind: 'findReceived', queries: readonly ReceivedQuery[]]
  | readonly [id: number, kind: 'find', request: FindRequest]
  | readonly [id: number, kind: 'waiting', request: WaitingRequest]
  | readonly [id: number, kind: 'ages']
  | readonly [id: number, kind: 'parked', request: ParkedQuestion]
  | readonly [id: number, kind: 'listParked', request: ListParkedRequest]
  | readonly [id: number, kind: 'readParked', request: ReadParkedRequest]
  | readonly [id: number, kind: 'held', after: HeldCursor | undefined]
  | readonly [id: number, kind: 'readHeld', request: ReadHeldRequest]
  | readonly [id: number, kind: 'counts'];

/** Where in the order of messages, which is that of their numbers: time of receipt, then arrival. */
export type Cursor = number;

export interface FindRequest {
  readonly filter: LedgerFilter;
  readonly order: 'newest' | 'oldest';
  readonly limit: number;
  /** A message id, or where the page before ended. */
  readonly after?: string | Cursor | undefined;
}

export interface FindPage {
  readonly found: readonly MessageSummary[];
  /** Where to go on; absent at the end. */
  readonly next?: Cursor;
}

export interface WaitingRequest {
  readonly queue: string;
  readonly limit: number;
  readonly after?: string;
}

export interface ListParkedRequest {
  readonly queue: string | undefined;
  readonly limit: number;
  readonly after?: number;
}

export interface ReadParkedRequest {
  readonly queue: string;
  readonly key: string | undefined;
  readonly limit: number;
}

/** Behind which group to go on, or with `place` behind which of its messages. */
export interface HeldCursor {
  readonly queue: string;
  /** Packed codes. */
  readonly held: string;
  readonly place?: number;
}

/** What one turn has found of what is held. */
export interface HeldPart {
  readonly found: readonly {
    /** The place of its first message. */
    readonly first: number;
    readonly group: HeldGroup;
    /** More of the last group of the part before. */
    readonly isRest: boolean;
  }[];
  /** Absent: there is no more. */
  readonly next?: HeldCursor | undefined;
}

export interface ReadHeldRequest {
  readonly queue: string;
  readonly codes: readonly HeldCode[];
  readonly limit: number;
  readonly after?: number;
}

/** An envelope on its way: `header` is JSON of all but its attempt and its body, which the owner never reads. */
export type Parcel = readonly [id: string, attempt: number, header: string, body: Uint8Array];

/** What is stored with a message that comes in, and what it must not be a copy of: as `UniqueMessage` has it. */
export interface Unless {
  readonly before: ReceivedQuery | undefined;
  readonly entries: readonly LedgerEntry[];
  readonly reused: readonly Issue[] | undefined;
}

/** What goes into the same transaction as a settlement; undefined where nothing does. */
export type Beside =
  | {
      readonly outgoing: readonly OutgoingParcel[];
      readonly entries: readonly LedgerEntry[];
    }
  | undefined;

/** Published together with a settlement: to a queue, or to those subscribed to a topic. */
export type OutgoingParcel = readonly [kind: 'queue' | 'topic', name: string, parcel: Parcel];

/** What the owner answers: all that one commit has brought this client. */
export interface Response {
  /** Requests that are done and have no value. */
  readonly done: readonly number[];
  readonly values: readonly (readonly [id: number, value: unknown])[];
  readonly failed: readonly (readonly [id: number, failure: Failure])[];
  readonly deliveries: readonly DeliveryParcel[];
}

export interface Failure {
  readonly errorClass: ErrorClass;
  readonly code: string;
  readonly message: string;
}

export type DeliveryParcel = readonly [
  consumer: number,
  lease: number,
  redelivered: boolean,
  parcel: Parcel,
  ledgerState: MessageState | 'unknown',
];
