import { setTimeout as wait } from 'node:timers/promises';
import type { EnvelopeHeader } from '../core/envelope.ts';
import { findFailure } from '../core/errors.ts';
import type { Ledger, LedgerEntry, LedgerEvent } from '../core/ports/ledger.ts';
import type { Logger } from '../core/ports/logger.ts';
import type { Clock } from './clock.ts';
import { toInstant } from './ids.ts';

/** What befell a message, without what is the same of all events. */
export type EventDetails = Pick<LedgerEvent, 'kind' | 'queue' | 'summary' | 'issues'>;

/** How often an event is tried again while the ledger is away: for little more than a minute. */
const attempts = 12;
const maxDelayMs = 10_000;

/** Writes what happens to messages into the ledger, with this process's clock. */
export class Recorder {
  readonly #ledger: Ledger;
  readonly #logger: Logger;
  readonly #clock: Clock;

  constructor(options: {
    readonly ledger: Ledger;
    readonly logger: Logger;
    readonly clock: Clock;
  }) {
    this.#ledger = options.ledger;
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

  /**
   * Resolves when the entries are durable, or given up after little more than a minute: the ledger being
   * away stops no message for good. Never rejects.
   */
  async write(entries: readonly LedgerEntry[]): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#ledger.append(entries);
        return;
      } catch (error) {
        const isFinal = findFailure(error)?.errorClass === 'permanent' || attempt === attempts;
        if (isFinal) {
          const ids = entries.map((entry) =>
            entry.type === 'event' ? entry.event.messageId : entry.envelope.id,
          );
          this.#logger.error({ ids, err: error }, 'The ledger did not take what happened.');
          return;
        }
      }
      await wait(Math.min(maxDelayMs, 250 * 2 ** attempt));
    }
  }
}
