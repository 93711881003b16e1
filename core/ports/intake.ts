import type { Envelope } from '../envelope.ts';
import type { FormerReceipt, LedgerEntry, ReceivedQuery } from './ledger.ts';

/** A message that has come in, with all that is to become durable with it. */
export interface UniqueMessage {
  readonly queue: string;
  readonly envelope: Envelope;
  /** What counts as having come before; absent: nothing does. */
  readonly before?: ReceivedQuery | undefined;
  /** What the ledger is told: the message itself, that it was received, and that it is in its queue. */
  readonly entries: readonly LedgerEntry[];
  /** The same where its control id was used before for other content; absent: such a message is not taken. */
  readonly reusedEntries?: readonly LedgerEntry[] | undefined;
}

/**
 * What broker and ledger of one piece can do together, and two that know nothing of each other cannot: an idempotent
 * receiver in one transaction.
 */
export interface UniqueIntake {
  /**
   * Makes the message durable in its queue and in the ledger, unless it came before. Resolves when it is, or with
   * the message that came before where that {@link isFormer} and has the same content, or other content without
   * `reusedEntries`: then nothing is stored. Also resolves with one of other content beside which it was stored.
   * Asking again with the same id changes nothing where it was stored after all.
   *
   * Rejects as {@link Broker.publish} and {@link Ledger.append} do; where that is permanent nothing was stored.
   */
  take(message: UniqueMessage): Promise<FormerReceipt | undefined>;
}
