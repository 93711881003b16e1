import type { Envelope } from '../../core/envelope.ts';
import { findFailure } from '../../core/errors.ts';
import type { Broker } from '../../core/ports/broker.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { pause } from '../consuming.ts';
import type { LedgerSpool } from '../spool/ledger-spool.ts';
import type { Clock } from '../clock.ts';
import { Forwarding } from './forwarding.ts';
import { findSpooled } from './spool-queues.ts';

interface Options {
  /** Where messages are to go. */
  readonly remote: Broker;
  /** Where they lie while that is away: a queue of this machine for each queue. */
  readonly local: Broker;
  readonly ledgerSpool: LedgerSpool;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** One queue's messages on their way. */
interface Line {
  /** Resolves when it is known of all before where they are. */
  before: Promise<unknown>;
  /** While something of it lies here. */
  forwarding: Forwarding | undefined;
}

const againMs = 1_000;

/**
 * Puts messages into queues of a broker that may be away. What it does not take in its time is durable here, and so is
 * all that comes for that queue from then on, until the broker has taken everything in the order in which it came: so
 * nothing overtakes. What an earlier process left here comes first. One process at a time puts messages.
 */
export class StoreAndForward {
  readonly #options: Options;
  readonly #lines = new Map<string, Line>();
  readonly #stopping = new AbortController();
  readonly #known: Promise<void>;

  constructor(options: Options) {
    this.#options = options;
    this.#known = this.#findEarlier();
  }

  /**
   * Resolves when the message is durable: in its queue, or spooled here. Rejects as `Broker.publish` does, where it can
   * be neither: here alone no queue is missing.
   */
  async put(queue: string, envelope: Envelope): Promise<'queued' | 'spooled'> {
    const line = this.#lineOf(queue);
    const { before } = line;
    const { promise: known, resolve: tell } = Promise.withResolvers<undefined>();
    line.before = Promise.all([before, known]);
    try {
      await this.#known;
      if (line.forwarding === undefined && (await this.#publish(queue, envelope))) return 'queued';
      line.forwarding ??= this.#forward(queue, envelope.interface);
      return await line.forwarding.spool(envelope, before);
    } finally {
      tell(undefined);
    }
  }

  /** Forwards no more; what lies here stays for the next process. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([...this.#lines.values()].map(async (line) => line.forwarding?.stop()));
  }

  /** False where the broker is away. Rejects where it will never take it. */
  async #publish(queue: string, envelope: Envelope): Promise<boolean> {
    try {
      await this.#options.remote.publish(queue, envelope);
      return true;
    } catch (error) {
      if (findFailure(error)?.errorClass === 'permanent') throw error;
      return false;
    }
  }

  #lineOf(queue: string): Line {
    const line = this.#lines.get(queue) ?? { before: Promise.resolve(), forwarding: undefined };
    this.#lines.set(queue, line);
    return line;
  }

  #forward(queue: string, interfaceId: string): Forwarding {
    const { logger } = this.#options;
    logger.warn(
      { queue },
      'RabbitMQ is away: messages for this queue are spooled here until it is back.',
    );
    return new Forwarding({
      ...this.#options,
      queue,
      interface: interfaceId,
      onDone: (count) => {
        this.#lineOf(queue).forwarding = undefined;
        logger.info({ queue, messages: count }, 'RabbitMQ has everything that was spooled here.');
      },
    });
  }

  /** What an earlier process left, before anything new is put behind it. */
  async #findEarlier(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        const depths = await this.#options.local.depths();
        for (const { queue, interface: owner, waiting } of findSpooled(depths)) {
          if (waiting > 0) this.#lineOf(queue).forwarding = this.#forward(queue, owner);
        }
        return;
      } catch (error) {
        this.#options.logger.warn({ err: error }, 'What was spooled here cannot be read yet.');
        await pause(againMs, this.#stopping.signal);
      }
    }
  }
}
