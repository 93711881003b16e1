import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import type { Delivery } from '../../core/ports/broker.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { buildQueueMissing, buildUnavailable, toAmqpFailure } from './failures.ts';
import { Holding } from './holding.ts';
import { inTime } from './in-time.ts';
import { findNotBefore } from './message.ts';
import { buildDelivery } from './settlement.ts';
import type { Held, SettlementPublisher } from './settlement.ts';
import type { Turnstile } from './turnstile.ts';

/** What a lane needs of the consumer around it. */
export interface LaneOptions {
  /** The queue's name as its callers know it, and on the server. */
  readonly queue: string;
  readonly serverQueue: string;
  readonly window: number;
  readonly turnstile: Turnstile;
  /** The server gives it to one consumer at a time: the order stays as it is while one is held. */
  readonly ordered: boolean;
  readonly handler: (delivery: Delivery) => void;
  readonly logger: Logger;
  readonly publisher: SettlementPublisher;
  /** The connection, when it is up. */
  readonly model: () => Promise<ChannelModel>;
  /** RabbitMQ closes a channel on which a message is unsettled for longer than 30 minutes: we do before it does. */
  readonly recycleAfterMs: number;
  /**
   * A message that is not for the handler: true where it is to be acknowledged, false where it is another
   * consumer's, which gets it when this lane is let go of. Absent: none is ours.
   */
  readonly onFence?: ((message: ConsumeMessage) => boolean) | undefined;
  /** It consumes on a new channel. */
  readonly onOpen?: (() => void) | undefined;
  /** A message was settled. */
  readonly onSettled?: (() => void) | undefined;
}

const firstReopenDelayMs = 500;
const maxReopenDelayMs = 30_000;
const handlerFailureDelayMs = 5_000;
/** How long what could not be settled is held before it is delivered again. */
const settleFailureDelayMs = 1_000;

/** What makes a message one that is not for a handler: when it was sent, in milliseconds since 1970. */
export const fenceHeader = 'hilum-fence';
/** A fence that is older belongs to a process that went away without taking it. */
const fenceLifeMs = 10 * 60_000;
/** A fence that is kept for another consumer takes no place of a message. */
const placesForFences = 16;

/**
 * One consumer of one queue of the server, on a channel of its own, which is opened again on the next connection
 * and when RabbitMQ closes it or cancels the consumer.
 */
export class Lane {
  readonly #options: LaneOptions;
  #channel: Channel | undefined;
  #model: ChannelModel | undefined;
  #consumerTag: string | undefined;
  #holding = new Holding();
  #stopped = false;
  #paused = false;
  #voiding = new AbortController();
  #reopenDelayMs = firstReopenDelayMs;
  #reopenTimer: NodeJS.Timeout | undefined;
  #ageTimer: NodeJS.Timeout | undefined;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  /** Delivered on the present channel and not settled. */
  get unsettled(): number {
    return this.#holding.size;
  }

  /** Stopped, and nothing of it is held any more. */
  get finished(): boolean {
    return this.#stopped && this.#channel === undefined;
  }

