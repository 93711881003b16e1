import type { Envelope } from '../envelope.ts';
import type { Issue } from '../issue.ts';
import type { LedgerEntry, MessageState } from './ledger.ts';

/**
 * Durable queues between the processes. Two implementations pass one contract suite
 * (test/contract/broker.ts): the embedded one (SQLite) and RabbitMQ.
 *
 * Delivery is at least once and first in, first out per queue while nothing is retried. Whoever consumes
 * takes each envelope id once; the ledger remembers which were taken.
 */
export interface Broker {
  /**
   * Makes the queue, its dead-letter queue and its subscriptions exist; repeating it changes nothing.
   * Subscriptions only ever grow.
   */
  declare(queue: QueueDefinition): Promise<void>;

  /**
   * Resolves when the envelope is durable in the queue (SQLite commit, publisher confirm).
   * Rejects with HilumError `queue-missing` (permanent) where there is no such queue, `message-too-large`
   * (permanent) beyond what the broker takes, and `broker-unavailable` (transient) where it cannot be known
   * to be stored: publish again, same id.
   */
  publish(queue: string, envelope: Envelope): Promise<void>;

  /**
   * Puts a copy into every queue subscribed to the topic; resolves when all are durable.
   * Rejects with HilumError `topic-without-queue` (permanent) when nobody is subscribed: never dropped.
   */
  publishEvent(topic: string, envelope: Envelope): Promise<void>;

  /**
   * Calls `handler` for each delivery, at most `window` unsettled at a time. Survives the loss of the
   * connection: what was unsettled then is delivered again, with `redelivered`.
   */
  consume(
    queue: string,
    options: ConsumeOptions,
    handler: (delivery: Delivery) => void,
  ): Promise<Consumer>;

  /** How many envelopes each declared queue holds; an undeclared queue is absent from the answer. */
  depths(): Promise<readonly QueueDepth[]>;

  /**
   * Stops consuming, waits for what is being published, and lets go of the connection; what is unsettled
   * then is delivered to others. Idempotent.
   */
  close(): Promise<void>;
}

export interface ConsumeOptions {
  /** Unsettled at a time; where a queue has more than half as many lanes, two of each: one that waits stops no lane. */
  readonly window: number;
  /**
   * Told of each lane of an ordered queue that it has, again where it had lost it; nothing of the lane is handed over
   * before this resolves. The broker may know only when something is delivered from there: see {@link Consumer.announce}.
   * Where it rejects the lane is tried again.
   */
  readonly onLane?: (lane: HeldLane) => Promise<void>;
  /**
   * Asked before a lane with nothing unsettled is let go of, so that another consumer may have it: false while something
   * of it is under way that the broker does not know of. Absent: always.
   */
  readonly mayLetGo?: (lane: HeldLane) => boolean;
}

/** A lane while it is one consumer's: nobody else has it until it is lost. Without lanes, the queue as a whole. */
export interface HeldLane {
  /** So many of its messages are delivered and unsettled at a time. */
  readonly window: number;
  /** Messages of this key go through it. */
  has(key: string): boolean;
  /** Aborted when another consumer may have it. */
  readonly lost: AbortSignal;
}

export interface QueueDefinition {
  /** Dots and dashes, no spaces: `in.lab-results-mllp`. */
  readonly name: string;
  /** The interface it belongs to, for people and metrics. */
  readonly interface: string;
  /** Topics whose events it gets a copy of: `lab.result`; `*` stands for one word, `#` for the rest. */
  readonly topics?: readonly string[];
  /** Absent: several consumers share it, and what is retried steps aside. */
  readonly order?: QueueOrder;
}

/**
 * One consumer at a time has the queue (another takes over where it goes away), so that it can keep messages
 * of one `key` in their order. Where several processes are to share the work there are several lanes: an
 * envelope's key decides which lane it is in, and each lane has one consumer at a time.
 */
export interface QueueOrder {
  /**
   * 1 and more; the embedded broker, which is for one machine, takes them as one. Where the number changes while
   * messages wait, none is lost, and those of a key may change places.
   */
  readonly lanes: number;
}

/** Something to be made durable together with a settlement. */
export type Outgoing =
  | { readonly queue: string; readonly envelope: Envelope }
  | { readonly topic: string; readonly envelope: Envelope };

/**
 * One envelope, held until it is settled by exactly one of the three; a second call rejects with
 * `already-settled` (permanent). Each resolves when that is durable. Where it rejects for any other reason
 * (the connection was lost, the disk is full: `broker-unavailable`), it is not known to be settled: the
 * delivery is void, and the envelope is delivered again with `redelivered`, a moment later. A handler that throws
 * instead of settling has its envelope retried.
 *
 * What is `outgoing` is durable before the settlement is: the embedded broker makes one transaction of all, RabbitMQ
 * has confirmed it first, so that a crash in between makes it again, with the same ids. Where one of them cannot
 * be stored for good (`queue-missing`, `topic-without-queue`, `message-too-large`), the call rejects with that and
 * the delivery is still held: settle it in another way. Some of the others may be stored then.
 *
 * The `entries` are in the ledger before the settlement is done, and after what is outgoing: whoever finds there
 * that a message was processed can rely on what it sent.
 */
export interface Delivery {
  readonly queue: string;
  readonly envelope: Envelope;
  /** It may have been delivered before: to a consumer that went away. Not a promise that it was. */
  readonly redelivered: boolean;
  /**
   * Aborted when the broker has taken the delivery back, with all others of its connection: it is delivered
   * again, and whoever still waits with this one lets it go. One signal for many deliveries.
   */
  readonly voided: AbortSignal;
  /** What the ledger knew of it at this moment, where the broker is of one piece with the ledger. */
  readonly ledgerState?: MessageState | 'unknown';
  accept(outgoing?: readonly Outgoing[], entries?: readonly LedgerEntry[]): Promise<void>;
  /**
   * Delivered again after at least `delayMs`, with `attempt` one higher; others are not held up. After 0 ms
   * and with its attempt uncounted it goes back to its place in the queue.
   */
  retry(delayMs: number, options?: RetryOptions): Promise<void>;
  /** Moves to the queue `<name>.dead`, with its reasons. */
  deadLetter(
    issues: readonly Issue[],
    outgoing?: readonly Outgoing[],
    entries?: readonly LedgerEntry[],
  ): Promise<void>;
}

export interface RetryOptions {
  /** False leaves `attempt` as it is: nothing was tried, such as when a deploy ended the flow. Default true. */
  readonly countAttempt?: boolean;
  readonly outgoing?: readonly Outgoing[];
  readonly entries?: readonly LedgerEntry[];
}

export interface Consumer {
  /**
   * Has those who hold the lanes of these keys told that they do, where nothing was delivered that would have shown it:
   * this consumer or others, in whatever process. Resolves when that is on its way; rejects with `broker-unavailable`.
   */
  announce(keys: readonly string[]): Promise<void>;
  /** No more deliveries after this resolves, until `resume`; what is unsettled may still be settled. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** No more deliveries after this resolves; what is unsettled may still be settled. */
  stop(): Promise<void>;
}

export interface QueueDepth {
  readonly queue: string;
  readonly interface: string;
  /** Waiting to be delivered, those waiting for a retry included where the broker can count them. */
  readonly ready: number;
  /** Delivered and not settled; 0 where the broker cannot tell. */
  readonly unsettled: number;
  /** In the dead-letter queue. */
  readonly dead: number;
}
