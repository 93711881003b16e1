import type { Channel, ConsumeMessage, Message } from 'amqplib';
import { setTimeout as pause } from 'node:timers/promises';
import { HilumError } from '../../core/errors.ts';
import type { Connection } from './connection.ts';
import { buildUnavailable, toAmqpFailure } from './failures.ts';
import { onThrowAwayChannel } from './topology.ts';

interface Options {
  /** The queue's name on the server. */
  readonly from: string;
  /** An exclusive queue of this name keeps others from moving meanwhile. */
  readonly lock: string;
  /** Called in the order of the queue, several at a time; resolves when the message is durable elsewhere. */
  readonly move: (message: Message) => Promise<void>;
  /** Told now and then how many are moved so far. */
  readonly onProgress: (moved: number) => void;
  /** Told where a message was not moved and some that came behind it were: they are ahead of it now. */
  readonly onOvertaken: (count: number) => void;
}

const lockedAgainMs = 200;
/** How many are under way at a time. */
const window = 512;
const acknowledgedTogether = 128;
/** How long nothing comes before the queue is asked whether it is empty. */
const silenceMs = 50;
const progressEveryMs = 5_000;

/**
 * Moves everything that a queue holds, in its order; of several that call it at the same time each begins when the one
 * before has ended. Resolves with the count when the queue is empty, but for what others hold unsettled. Rejects with
 * `broker-unavailable`, or as `move` does: that message and what came behind it is where it was.
 */
export async function moveAll(connection: Connection, options: Options): Promise<number> {
  const { from, lock } = options;
  await take(connection, lock);
  try {
    return await onThrowAwayChannel(connection, (channel) =>
      new Mover(connection, channel, options).run(),
    );
  } catch (error) {
    if (error instanceof HilumError) throw error;
    throw buildUnavailable(`What the queue ${from} holds cannot be moved`, error);
  } finally {
    await release(connection, lock);
  }
}

/** A message on its way; `failure` is set where it was not moved. Never rejects. */
interface Move {
  readonly message: Message;
  readonly outcome: Promise<{ readonly failure?: unknown }>;
}

/** What is moved is acknowledged up to the first that was not: the rest goes back with the channel, in its order. */
class Mover {
  readonly #connection: Connection;
  readonly #channel: Channel;
  readonly #options: Options;
  readonly #begun: Move[] = [];
  #moved = 0;
  #toldMs = performance.now();
  #hasFailed = false;
  #wake: () => void = () => undefined;

  constructor(connection: Connection, channel: Channel, options: Options) {
    this.#connection = connection;
    this.#channel = channel;
    this.#options = options;
  }

  async run(): Promise<number> {
    const { from } = this.#options;
    const what = `The queue ${from} cannot be read`;
    await this.#connection.call(() => this.#channel.prefetch(window), what);
    for (;;) {
      // A count is no answer: a server that has just started says 0. Nor is what was looked at and let go, which
      // RabbitMQ puts behind others that it had to take back.
      const message = await this.#connection.call(() => this.#channel.get(from), what);
      if (message === false) return this.#moved;
      this.#begin(message);
      await this.#consume(what);
    }
  }

  /** Until nothing has come for a moment. */
  async #consume(what: string): Promise<void> {
    const { from } = this.#options;
    const onMessage = (message: ConsumeMessage | null): void => {
      if (message !== null) this.#begin(message);
    };
    const consuming = () => this.#channel.consume(from, onMessage);
    const { consumerTag } = await this.#connection.call(consuming, what);
    while (await this.#hasBegun()) await this.#acknowledge();
    await this.#connection.call(() => this.#channel.cancel(consumerTag), what);
    while (this.#begun.length > 0) await this.#acknowledge();
  }

  #begin(message: Message): void {
    if (this.#hasFailed) return;
    const outcome = this.#options.move(message).then(
      () => ({}),
      (failure: unknown) => {
        this.#hasFailed = true;
        return { failure };
      },
    );
    this.#begun.push({ message, outcome });
    this.#wake();
  }

  async #hasBegun(): Promise<boolean> {
    if (this.#begun.length > 0) return true;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, silenceMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    return this.#begun.length > 0;
  }

  /** Of some, so that RabbitMQ sends as many more meanwhile. */
  async #acknowledge(): Promise<void> {
    const moves = this.#begun.splice(0, acknowledgedTogether);
    const outcomes = await Promise.all(moves.map(({ outcome }) => outcome));
    const failedAt = outcomes.findIndex((it) => 'failure' in it);
    const count = failedAt < 0 ? moves.length : failedAt;
    const last = moves[count - 1];
    if (last !== undefined) this.#channel.ack(last.message, true);
    this.#moved += count;
    this.#tell();
    if (failedAt >= 0) await this.#fail(outcomes.slice(failedAt));
  }

  async #fail(outcomes: readonly { readonly failure?: unknown }[]): Promise<never> {
    const behind = await Promise.all(this.#begun.splice(0).map(({ outcome }) => outcome));
    const overtaking = [...outcomes, ...behind].filter((it) => !('failure' in it)).length;
    if (overtaking > 0) this.#options.onOvertaken(overtaking);
    throw outcomes[0]?.failure;
  }

  #tell(): void {
    const nowMs = performance.now();
    if (nowMs - this.#toldMs < progressEveryMs) return;
    this.#toldMs = nowMs;
    this.#options.onProgress(this.#moved);
  }
}

/** An exclusive queue goes with its connection, however that ends. */
async function take(connection: Connection, lock: string): Promise<void> {
  const what = `The queue ${lock} cannot be declared`;
  for (;;) {
    try {
      await onThrowAwayChannel(connection, (channel) =>
        connection.call(() => channel.assertQueue(lock, { exclusive: true, durable: false }), what),
      );
      return;
    } catch (error) {
      if (toAmqpFailure(error).code !== 405) throw buildUnavailable(what, error);
      await pause(lockedAgainMs);
    }
  }
}

async function release(connection: Connection, lock: string): Promise<void> {
  const deleting = (channel: Channel) =>
    connection.call(() => channel.deleteQueue(lock), `The queue ${lock} cannot be deleted`);
  await onThrowAwayChannel(connection, deleting).catch(() => undefined);
}
