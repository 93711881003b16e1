import type { Channel, ConsumeMessage } from 'amqplib';

/**
 * What of a channel's deliveries is unsettled, and which of the others RabbitMQ has not been told of yet. It is told of
 * all that are settled in one turn of the event loop together: each acknowledgment is an entry of the queue's log.
 */
export class Acknowledgments {
  readonly #channel: Pick<Channel, 'ack'>;
  readonly #onRefused: (error: unknown) => void;
  /** When each was delivered, on the monotonic clock: the oldest first. */
  readonly #unsettled = new Map<ConsumeMessage, number>();
  #settled: ConsumeMessage[] = [];

  /** `onRefused` hears of a channel that is closing: what it is not told of is delivered again. */
  constructor(channel: Pick<Channel, 'ack'>, onRefused: (error: unknown) => void) {
    this.#channel = channel;
    this.#onRefused = onRefused;
  }

  /** Delivered and not settled. */
  get unsettled(): number {
    return this.#unsettled.size;
  }

  /** For how long the oldest of them has been; undefined where there is none. */
  get oldestMs(): number | undefined {
    const [since] = this.#unsettled.values();
    return since === undefined ? undefined : performance.now() - since;
  }

  add(message: ConsumeMessage): void {
    this.#unsettled.set(message, performance.now());
  }

  /** RabbitMQ hears of it at the end of this turn of the event loop, or with {@link tell}. */
  acknowledge(message: ConsumeMessage): void {
    if (this.#settled.length === 0) setImmediate(() => this.tell());
    this.#settled.push(message);
    this.#unsettled.delete(message);
  }

  /** One acknowledgment for all that came before the first that is unsettled, and one for each of the others. */
  tell(): void {
    const settled = this.#settled;
    this.#settled = [];
    const [first] = this.#unsettled.keys();
    const firstTag = first?.fields.deliveryTag ?? Infinity;
    let last: ConsumeMessage | undefined;
    try {
      for (const message of settled) {
        const { deliveryTag } = message.fields;
        if (deliveryTag > firstTag) this.#channel.ack(message);
        else if (last === undefined || deliveryTag > last.fields.deliveryTag) last = message;
      }
      if (last !== undefined) this.#channel.ack(last, true);
    } catch (error) {
      this.#onRefused(error);
    }
  }

  /** The channel is gone: nobody is told of anything any more. */
  clear(): void {
    this.#unsettled.clear();
    this.#settled = [];
  }
}
