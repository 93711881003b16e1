import type { Envelope, EnvelopeHeader } from '../envelope.ts';
import type { HeldCode } from '../held-code.ts';
import type { Issue } from '../issue.ts';
import type { PackedChanges } from '../payload-changes.ts';

/**
 * What befell a message, in the order in which it usually happens:
 * - `received`: a source connector has it; `refused`: it was answered AE or AR and never queued;
 *   `duplicate`: it was acknowledged again and not processed again.
 * - `queued`: durable in `queue`. `taken`: a worker or sender started on it.
 * - `processed`: its flow has completed. `sent`: made from a flow, going to `queue` (an event of the parent).
 * - `delivered`: the partner has it. `answered`: the partner's answer arrived (an event of the request).
 * - `failed`: an attempt failed and will be repeated. `dead-lettered`: given up, with reasons.
 * - `parked`: set aside in the ledger, in the order of these events: with issues it was given up and waits for
 *   somebody's decision, without it waits behind another of its key. `resumed`: that decision, to try it again.
 * - `withdrawn`: taken out of its queue on somebody's request, or moved to another.
 * - `replayed`: sent again on somebody's request (an event of the origin).
 */
export type LedgerEventKind =
  | 'received'
  | 'refused'
  | 'duplicate'
  | 'queued'
  | 'taken'
  | 'processed'
  | 'sent'
  | 'delivered'
  | 'answered'
  | 'failed'
  | 'dead-lettered'
  | 'replayed'
  | 'parked'
  | 'resumed'
  | 'withdrawn';

export interface LedgerEvent {
  readonly messageId: string;
  readonly kind: LedgerEventKind;
  /** ISO 8601 instant, UTC, from the clock of the process that saw it. */
  readonly at: string;
  /**
   * The queue it is about. With `queued` the message waits there until it is processed, delivered,
   * dead-lettered or refused: in that queue, or in every one where that event names none.
   */
  readonly queue?: string;
  /** Which attempt, 1-based. */
  readonly attempt?: number;
  /** One line for people, without patient data: `AA to 127.0.0.1:51234`, `201 Created, 7 entries`. */
  readonly summary?: string;
  readonly issues?: readonly Issue[];
  /** With `parked` and its issues: it waits until these codes are mapped. */
  readonly held?: readonly HeldCode[];
}

export type LedgerEntry =
  /**
   * The message itself, with its bytes; writing an id again changes nothing. A queue may hold no more of a large
   * message than its id (runtime/claim-check): whoever removes bodies leaves those of messages that are not finished,
   * and of dead letters that may be taken up again. `digest`: the SHA-256 of its bytes in base64, for whoever has it
   * already; the ledger computes it where it is absent and needed.
   */
  | { readonly type: 'message'; readonly envelope: Envelope; readonly digest?: string }
  | { readonly type: 'event'; readonly event: LedgerEvent }
  /** In the place of what the ledger has of that message so far. */
  | { readonly type: 'changes'; readonly changes: PackedChanges };

/** The message that an entry is about. */
export function findMessageId(entry: LedgerEntry): string {
  switch (entry.type) {
    case 'message':
      return entry.envelope.id;
    case 'event':
      return entry.event.messageId;
    case 'changes':
      return entry.changes.messageId;
  }
}

/**
 * Where a message stands: from its last event by time, until one ends it. `refused`, `dead-lettered`, and
 * `processed` or `delivered` end it by arriving, whatever their clock says. From there no event leads back:
 * a `queued`, `taken` or `failed` that comes later is kept and changes nothing, and nobody waits again (a
 * replay has an id of its own). An end gives way only to one further along in that order: a refused message
 * may turn out to be dead-lettered, and a dead letter to be processed or delivered after all.
 */
export type MessageState =
  | 'received'
  | 'refused'
  | 'duplicate'
  | 'queued'
  | 'in-progress'
  | 'processed'
  | 'delivered'
  | 'retrying'
  | 'dead-lettered'
  | 'parked'
  | 'withdrawn';

export interface MessageSummary extends EnvelopeHeader {
  readonly state: MessageState;
  readonly bytes: number;
  readonly lastEventAt: string;
}

