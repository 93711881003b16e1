import { setTimeout as wait } from 'node:timers/promises';
import type { Envelope } from '../../core/envelope.ts';
import type { Issue } from '../../core/issue.ts';
import type { Broker, Delivery, Outgoing } from '../../core/ports/broker.ts';
import type { Ledger, LedgerEntry } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Clock } from '../clock.ts';
import { toInstant } from '../ids.ts';

interface Options {
  readonly broker: Broker;
  /** The ledger itself: what is only spooled for it would not be found when its turn comes. */
  readonly ledger: Ledger;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly queue: string;
}

const againMs = 1_000;

/**
 * The messages of a queue that are set aside in the ledger, in the order in which that was done. The queue has been
 * told that it is rid of them; they are taken up as deliveries that look like any other.
 */
export class Parking {
  readonly #options: Options;
  readonly #stopping = new AbortController();
  /** Who was taken up last: the same again means that it could not be settled. */
  #last: string | undefined;

  constructor(options: Options) {
    this.#options = options;
  }

  /** The keys with messages that are set aside. Waits for the ledger. */
  list(): Promise<readonly { readonly key: string; readonly isStopped: boolean }[]> {
    const { ledger, queue } = this.#options;
    return this.#untilDone(() => ledger.parked(queue)).then((found) => found ?? []);
  }

  /**
   * Sets aside, in this order; who is already keeps its place. With issues the first waits for a decision. Resolves
   * when that is durable, or when the deliveries are void: then they come again.
   */
  async park(deliveries: readonly Delivery[], issues: readonly Issue[]): Promise<void> {
    const { ledger, queue, clock } = this.#options;
    const at = toInstant(clock());
    const entries = deliveries.flatMap(({ envelope }): readonly LedgerEntry[] => [
      { type: 'message', envelope },
      {
        type: 'event',
        event: {
          messageId: envelope.id,
          kind: 'parked',
          at,
          queue,
          attempt: envelope.attempt,
          ...(issues.length === 0 ? {} : { issues }),
        },
      },
    ]);
    await this.#untilDone(() => ledger.append(entries), deliveries.at(-1)?.voided);
  }

  /** The first of the key that is set aside; undefined where there is none. */
  async next(key: string): Promise<Delivery | undefined> {
    const { ledger, queue } = this.#options;
    const [envelope] = (await this.#untilDone(() => ledger.readParked(queue, key, 1))) ?? [];
    if (envelope === undefined) return undefined;
    if (envelope.id === this.#last) await this.#pause();
    this.#last = envelope.id;
    return this.#toDelivery(envelope);
  }

  /** Waits for nothing more. */
  stop(): void {
    this.#stopping.abort();
  }

  /** It is settled by what the ledger is told beside; only what goes out with it is left to do here. */
  #toDelivery(envelope: Envelope): Delivery {
    const { broker, queue } = this.#options;
    const publish = async (outgoing: readonly Outgoing[] = []): Promise<void> => {
      await Promise.all(
        outgoing.map((each) =>
          'queue' in each
            ? broker.publish(each.queue, each.envelope)
            : broker.publishEvent(each.topic, each.envelope),
        ),
      );
    };
    return {
      queue,
      envelope,
      redelivered: true,
      voided: this.#stopping.signal,
      accept: publish,
      retry: (_delayMs, options) => publish(options?.outgoing),
      deadLetter: async (_issues, outgoing) => {
        await publish(outgoing);
        await broker.publish(`${queue}.dead`, envelope);
      },
    };
  }

  async #untilDone<T>(work: () => Promise<T>, voided?: AbortSignal): Promise<T | undefined> {
    while (!this.#stopping.signal.aborted && voided?.aborted !== true) {
      try {
        return await work();
      } catch (error) {
        this.#options.logger.warn(
          { queue: this.#options.queue, err: error },
          'The ledger is needed to set messages aside; trying again.',
        );
        await this.#pause();
      }
    }
    return undefined;
  }

  async #pause(): Promise<void> {
    await wait(againMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
  }
}
