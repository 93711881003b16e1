import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import type { Envelope } from '../../core/envelope.ts';
import type { HilumError } from '../../core/errors.ts';
import { buildError, findFailure } from '../../core/errors.ts';
import type { Issue } from '../../core/issue.ts';
import type { Delivery, Outgoing, RetryOptions } from '../../core/ports/broker.ts';
import type { LedgerEntry } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { buildQueueMissing, buildUnavailable, toAmqpFailure } from './failures.ts';
import { findNotBefore } from './message.ts';

/** What one consumer needs of the broker around it. */
export interface LaneOptions {
  /** The queue's name as its callers know it, and on the server. */
  readonly queue: string;
  readonly serverQueue: string;
  readonly window: number;
  readonly handler: (delivery: Delivery) => void;
  readonly logger: Logger;
  readonly toEnvelope: (message: ConsumeMessage) => Envelope;
  /** Each publishes a copy with confirm; the original is acknowledged after it. */
  readonly publishRetry: (
    envelope: Envelope,
    retry: RetryOptions & { readonly delayMs: number },
  ) => Promise<void>;
  readonly publishParked: (message: ConsumeMessage, remainingMs: number) => Promise<void>;
  readonly publishDead: (envelope: Envelope, issues: readonly Issue[]) => Promise<void>;
  /** Publishes with confirm, before the original is settled. */
  readonly publishOutgoing: (outgoing: Outgoing) => Promise<void>;
  /** Tells the ledger, before the original is settled. */
  readonly record: (entries: readonly LedgerEntry[]) => Promise<void>;
}

/** What is made durable before a settlement. */
interface Settling {
  readonly outgoing?: readonly Outgoing[] | undefined;
  readonly entries?: readonly LedgerEntry[] | undefined;
}

const firstReopenDelayMs = 500;
const maxReopenDelayMs = 30_000;
const handlerFailureDelayMs = 5_000;
/** How long what could not be settled is held before it is delivered again. */
const settleFailureDelayMs = 1_000;

/**
 * One consumer of a queue on a channel of its own, which is opened again on the next connection and when
 * RabbitMQ closes it or cancels the consumer.
 */
export class Lane {
  readonly #options: LaneOptions;
  #channel: Channel | undefined;
  #consumerTag: string | undefined;
  #held = new Set<ConsumeMessage>();
  #stopped = false;
  #paused = false;
  #voiding = new AbortController();
  #reopenDelayMs = firstReopenDelayMs;
  #reopenTimer: NodeJS.Timeout | undefined;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  /** Delivered on the present channel and not settled. */
  get unsettled(): number {
    return this.#held.size;
  }

  /** Stopped, and nothing of it is held any more. */
  get finished(): boolean {
    return this.#stopped && this.#held.size === 0;
  }

  get queue(): string {
    return this.#options.queue;
  }