/** A message, everything that followed from it, and all their events in order of time. */
export interface Trace {
  readonly messages: readonly MessageSummary[];
  readonly events: readonly LedgerEvent[];
}

/** Per queue, from the ledger: what waits there and since when. A broker cannot always tell. */
export interface QueueAge {
  readonly queue: string;
  readonly waiting: number;
  readonly oldestAt: string | undefined;
}

/** A key of a queue whose messages are set aside. */
export interface ParkedKey {
  readonly queue: string;
  readonly key: string;
  /** How many are parked, the first of them included. */
  readonly parked: number;
  /** The first of them: what the others wait for. */
  readonly firstId: string;
  /** ISO 8601 instant of the first one's parking. */
  readonly since: string;
  /** The first was given up, and it and the others wait until somebody decides. */
  readonly isStopped: boolean;
  /** That is for its codes to be mapped: see {@link Ledger.held}. */
  readonly isHeld?: true;
}

/** Which keys with parked messages, and how many at once. */
export interface ParkedQuestion {
  /** Default: of all queues. */
  readonly queue?: string;
  /** Only those that wait for a decision, or only those that wait for none. */
  readonly isStopped?: boolean;
  readonly limit: number;
  /** What a page before gave as `next`. */
  readonly after?: number;
}

export interface ParkedPage {
  /** In the order of the first parking. */
  readonly keys: readonly ParkedKey[];
  /** Where to go on; absent: there are no more. A page may have fewer than its limit, even none, and more behind it. */
  readonly next?: number;
}

/** A message that is set aside. */
export interface ParkedMessage {
  readonly id: string;
  readonly queue: string;
  /** In the order of setting aside, over all queues. */
  readonly place: number;
}

/** Messages that are set aside for the same codes, each as the first of its key. */
export interface HeldGroup {
  readonly interface: string;
  readonly queue: string;
  readonly codes: readonly HeldCode[];
  /** How many of them there are. */
  readonly messages: number;
  /** With those of their keys that are set aside behind them; absent where there are more than 1,000 of them. */
  readonly waiting?: number;
  /** ISO 8601 instants of the first and the last setting aside. */
  readonly firstAt: string;
  readonly lastAt: string;
  /** The ids of the first three. */
  readonly examples: readonly string[];
}

/** One of a {@link HeldGroup}. */
export interface HeldMessage {
  readonly id: string;
  /** Under which it is set aside: its own id where it has none. */
  readonly key: string;
  /** In the order of setting aside, over all queues. */
  readonly place: number;
  /** Since when it is held for these codes: an ISO 8601 instant, of whoever held it. */
  readonly heldAt: string;
}

/** A message that has come in: was it here before? */
export interface ReceivedQuery {
  readonly interface: string;
  /** MSH-10. */
  readonly controlId: string;
  /** SHA-256 of its bytes, base64. */
  readonly digest: string;
  /** ISO 8601 instant: what was received earlier does not count. */
  readonly since: string;
}

/** A message that a partner sent before under the same control id. */
export interface FormerReceipt {
  readonly id: string;
  readonly state: MessageState;
  readonly receivedAt: string;
  /** Byte for byte what was asked about; false: a control id that is used again for something else. */
  readonly hasSameContent: boolean;
}

/** Which messages: all that is given must hold. */
export interface LedgerFilter {
  readonly interface?: string;
  /** It waits there or did; of a copy of an event, once it was delivered. */
  readonly queue?: string;
  readonly states?: readonly MessageState[];
  /** MSH-9 or the FHIR resource type as it stands; with `*` at its end, what begins so: `ORU*`. */
  readonly messageType?: string;
  /** MSH-10. */
  readonly controlId?: string;
  readonly key?: string;
  /** ISO 8601 instants as `Date.toISOString` writes them: from the first on, before the second. */
  readonly receivedFrom?: string;
  readonly receivedTo?: string;
  /** One of its events has an issue with this code. */
  readonly issueCode?: string;
}

/** A page of what was found: go on after its last id. */
export interface Page {
  readonly limit: number;
  /** The id of a message to go on after; where the ledger has no such message, nothing is found. */
  readonly after?: string;
}

