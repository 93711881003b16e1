import type { ConsumeMessage } from 'amqplib';

/** A message that RabbitMQ has delivered and that nobody works on yet. */
interface Waiting {
  readonly message: ConsumeMessage;
  /** It was handed out before, and given back. */
  readonly again: boolean;
}

/** What was delivered on one channel and is not settled. */
export class Holding {
  /** In the order of the queue. */
  #waiting: Waiting[] = [];
  readonly #handed = new Set<ConsumeMessage>();
  /** When each was delivered, on the monotonic clock, the oldest first. */
  readonly #since = new Map<ConsumeMessage, number>();

  get size(): number {
    return this.#since.size;
  }

  /** How many are worked on. */
  get handedOut(): number {
    return this.#handed.size;
  }

  has(message: ConsumeMessage): boolean {
    return this.#since.has(message);
  }

  /** Delivered, and nobody's work: not handed out unless it is added to those that wait. */
  hold(message: ConsumeMessage): void {
    this.#since.set(message, performance.now());
  }

  wait(message: ConsumeMessage): void {
    this.#waiting.push({ message, again: false });
  }

  /** The first of those that wait is handed out. */
  next(): Waiting | undefined {
    const next = this.#waiting.shift();
    if (next !== undefined) this.#handed.add(next.message);
    return next;
  }

  get hasWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** It is settled. Whether it had been handed out. */
  release(message: ConsumeMessage): boolean {
    this.#since.delete(message);
    return this.#handed.delete(message);
  }

  /** To its place among those that wait: what was delivered before it goes first. */
  giveBack(message: ConsumeMessage): void {
    if (!this.#handed.delete(message)) return;
    const { deliveryTag } = message.fields;
    const behind = this.#waiting.findIndex((each) => each.message.fields.deliveryTag > deliveryTag);
    this.#waiting.splice(behind < 0 ? this.#waiting.length : behind, 0, { message, again: true });
  }

  /** Takes out those that wait. */
  takeWaiting(): readonly ConsumeMessage[] {
    return this.#waiting.splice(0).map(({ message }) => message);
  }

  /** How long the one that was delivered first is held, in milliseconds; undefined where none is. */
  oldestAgeMs(): number | undefined {
    for (const since of this.#since.values()) return performance.now() - since;
    return undefined;
  }
}
