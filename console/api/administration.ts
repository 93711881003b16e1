import type { LedgerFilter } from '../../core/ports/ledger.ts';

/** Who asks for a change, and why: kept in the ledger. The reason must hold no patient data. */
export interface Mandate {
  /** The name of the user, or `cli`. */
  readonly by: string;
  readonly reason?: string;
}

/** Which messages: by id, or by a filter with at least one field. */
export type Selection = { readonly ids: readonly string[] } | { readonly filter: LedgerFilter };

/** How many messages were changed, and how many were left as they are since they no longer wait. */
export interface ChangeView {
  readonly changed: number;
  readonly skipped: number;
}

export interface PausedQueue {
  readonly queue: string;
  readonly by: string;
  /** ISO 8601 instant. */
  readonly since: string;
}

/** What an operator decides about messages that are set aside behind one that was given up. */
export type ReleaseDecision = 'again' | 'skip';

/**
 * What an operator may change: the runtime implements it and hands it in. Everything is durable when it resolves
 * and goes by what the ledger knows to wait. Rejects with HilumError (permanent) on what cannot be, with words for
 * people: `queue-missing`, `queue-of-events`, `filter-empty`, `not-stopped`.
 */
export interface Administration {
  /** Takes messages out of the queues in which they wait: whoever consumes them drops them. */
  withdraw(selection: Selection, mandate: Mandate): Promise<ChangeView>;
  /** Withdraws everything that waits in a queue at this moment. */
  purge(queue: string, mandate: Mandate): Promise<ChangeView>;
  /**
   * Withdraws what waits in a queue (these ids, or everything) and puts a copy of each into another, in order. What
   * is being worked on is skipped.
   */
  move(
    from: { readonly queue: string; readonly ids?: readonly string[] },
    to: string,
    mandate: Mandate,
  ): Promise<ChangeView>;
  /**
   * Decides about the message with this id, the first of a key that was given up and stops those behind it: `again`
   * tries it once more, `skip` makes it a dead letter.
   */
  release(
    stopped: { readonly queue: string; readonly id: string },
    decision: ReleaseDecision,
    mandate: Mandate,
  ): Promise<void>;
  /** Nothing of the queue is taken until `resume`, over restarts; publishing to it goes on. */
  pause(queue: string, mandate: Mandate): Promise<void>;
  resume(queue: string, mandate: Mandate): Promise<void>;
  paused(): readonly PausedQueue[];
}