  /** Starts on this connection. Rejects with `queue-missing` or `broker-unavailable`. */
  async open(model: ChannelModel): Promise<void> {
    if (this.#isStopped() || (this.#paused && this.#options.ordered)) return;
    if (this.#channel !== undefined && this.#model === model) return;
    const { queue, serverQueue, window, ordered } = this.#options;
    clearTimeout(this.#reopenTimer);
    this.#reopenTimer = undefined;
    try {
      const channel = await model.createChannel();
      // Why this channel alone was closed; unset when it went with its connection.
      let reason: string | undefined;
      channel.on('error', (error: Error) => {
        reason = error.message;
      });
      channel.on('close', () => this.#lose(channel, reason));
      this.#holding = new Holding();
      this.#channel = channel;
      this.#model = model;
      channel.on('cancelled', () => {
        reason = 'consumer cancelled: the queue was deleted or has lost its leader';
        channel.close().catch(() => undefined);
      });
      await channel.prefetch(ordered ? window + placesForFences : window);
      await this.#consume(channel);
      this.#reopenDelayMs = firstReopenDelayMs;
      this.#options.onOpen?.();
    } catch (error) {
      if (toAmqpFailure(error).code === 404) throw buildQueueMissing(serverQueue);
      throw buildUnavailable(`The queue ${queue} cannot be consumed`, error);
    }
  }

  /** No more deliveries when it resolves, on this connection and on those that follow. */
  async pause(): Promise<void> {
    this.#paused = true;
    await this.#halt();
  }

  async resume(): Promise<void> {
    if (!this.#paused) return;
    this.#paused = false;
    try {
      const channel = this.#channel;
      if (channel !== undefined && this.#consumerTag === undefined) await this.#consume(channel);
      if (channel === undefined && this.#options.ordered)
        await this.open(await this.#options.model());
      this.#pump();
    } catch (error) {
      // Where the connection is gone the next one opens it.
      this.#logFailure(error, 'A queue cannot be consumed again yet');
      if (this.#channel === undefined && this.#reopenTimer === undefined) this.#reopenLater();
    }
  }

  /** No more deliveries when it resolves; the channel stays until what is held is settled. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    clearTimeout(this.#reopenTimer);
    await this.#halt();
  }

  async #consume(channel: Channel): Promise<void> {
    if (this.#isHalted()) {
      this.#closeWhenSettled();
      return;
    }
    const { serverQueue } = this.#options;
    const consuming = channel.consume(serverQueue, (message) => {
      if (message !== null) this.#deliver(channel, message);
      else channel.emit('cancelled');
    });
    const { consumerTag } = await inTime(consuming, `The queue ${serverQueue} cannot be consumed`);
    if (this.#channel === channel) this.#consumerTag = consumerTag;
    // Either may have come while the server answered.
    if (this.#isHalted()) await this.#halt();
  }

  /**
   * An ordered lane stays this consumer's while it holds something, or another would get what comes behind it:
   * its channel is closed when all is settled, and only then is the next one's turn.
   */
  async #halt(): Promise<void> {
    const channel = this.#channel;
    const consumerTag = this.#consumerTag;
    if (!this.#options.ordered && channel !== undefined && consumerTag !== undefined) {
      this.#consumerTag = undefined;
      // A channel lost meanwhile delivers nothing either.
      await channel.cancel(consumerTag).catch(() => undefined);
      for (const message of this.#holding.takeWaiting()) this.#return(channel, message);
    }
    this.#closeWhenSettled();
  }

  /** Calls, since either may change across any await. */
  #isHalted(): boolean {
    return this.#paused || this.#stopped;
  }

  #isStopped(): boolean {
    return this.#stopped;
  }

  #deliver(channel: Channel, message: ConsumeMessage): void {
    if (this.#channel !== channel) return;
    this.#holding.hold(message);
    this.#watchAge();
    if (message.properties.headers?.[fenceHeader] !== undefined) {
      if (isOver(message) || (this.#options.onFence?.(message) ?? false)) {
        this.#acknowledge(channel, message);
      }
      return;
    }
    const remainingMs = (findNotBefore(message) ?? 0) - Date.now();
    if (remainingMs > 0) {
      this.#park(channel, message, remainingMs).catch((error: unknown) =>
        this.#logFailure(error, 'A parked message could not be parked again'),
      );
      return;
    }
    this.#holding.wait(message);
    this.#pump();
  }

  readonly #pump = (): void => {
    const channel = this.#channel;
    while (channel !== undefined && this.#channel === channel && !this.#isHalted()) {
      if (!this.#holding.hasWaiting || !this.#options.turnstile.enter(this.#pump)) return;
      const next = this.#holding.next();
      if (next !== undefined) this.#handOut(channel, next.message, next.again);
    }
  };

  #handOut(channel: Channel, message: ConsumeMessage, again: boolean): void {
    const held: Held = {
      queue: this.#options.queue,
      message,
      redelivered: again || message.fields.redelivered,
      voided: this.#voiding.signal,
      assertCurrent: () => this.#assertCurrent(channel),
      acknowledge: () => this.#acknowledge(channel, message),
      giveBack: (when) => this.#giveBack(channel, message, when),
    };
    const delivery = buildDelivery(held, this.#options.publisher);
    try {
      this.#options.handler(delivery);
    } catch (error) {
      // An exception in here would end the connection, and the message would come back to do it again.
      this.#logFailure(error, 'A consumer threw; the message is retried');
      delivery.retry(handlerFailureDelayMs).catch(() => undefined);
    }
  }

  async #park(channel: Channel, message: ConsumeMessage, remainingMs: number): Promise<void> {
    try {
      await this.#options.publisher.park(message, remainingMs);
    } catch (error) {
      this.#giveBack(channel, message, 'soon');
      throw error;
    }
    this.#acknowledge(channel, message);
  }

  #acknowledge(channel: Channel, message: ConsumeMessage): void {
    this.#assertCurrent(channel);
    try {
      channel.ack(message);
    } catch (error) {
      throw this.#buildGone(error);
    }
    this.#release(message);
  }

  #release(message: ConsumeMessage): void {
    if (this.#holding.release(message)) this.#options.turnstile.leave();
    this.#options.onSettled?.();
    this.#closeWhenSettled();
  }

  /** Not at once where it could not be settled, or it would fail as fast as it is delivered. */
  #giveBack(channel: Channel, message: ConsumeMessage, when: 'now' | 'soon'): void {
    const giveBack = (): void => {
      if (this.#channel !== channel || !this.#holding.has(message)) return;
      if (this.#options.ordered && !this.#isParked(message)) this.#keep(message);
      else this.#return(channel, message);
    };
    if (when === 'now') giveBack();
    // The process need not stay for it: with its connection everything goes back.
    else setTimeout(giveBack, settleFailureDelayMs).unref();
  }

  #isParked(message: ConsumeMessage): boolean {
    return (findNotBefore(message) ?? 0) > Date.now();
  }

  /** It waits for its turn here: RabbitMQ would give it back behind others that are held. */
  #keep(message: ConsumeMessage): void {
    this.#holding.giveBack(message);
    this.#options.turnstile.leave();
    this.#closeWhenSettled();
    setImmediate(this.#pump);
  }

  #return(channel: Channel, message: ConsumeMessage): void {
    try {
      channel.nack(message);
    } catch {
      // It is closing, and RabbitMQ delivers again what was held on it.
    }
    this.#release(message);
  }

  #assertCurrent(channel: Channel): void {
    if (this.#channel !== channel) throw this.#buildGone();
  }

  #buildGone(cause?: unknown): Error {
    const what = `The channel that delivered from ${this.#options.queue} is gone; the message is delivered again`;
    return buildUnavailable(what, cause);
  }

  #closeWhenSettled(): void {
    const mayClose = this.#stopped || (this.#paused && this.#options.ordered);
    const isSettled = this.#options.ordered
      ? this.#holding.handedOut === 0
      : this.#holding.size === 0;
    if (mayClose && isSettled) void this.#letGo();
  }

  /** What is still held goes back to RabbitMQ, to the head of the queue and in its order. */
  #letGo(): Promise<void> {
    const channel = this.#channel;
    if (channel === undefined) return Promise.resolve();
    this.#forget();
    return channel.close().catch(() => undefined);
  }

  #forget(): void {
    this.#channel = undefined;
    this.#consumerTag = undefined;
    clearTimeout(this.#ageTimer);
    this.#ageTimer = undefined;
    const { handedOut } = this.#holding;
    this.#holding = new Holding();
    if (handedOut > 0) this.#voiding.abort();
    this.#voiding = new AbortController();
    this.#options.turnstile.leave(handedOut);
  }

  #watchAge(): void {
    const ageMs = this.#holding.oldestAgeMs();
    if (this.#ageTimer !== undefined || ageMs === undefined) return;
    const { recycleAfterMs } = this.#options;
    const timer = setTimeout(
      () => {
        this.#ageTimer = undefined;
        if ((this.#holding.oldestAgeMs() ?? 0) >= recycleAfterMs) this.#recycle();
        else this.#watchAge();
      },
      Math.max(1, recycleAfterMs - ageMs),
    );
    this.#ageTimer = timer;
    timer.unref();
  }

  /** A channel of ours with a message that is long unsettled: on a new one its time begins anew. */
  #recycle(): void {
    const { serverQueue, logger } = this.#options;
    logger.info({ queue: serverQueue }, 'A message is held long; its channel is opened again');
    void this.#letGo().then(() => this.#reopen(0));
  }

  #lose(channel: Channel, reason: string | undefined): void {
    if (this.#channel !== channel) return;
    this.#forget();
    // Gone with its connection: the next one opens this lane.
    if (this.#stopped || reason === undefined) return;
    this.#options.logger.error(
      { queue: this.#options.serverQueue, reason },
      'RabbitMQ closed the channel of a consumer; opening it again',
    );
    this.#reopenLater();
  }

  #reopenLater(): void {
    this.#reopen(this.#reopenDelayMs);
    this.#reopenDelayMs = Math.min(this.#reopenDelayMs * 2, maxReopenDelayMs);
  }

  #reopen(delayMs: number): void {
    const model = this.#model;
    if (this.#stopped || model === undefined) return;
    clearTimeout(this.#reopenTimer);
    this.#reopenTimer = setTimeout(() => {
      this.#reopenTimer = undefined;
      // Opened meanwhile, or to be opened, on the next connection.
      if (this.#channel !== undefined || this.#model !== model) return;
      this.open(model).catch((error: unknown) => {
        this.#logFailure(error, 'A queue cannot be consumed; trying again');
        // Where the channel was closed its event has done this already; where there was none, nobody has.
        if (this.#channel !== undefined || this.#reopenTimer !== undefined) return;
        this.#reopenLater();
      });
    }, delayMs);
  }

  #logFailure(error: unknown, what: string): void {
    const reason = toAmqpFailure(error).message;
    this.#options.logger.warn({ queue: this.#options.serverQueue, reason }, what);
  }
}

function isOver(fence: ConsumeMessage): boolean {
  const sentAt: unknown = fence.properties.headers?.[fenceHeader];
  return typeof sentAt !== 'number' || Date.now() - sentAt > fenceLifeMs;
}