  /** Starts on this connection. Rejects with `queue-missing` or `broker-unavailable`. */
  async open(model: ChannelModel): Promise<void> {
    if (this.#stopped) return;
    const { queue, serverQueue, window } = this.#options;
    clearTimeout(this.#reopenTimer);
    this.#reopenTimer = undefined;
    try {
      const channel = await model.createChannel();
      // Why this channel alone was closed; unset when it went with its connection.
      let reason: string | undefined;
      channel.on('error', (error: Error) => {
        reason = error.message;
      });
      channel.on('close', () => this.#lose(channel, reason, model));
      this.#held = new Set();
      this.#channel = channel;
      channel.on('cancelled', () => {
        reason = 'consumer cancelled: the queue was deleted or has lost its leader';
        channel.close().catch(() => undefined);
      });
      await channel.prefetch(window);
      await this.#consume(channel);
      this.#reopenDelayMs = firstReopenDelayMs;
      if (this.#isStopped()) await this.#cancel();
    } catch (error) {
      if (toAmqpFailure(error).code === 404) throw buildQueueMissing(serverQueue);
      throw buildUnavailable(`The queue ${queue} cannot be consumed`, error);
    }
  }

  /** No more deliveries when it resolves, on this connection and on those that follow. */
  async pause(): Promise<void> {
    this.#paused = true;
    await this.#cancel();
  }

  async resume(): Promise<void> {
    this.#paused = false;
    // Without a channel the next one begins to consume.
    if (this.#channel === undefined || this.#consumerTag !== undefined) return;
    const channel = this.#channel;
    try {
      await this.#consume(channel);
    } catch (error) {
      if (this.#channel === channel) throw error;
    }
  }

  async #consume(channel: Channel): Promise<void> {
    if (this.#isPaused()) return;
    const { consumerTag } = await channel.consume(this.#options.serverQueue, (message) => {
      if (message !== null) this.#deliver(channel, message);
      else channel.emit('cancelled');
    });
    this.#consumerTag = consumerTag;
    // Either may have come while the server answered.
    if (this.#isPaused() || this.#isStopped()) await this.#cancel();
  }

  /** No more deliveries when it resolves; the channel stays until what is held is settled. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    clearTimeout(this.#reopenTimer);
    await this.#cancel();
  }

  async #cancel(): Promise<void> {
    const channel = this.#channel;
    const consumerTag = this.#consumerTag;
    this.#consumerTag = undefined;
    if (channel !== undefined && consumerTag !== undefined) {
      // A channel lost meanwhile delivers nothing either.
      await channel.cancel(consumerTag).catch(() => undefined);
    }
    this.#closeWhenSettled();
  }

  /** Calls, since either may change across any await. */
  #isPaused(): boolean {
    return this.#paused;
  }

  #isStopped(): boolean {
    return this.#stopped;
  }

  #deliver(channel: Channel, message: ConsumeMessage): void {
    this.#held.add(message);
    const remainingMs = (findNotBefore(message) ?? 0) - Date.now();
    if (remainingMs > 0) {
      this.#settle(channel, message, () => this.#options.publishParked(message, remainingMs)).catch(
        (error: unknown) => this.#logFailure(error, 'A parked message could not be parked again'),
      );
      return;
    }
    const delivery = this.#toDelivery(channel, message);
    try {
      this.#options.handler(delivery);
    } catch (error) {
      // An exception in here would end the connection, and the message would come back to do it again.
      this.#logFailure(error, 'A consumer threw; the message is retried');
      delivery.retry(handlerFailureDelayMs).catch(() => undefined);
    }
  }

  #toDelivery(channel: Channel, message: ConsumeMessage): Delivery {
    const { queue, toEnvelope, publishRetry, publishDead } = this.#options;
    const envelope = toEnvelope(message);
    let settling = false;
    const begin = (): void => {
      if (settling) throw buildAlreadySettled(queue, envelope.id);
      settling = true;
    };
    const store = async ({ outgoing = [], entries = [] }: Settling): Promise<void> => {
      begin();
      try {
        await Promise.all(outgoing.map((each) => this.#options.publishOutgoing(each)));
        if (entries.length > 0) await this.#options.record(entries);
      } catch (error) {
        if (findFailure(error)?.errorClass === 'permanent') settling = false;
        else this.#giveBack(channel, message);
        throw error;
      }
    };
    const settle = async (settling: Settling, before?: () => Promise<void>): Promise<void> => {
      await store(settling);
      await this.#settle(channel, message, before);
    };
    const requeue = async (settling: Settling): Promise<void> => {
      await store(settling);
      this.#assertCurrent(channel);
      this.#answer(message, () => channel.nack(message));
    };
    return {
      queue,
      envelope,
      redelivered: message.fields.redelivered,
      voided: this.#voiding.signal,
      accept: (outgoing, entries) => settle({ outgoing, entries }),
      // Given back as it was: to the head of its queue, where its order is.
      retry: (delayMs, options) =>
        delayMs === 0 && options?.countAttempt === false
          ? requeue(options)
          : settle(options ?? {}, () => publishRetry(envelope, { ...options, delayMs })),
      deadLetter: (issues, outgoing, entries) =>
        settle({ outgoing, entries }, () => publishDead(envelope, issues)),
    };
  }

  /** A tag means something on its own channel only: what was held on a lost one is delivered again. */
  async #settle(
    channel: Channel,
    message: ConsumeMessage,
    before?: () => Promise<void>,
  ): Promise<void> {
    this.#assertCurrent(channel);
    if (before !== undefined) {
      try {
        await before();
      } catch (error) {
        this.#giveBack(channel, message);
        throw error;
      }
      this.#assertCurrent(channel);
    }
    this.#answer(message, () => channel.ack(message));
  }

  #answer(message: ConsumeMessage, answer: () => void): void {
    try {
      answer();
    } catch (error) {
      throw buildUnavailable(
        `The channel that delivered from ${this.#options.queue} is closing; the message is delivered again`,
        error,
      );
    }
    this.#held.delete(message);
    this.#closeWhenSettled();
  }

  /** To the head of its queue again; not at once, or it would fail as fast as it is delivered. */
  #giveBack(channel: Channel, message: ConsumeMessage): void {
    const timer = setTimeout(() => {
      if (this.#channel !== channel || !this.#held.delete(message)) return;
      try {
        channel.nack(message);
      } catch {
        // It is closing, and RabbitMQ delivers again what was held on it.
      }
      this.#closeWhenSettled();
    }, settleFailureDelayMs);
    // The process need not stay for it: with its connection everything goes back.
    timer.unref();
  }

  #assertCurrent(channel: Channel): void {
    if (this.#channel === channel) return;
    throw buildUnavailable(
      `The channel that delivered from ${this.#options.queue} is gone; the message is delivered again`,
    );
  }

  #closeWhenSettled(): void {
    const channel = this.#channel;
    if (!this.#stopped || channel === undefined || this.#held.size > 0) return;
    this.#channel = undefined;
    channel.close().catch(() => undefined);
  }

  #lose(channel: Channel, reason: string | undefined, model: ChannelModel): void {
    if (this.#channel !== channel) return;
    this.#channel = undefined;
    this.#consumerTag = undefined;
    this.#held = new Set();
    this.#voiding.abort();
    this.#voiding = new AbortController();
    // Gone with its connection: the next one opens this lane.
    if (this.#stopped || reason === undefined) return;
    this.#options.logger.error(
      { queue: this.#options.serverQueue, reason },
      'RabbitMQ closed the channel of a consumer; opening it again',
    );
    this.#reopen(model);
  }

  #reopen(model: ChannelModel): void {
    if (this.#stopped) return;
    clearTimeout(this.#reopenTimer);
    this.#reopenTimer = setTimeout(() => {
      this.#reopenTimer = undefined;
      // Opened meanwhile, on the next connection.
      if (this.#channel !== undefined) return;
      this.open(model).catch((error: unknown) => {
        this.#logFailure(error, 'A queue cannot be consumed; trying again');
        // Where the channel was closed its event has done this already; where there was none, nobody has.
        if (this.#channel === undefined && this.#reopenTimer === undefined) this.#reopen(model);
      });
    }, this.#reopenDelayMs);
    this.#reopenDelayMs = Math.min(this.#reopenDelayMs * 2, maxReopenDelayMs);
  }

  #logFailure(error: unknown, what: string): void {
    const reason = toAmqpFailure(error).message;
    this.#options.logger.warn({ queue: this.#options.serverQueue, reason }, what);
  }
}

function buildAlreadySettled(queue: string, id: string): HilumError {
  const what = `The delivery of ${id} from ${queue} has been settled; a delivery is settled once`;
  return buildError('permanent', 'already-settled', what);
}
