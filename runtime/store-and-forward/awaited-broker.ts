import type { Envelope } from '../../core/envelope.ts';
import { buildError, findFailure } from '../../core/errors.ts';
import type {
  Broker,
  ConsumeOptions,
  Consumer,
  Delivery,
  QueueDefinition,
  QueueDepth,
} from '../../core/ports/broker.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { pause } from '../consuming.ts';

const againMs = 1_000;

/**
 * A broker that may not be there at the start: it is opened until it is, and what is declared before is declared then.
 * Until then it is away as any broker may be (`broker-unavailable`, transient).
 */
export class AwaitedBroker implements Broker {
  readonly #logger: Logger;
  readonly #declared = new Map<string, QueueDefinition>();
  readonly #closing = new AbortController();
  readonly #opening: Promise<void>;
  #broker: Broker | undefined;
  /** Somebody waits for the first attempts, and is told why they can never succeed. */
  #isWaitedFor = true;

  private constructor(open: () => Promise<Broker>, logger: Logger) {
    this.#logger = logger;
    this.#opening = this.#open(open);
    this.#opening.catch(() => undefined);
  }

  /** Resolves when it is open, or after `patienceMs`. Rejects where it refuses us for good within that time. */
  static async open(
    open: () => Promise<Broker>,
    { patienceMs, logger }: { readonly patienceMs: number; readonly logger: Logger },
  ): Promise<AwaitedBroker> {
    const broker = new AwaitedBroker(open, logger);
    const late = new AbortController();
    try {
      await Promise.race([broker.#opening, pause(patienceMs, late.signal)]);
    } finally {
      late.abort();
      broker.#isWaitedFor = false;
    }
    return broker;
  }

  async declare(queue: QueueDefinition): Promise<void> {
    if (this.#broker !== undefined) return this.#broker.declare(queue);
    const topics = new Set([
      ...(this.#declared.get(queue.name)?.topics ?? []),
      ...(queue.topics ?? []),
    ]);
    this.#declared.set(queue.name, { ...queue, topics: [...topics] });
  }

  publish(queue: string, envelope: Envelope): Promise<void> {
    return this.#broker?.publish(queue, envelope) ?? Promise.reject(buildAway());
  }

  publishEvent(topic: string, envelope: Envelope): Promise<void> {
    return this.#broker?.publishEvent(topic, envelope) ?? Promise.reject(buildAway());
  }

  consume(
    queue: string,
    options: ConsumeOptions,
    handler: (delivery: Delivery) => void,
  ): Promise<Consumer> {
    return this.#broker?.consume(queue, options, handler) ?? Promise.reject(buildAway());
  }

  depths(): Promise<readonly QueueDepth[]> {
    return this.#broker?.depths() ?? Promise.reject(buildAway());
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#broker?.close();
  }

  async #open(open: () => Promise<Broker>): Promise<void> {
    while (!this.#closing.signal.aborted) {
      try {
        this.#broker = await this.#prepare(await open());
        return;
      } catch (error) {
        const isFinal = findFailure(error)?.errorClass === 'permanent' && this.#isWaitedFor;
        if (isFinal) throw error;
        this.#logger.warn({ err: error }, 'RabbitMQ is not there yet; trying again.');
        await pause(againMs, this.#closing.signal);
      }
    }
  }

  async #prepare(broker: Broker): Promise<Broker> {
    try {
      for (const queue of this.#declared.values()) await broker.declare(queue);
    } catch (error) {
      await broker.close();
      throw error;
    }
    if (this.#closing.signal.aborted) await broker.close();
    return broker;
  }
}

function buildAway(): Error {
  const text = 'RabbitMQ was expected and has not been there since this process started.';
  return buildError('transient', 'broker-unavailable', text);
}
