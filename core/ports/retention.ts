/** How long messages of an interface are kept; ISO 8601 instants, an absent one: for ever. */
export interface RetentionLimit {
  /** Absent: of all interfaces that have no limit of their own. */
  readonly interface?: string;
  /** What was received before may go, once nothing waits for it any more. */
  readonly before?: string;
  /** The same for dead letters and everything that belongs to them. */
  readonly deadBefore?: string;
}

export interface PruneRequest {
  readonly limits: readonly RetentionLimit[];
  /** How many messages are looked at. */
  readonly limit: number;
  /** Where the last step stopped. */
  readonly after?: number;
  /** Count what would go, and leave it. */
  readonly isDryRun?: boolean;
}

export interface PruneResult {
  /** Messages and the bytes of their bodies that went, or would. */
  readonly removed: number;
  readonly bytes: number;
  /** Old enough, and kept since they or something of their correlation still wait or may not go yet. */
  readonly kept: number;
  /**
   * Old enough to go but for their bodies in a dead-letter queue: to be given to `discardDead` before the same step is
   * made again.
   */
  readonly dead: readonly string[];
  /** Where the next step begins; absent: everything has been looked at. */
  readonly next?: number;
}

/** The data file as it is. */
export interface StorageFigures {
  readonly fileBytes: number;
  /** Of these, free for what comes. */
  readonly freeBytes: number;
  /** Whether free room can be given back to the disk while it is used. */
  readonly canGiveBack: boolean;
  /** When the oldest message was received, ISO 8601. */
  readonly oldestAt?: string;
  /** What was removed since the file was made. */
  readonly pruned: { readonly messages: number; readonly events: number; readonly bytes: number };
}

/**
 * Removes old messages from the ledger, a correlation (all that came of one message) as a whole or not at all. What
 * waits in a queue, is under way, is tried again or set aside stays whatever its age, and so does every body that a
 * queue refers to. Each call is one small step: between two of them others are served.
 */
export interface LedgerRetention {
  prune(request: PruneRequest): Promise<PruneResult>;
  /** Takes messages out of the dead-letter queues of the embedded broker. */
  discardDead(ids: readonly string[]): Promise<void>;
  /** Gives at most so many bytes of free room back to the disk; resolves with how much it was. */
  giveBack(bytes: number): Promise<number>;
  storage(): Promise<StorageFigures>;
}
