import type { Envelope } from '../../core/envelope.ts';
import { findFailure } from '../../core/errors.ts';
import type {
  Broker,
  ConsumeOptions,
  Consumer,
  Delivery,
  Outgoing,
  QueueDefinition,
  QueueDepth,
} from '../../core/ports/broker.ts';
import type { Ledger } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Clock } from '../clock.ts';
import { within } from '../spool/patience.ts';
import { Claims } from './claims.ts';
import { toReference } from './reference.ts';

export interface ClaimCheckOptions {
  /** Where the bodies are: the ledger itself. */
  readonly ledger: Ledger;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Bodies above travel as a reference; 1 MiB. */
  readonly aboveBytes?: number;
  /** How long the ledger may take to store or to find a body; 15 s. */
  readonly patienceMs?: number;
  /** Bytes of claimed bodies that a consumer holds unsettled before it claims another; 256 MiB. */
  readonly maxHeldBytes?: number;
}

const settleAgainMs = 1_000;

/**
 * A broker for bodies larger than it likes to carry: they are durable in the ledger before a reference to them is
 * published, and read back before they are delivered, so neither flows nor senders see it. A message that cannot be
 * put into the ledger now is not published (`ledger-unavailable`, transient); one that is larger than the ledger takes
 * is refused (`message-too-large`, permanent).
 */
export class ClaimCheckBroker implements Broker {
  readonly #broker: Broker;
  readonly #options: Required<ClaimCheckOptions>;
  /** By queue or topic: resolves when everything before has been handed on. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(broker: Broker, options: ClaimCheckOptions) {
    this.#broker = broker;
    this.#options = {
      aboveBytes: 1024 * 1024,
      patienceMs: 15_000,
      maxHeldBytes: 256 * 1024 * 1024,
      ...options,
    };
  }

  declare(queue: QueueDefinition): Promise<void> {
    return this.#broker.declare(queue);
  }

  publish(queue: string, envelope: Envelope): Promise<void> {
    return this.#inTurn(`queue ${queue}`, envelope, (it) => this.#broker.publish(queue, it));
  }

  publishEvent(topic: string, envelope: Envelope): Promise<void> {
    return this.#inTurn(`topic ${topic}`, envelope, (it) => this.#broker.publishEvent(topic, it));
  }

  async consume(
    queue: string,
    options: ConsumeOptions,
    handler: (delivery: Delivery) => void,
  ): Promise<Consumer> {
    const claims = new Claims({
      ...this.#options,
      handler: (delivery) => handler(this.#withLargeOutgoing(delivery)),
    });
    const consumer = await this.#broker.consume(queue, options, (delivery) =>
      claims.take(delivery),
    );
    return {
      announce: (keys) => consumer.announce(keys),
      pause: () => consumer.pause(),
      resume: () => consumer.resume(),
      stop: async () => {
        claims.stop();
        await consumer.stop();
      },
    };
  }

  depths(): Promise<readonly QueueDepth[]> {
    return this.#broker.depths();
  }

  close(): Promise<void> {
    return this.#broker.close();
  }

  /** What is published meanwhile to the same place waits: it must not overtake a body on its way to the ledger. */
  async #inTurn(
    place: string,
    envelope: Envelope,
    publish: (envelope: Envelope) => Promise<void>,
  ): Promise<void> {
    const before = this.#turns.get(place);
    if (before === undefined && !this.#isLarge(envelope)) return publish(envelope);
    const checkedIn = this.#checkIn(envelope);
    const turn = Promise.allSettled([before, checkedIn]);
    this.#turns.set(place, turn);
    await turn;
    if (this.#turns.get(place) === turn) this.#turns.delete(place);
    return publish(await checkedIn);
  }

  #isLarge({ body }: Envelope): boolean {
    return body.length > this.#options.aboveBytes;
  }

  /** The envelope as it travels. */
  async #checkIn(envelope: Envelope): Promise<Envelope> {
    if (!this.#isLarge(envelope)) return envelope;
    const { ledger, patienceMs } = this.#options;
    await within(patienceMs, ledger.append([{ type: 'message', envelope }]));
    return toReference(envelope);
  }

  #withLargeOutgoing(delivery: Delivery): Delivery {
    const { queue, envelope, redelivered, voided, ledgerState } = delivery;
    const settle = async (
      outgoing: readonly Outgoing[] | undefined,
      how: (outgoing: readonly Outgoing[] | undefined) => Promise<void>,
    ): Promise<void> => {
      if (outgoing?.some((each) => this.#isLarge(each.envelope)) !== true) return how(outgoing);
      let travelling: readonly Outgoing[];
      try {
        travelling = await Promise.all(
          outgoing.map(async (each) => ({
            ...each,
            envelope: await this.#checkIn(each.envelope),
          })),
        );
      } catch (error) {
        // Not settled, as where the broker itself could not store what goes out: it is delivered again.
        if (findFailure(error)?.errorClass !== 'permanent') giveBackSoon(delivery);
        throw error;
      }
      return how(travelling);
    };
    return {
      queue,
      envelope,
      redelivered,
      voided,
      ...(ledgerState === undefined ? {} : { ledgerState }),
      accept: (outgoing, entries) => settle(outgoing, (it) => delivery.accept(it, entries)),
      retry: (delayMs, options) =>
        settle(options?.outgoing, (it) =>
          delivery.retry(delayMs, it === undefined ? options : { ...options, outgoing: it }),
        ),
      deadLetter: (issues, outgoing, entries) =>
        settle(outgoing, (it) => delivery.deadLetter(issues, it, entries)),
    };
  }
}

function giveBackSoon(delivery: Delivery): void {
  const timer = setTimeout(() => {
    // Where the connection is lost by then, it comes again without.
    delivery.retry(0, { countAttempt: false }).catch(() => undefined);
  }, settleAgainMs);
  timer.unref();
}