/** By the time of receipt, and of arrival within one instant. */
export interface OrderedPage extends Page {
  /** Default `newest` first. */
  readonly order?: 'newest' | 'oldest';
}

/** A message that waits in a queue. */
export interface WaitingMessage extends MessageSummary {
  /** ISO 8601 instant. */
  readonly since: string;
}

/** How many events of a kind since counting began; per interface and queue. Only ever grows. */
export interface LedgerCount {
  readonly interface: string;
  readonly queue: string;
  readonly kind: LedgerEventKind;
  readonly count: number;
}

/**
 * Names one append, so that it counts once however often it is sent: its sender may not have heard that it was stored.
 * A sender numbers its appends: 1, 2, … in any order of arrival.
 */
export interface Batch {
  /** Unique for all time: a process that starts anew begins a new one. */
  readonly sender: string;
  readonly number: number;
  /** Every number below this one was heard to be stored, and is never sent again: the ledger may forget it. */
  readonly heardBelow: number;
}

/**
 * Messages and the events that befell them. One contract suite (test/contract/ledger.ts).
 * The ledger holds patient data: bodies and keys. Nothing of it goes into a log.
 */
export interface Ledger {
  /**
   * Resolves when all entries are durable: all or none of one call. Rejects with `ledger-unavailable`
   * (transient), or with `message-too-large` or `ledger-entry-invalid` (permanent). With a `batch` that is there
   * already it resolves and changes nothing; of the last 1,000 senders it is known which of their batches are there.
   */
  append(entries: readonly LedgerEntry[], batch?: Batch): Promise<void>;
  /** The message with this id, else the newest with this control id, and its whole correlation. */
  trace(id: string): Promise<Trace | undefined>;
  /** The message with this id, else the newest received with this control id, with its bytes. */
  read(id: string): Promise<Envelope | undefined>;
  /** What the nodes of a flow made of the payload of the message with this id; undefined: nothing, or it was not kept. */
  changes(id: string): Promise<PackedChanges | undefined>;
  /** The states of these message ids; unknown ids are absent. */
  states(ids: readonly string[]): Promise<ReadonlyMap<string, MessageState>>;
  /**
   * For each query, in their order, the newest message that its interface took from a partner under this control
   * id; one with the same content before any other. What was refused, or was a duplicate itself, does not count.
   * What has other content is looked for among the newest 64 of the control id; what has the same is always found.
   */
  findReceived(queries: readonly ReceivedQuery[]): Promise<readonly (FormerReceipt | undefined)[]>;
  /** The messages of a filter, page by page. What comes meanwhile moves no page that goes on after an id. */
  find(filter: LedgerFilter, page: OrderedPage): Promise<readonly MessageSummary[]>;
  /** What waits in a queue, parked messages included, who waits longest first. */
  waiting(queue: string, page: Page): Promise<readonly WaitingMessage[]>;
  ages(): Promise<readonly QueueAge[]>;
  /**
   * The keys with parked messages, page by page. A key whose first message goes on meanwhile may come twice, and one that
   * has its first only since may be missed.
   */
  parked(question: ParkedQuestion): Promise<ParkedPage>;
  /** The parked messages of a queue, or of all, in the order of their parking, at most `limit`, behind the place `after`. */
  listParked(
    queue: string | undefined,
    page: { readonly limit: number; readonly after?: number },
  ): Promise<readonly ParkedMessage[]>;
  /**
   * The parked messages of a key, or of the queue as a whole, with their bytes, in the order of their parking, at most
   * `limit`. One is parked from its event `parked` until one that ends its waiting in that queue.
   */
  readParked(queue: string, key: string | undefined, limit: number): Promise<readonly Envelope[]>;
  /** What messages are held for, those first that were set aside first; of more than 10,000 groups as many. */
  held(): Promise<readonly HeldGroup[]>;
  /** The messages of a group in the order of their setting aside, at most `limit`, behind the place `after`. */
  readHeld(
    group: Pick<HeldGroup, 'queue' | 'codes'>,
    page: { readonly limit: number; readonly after?: number },
  ): Promise<readonly HeldMessage[]>;
  counts(): Promise<readonly LedgerCount[]>;
  close(): Promise<void>;
}
