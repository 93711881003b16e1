import type { EnvelopeHeader } from '../core/envelope.ts';
import { findMessageId } from '../core/ports/ledger.ts';
import type { Ledger, LedgerEntry, LedgerEvent } from '../core/ports/ledger.ts';
import type { Logger } from '../core/ports/logger.ts';
import type { Clock } from './clock.ts';
import { toInstant } from './ids.ts';
import { waitForLedger, type LedgerSpool } from './spool/ledger-spool.ts';

/** What befell a message, without what is the same of all events. */
export type EventDetails = Pick<LedgerEvent, 'kind' | 'queue' | 'summary' | 'issues'>;

/** Writes what happens to messages into this process's spool, and so into the ledger, with its clock. */
export class Recorder {
  readonly #ledgerSpool: LedgerSpool;
  readonly #logger: Logger;
  readonly #clock: Clock;

  constructor(options: {
    readonly ledger: Ledger;
    /** Absent: the ledger itself, which is waited for. */
    readonly ledgerSpool?: LedgerSpool;
    readonly logger: Logger;
    readonly clock: Clock;
  }) {
    this.#ledgerSpool = options.ledgerSpool ?? waitForLedger(options.ledger);
    this.#logger = options.logger;
    this.#clock = options.clock;
  }

  /** An event of the message, now. */
  event(envelope: EnvelopeHeader, details: EventDetails): LedgerEntry {
    const at = toInstant(this.#clock());
    return {
      type: 'event',
      event: { messageId: envelope.id, at, attempt: envelope.attempt, ...details },
    };
  }

  /** An event that nothing waits for. */
  note(envelope: EnvelopeHeader, details: EventDetails): void {
    void this.write([this.event(envelope, details)]);
  }

  /** Resolves when the entries are durable, as {@link LedgerSpool.record}. Never rejects: what no ledger takes is logged. */
  async write(entries: readonly LedgerEntry[]): Promise<void> {
    try {
      await this.#ledgerSpool.record(entries);
    } catch (error) {
      const ids = entries.map(findMessageId);
      this.#logger.error({ ids, err: error }, 'The ledger refused what happened.');
    }
  }

  /** Resolves when what was written so far can be found in the ledger. */
  forwarded(): Promise<void> {
    return this.#ledgerSpool.forwarded();
  }
}
