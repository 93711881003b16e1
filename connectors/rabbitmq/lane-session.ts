import type { Channel, ConsumeMessage } from 'amqplib';
import type { ConsumeOptions, Delivery, HeldLane } from '../../core/ports/broker.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { Acknowledgments } from './acknowledgments.ts';
import type { Connection } from './connection.ts';
import { watchConsumer } from './consumer-watch.ts';
import { buildQueueMissing, buildUnavailable, toAmqpFailure } from './failures.ts';
import { isAnnouncement } from './lane-choice.ts';
import { Moves } from './moves.ts';
import { buildDelivery } from './settlement.ts';
import type { SettlementPublisher } from './settlement.ts';

/** What is consumed, and what is done with it. */
export interface LaneOptions {
  /** The queue's name as its callers know it, and on the server. */
  readonly queue: string;
  readonly serverQueue: string;
  /** How many deliveries are unsettled at a time. */
  readonly window: number;
  /**
   * Of a lane: one that comes again must not come behind others that have been handed out meanwhile. Absent for a queue
   * that is in no order.
   */
  readonly lane?: Pick<HeldLane, 'has'> & Pick<ConsumeOptions, 'onLane' | 'mayLetGo'>;
  readonly handler: (delivery: Delivery) => void;
  readonly publisher: SettlementPublisher;
  /** What takes a message that is not for the handler to where it belongs; undefined where it is. */
  readonly findMove: (message: ConsumeMessage) => (() => Promise<void>) | undefined;
  /** RabbitMQ closes a channel with a message that is unsettled for 30 minutes: we do before it does. */
  readonly recycleAfterMs: number;
  readonly logger: Logger;
}

const handlerFailureDelayMs = 5_000;
/** How long what could not be settled is held before that is tried again. */
const againMs = 1_000;
const lookEveryMs = 20_000;

/** Why a session is over. */
export interface SessionEnd {
  /** What is wrong; absent where nobody wants it any more or its connection went. */
  readonly reason?: string | undefined;
  /** The next one is to be opened after as long; absent: it is for the lane to say. */
  readonly againMs?: number;
}

/**
 * One consumer on one channel, from its opening to its end; the lane opens another one then. Every message of it is
 * either in a handler's hands, or waits here for its turn: what was given back is handed out again from here, since
 * RabbitMQ would put it behind others that are held. What is unsettled when the channel goes comes back in its order.
 */
export class LaneSession {
  readonly #connection: Connection;
  readonly #channel: Channel;
  readonly #options: LaneOptions;
  readonly #acknowledgments: Acknowledgments;
  /** In a handler's hands, or on the way to where it belongs. */
  readonly #handedOut = new Set<ConsumeMessage>();
  /** For the handler, in the order of the queue; `again`: it had it before. */
  readonly #waiting: { readonly message: ConsumeMessage; readonly again: boolean }[] = [];
  readonly #moves = new Moves({
    mayBegin: () => this.#mayBegin(),
    isOver: () => this.#isOver,
    onBegun: (message) => this.#handedOut.add(message),
    onMoved: (message) => this.#acknowledge(message),
    onFailed: (message, error) => this.#keepUnmoved(message, error),
  });
  readonly #voiding = new AbortController();
  readonly #losing = new AbortController();
  readonly #lane: HeldLane | undefined;
  readonly #ended = Promise.withResolvers<SessionEnd>();
  #isOver = false;
  #isHalted = false;
  /** The lane is to be given to somebody else, until then; unset while nobody wants that. */
  #yielding: NodeJS.Timeout | undefined;
  #hasDelivered = false;
  /** Whoever consumes has dealt with what is to come before the first message. */
  #isOpen = false;

  private constructor(connection: Connection, channel: Channel, options: LaneOptions) {
    this.#connection = connection;
    this.#channel = channel;
    this.#options = options;
    this.#acknowledgments = new Acknowledgments(channel, (error) =>
      // They are delivered again, and known to be settled.
      this.#warn('RabbitMQ could not be told of what is settled', error),
    );
    const { lane } = options;
    const { signal: lost } = this.#losing;
    this.#lane = lane && { window: options.window, has: (key) => lane.has(key), lost };
    // Why this channel alone was closed; unset when it went with its connection.
    let reason: string | undefined;
    channel.on('error', (error: Error) => {
      reason = error.message;
    });
    channel.on('close', () => this.#end({ reason }));
    const { serverQueue, recycleAfterMs } = options;
    const stopWatching = watchConsumer({
      ...{ connection, channel, serverQueue },
      everyMs: Math.min(lookEveryMs, recycleAfterMs),
      findReason: () => {
        // On a new channel its time begins anew.
        const isHeldLong = (this.#acknowledgments.oldestMs ?? 0) >= recycleAfterMs;
        return isHeldLong ? 'a message is held for long' : undefined;
      },
      onUnanswered: (error) => this.#warn('A queue that is consumed does not answer', error),
      onWrong: (wrong) => void this.end(wrong),
    });
    void this.ended.then(stopWatching);
  }

  /** Consumes. Rejects with `queue-missing` or `broker-unavailable`. */
  static async open(connection: Connection, options: LaneOptions): Promise<LaneSession> {
    const { queue, serverQueue, window } = options;
    const what = `The queue ${serverQueue} cannot be consumed`;
    try {
      const channel = await connection.createChannel();
      const session = new LaneSession(connection, channel, options);
      await connection.call(() => channel.prefetch(window), what);
      const onMessage = (message: ConsumeMessage | null): void => {
        if (message !== null) session.#deliver(message);
        else void session.end('consumer cancelled: the queue was deleted or has lost its leader');
      };
      await connection.call(() => channel.consume(serverQueue, onMessage), what);
      return session;
    } catch (error) {
      if (toAmqpFailure(error).code === 404) throw buildQueueMissing(serverQueue);
      throw buildUnavailable(`The queue ${queue} cannot be consumed`, error);
    }
  }

  /** Resolves when it is over. */
  get ended(): Promise<SessionEnd> {
    return this.#ended.promise;
  }

  /** Delivered and not settled. */
  get unsettled(): number {
    return this.#acknowledgments.unsettled;
  }

  /** RabbitMQ has given it some: of several consumers of a lane, one is. */
  get isActive(): boolean {
    return this.#hasDelivered && !this.#isOver;
  }

  /** Nothing is under way that only the consumer knows of. */
  get mayLetGo(): boolean {
    const lane = this.#lane;
    return lane === undefined || (this.#options.lane?.mayLetGo?.(lane) ?? true);
  }

  /**
   * Over as soon as what is handed out is settled, so that RabbitMQ gives the queue to whoever waits for it, and nobody
   * has anything of it in hands then. Where that takes longer than `withinMs`, or it may not be let go of, it goes on as
   * before.
   */
  yield(withinMs: number): void {
    if (this.#isOver || this.#isHalted || this.#yielding !== undefined || !this.mayLetGo) return;
    this.#yielding = setTimeout(() => this.#keep(), withinMs);
    this.#yielding.unref();
    this.#endWhenSettled();
  }

  #keep(): void {
    clearTimeout(this.#yielding);
    this.#yielding = undefined;
    this.#goOn();
  }

  #goOn(): void {
    this.#handOut();
    void this.#moves.goOn();
  }

  /**
   * Nothing more is handed out or moved. What is may be settled; then it is over, and what waits goes back in its order.
   * Where nothing is, RabbitMQ has heard of all that was settled when it resolves.
   */
  async halt(): Promise<void> {
    this.#isHalted = true;
    if (this.#handedOut.size === 0) await this.end();
  }

  resume(): void {
    this.#isHalted = false;
    this.#goOn();
  }

  /** As `end`, behind a move that is under way: ended before it is confirmed, that message would be there twice. */
  async close(): Promise<void> {
    this.#isHalted = true;
    await this.#moves.settled;
    await this.end();
  }

  /** All that is unsettled goes back to the queue; RabbitMQ has heard of the rest when it resolves. Never rejects. */
  async end(reason?: string): Promise<void> {
    await this.#endAs({ reason });
  }

  async #endAs(end: SessionEnd): Promise<void> {
    if (this.#isOver) return;
    this.#acknowledgments.tell();
    this.#end(end);
    const closing = () => this.#channel.close();
    await this.#connection.call(closing, 'A channel cannot be closed').catch(() => undefined);
  }

  #end(end: SessionEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#yielding);
    this.#acknowledgments.clear();
    if (this.#handedOut.size > 0) this.#voiding.abort();
    this.#losing.abort();
    this.#handedOut.clear();
    this.#waiting.length = 0;
    this.#moves.clear();
    this.#ended.resolve(end);
  }

  #deliver(message: ConsumeMessage): void {
    if (this.#isOver) return;
    if (!this.#hasDelivered) void this.#begin();
    this.#acknowledgments.add(message);
    if (isAnnouncement(message.properties.headers)) {
      this.#acknowledge(message);
      return;
    }
    const move = this.#options.findMove(message);
    if (move === undefined) this.#waiting.push({ message, again: false });
    else this.#moves.add({ message, move });
    this.#goOn();
  }

  /** It waits here for another try. */
  #keepUnmoved(message: ConsumeMessage, error: unknown): void {
    this.#warn('A message could not be moved to where it belongs', error);
    this.#handedOut.delete(message);
    this.#endWhenSettled();
  }

  /** RabbitMQ has given us the lane: whoever consumes hears of it before the first message. */
  async #begin(): Promise<void> {
    this.#hasDelivered = true;
    const lane = this.#lane;
    try {
      if (lane !== undefined) await this.#options.lane?.onLane?.(lane);
    } catch (error) {
      this.#warn('Whoever consumes cannot begin', error);
      await this.#endAs({ reason: 'whoever consumes cannot begin', againMs });
    }
    this.#isOpen = true;
    this.#handOut();
  }

  #mayBegin(): boolean {
    return !this.#isOver && !this.#isHalted && this.#yielding === undefined;
  }

  #handOut(): void {
    if (!this.#isOpen) return;
    while (this.#mayBegin()) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#handedOut.add(next.message);
      this.#hand(next);
    }
  }

  #hand({ message, again }: { readonly message: ConsumeMessage; readonly again: boolean }): void {
    const { queue, publisher, handler } = this.#options;
    const held = {
      queue,
      message,
      redelivered: again || message.fields.redelivered,
      voided: this.#voiding.signal,
      assertCurrent: () => this.#assertCurrent(),
      acknowledge: () => this.#acknowledge(message),
      giveBack: (when: 'now' | 'soon') => this.#giveBack(message, when),
    };
    const delivery = buildDelivery(held, publisher);
    try {
      handler(delivery);
    } catch (error) {
      // An exception in here would end the connection, and the message would come back to do it again.
      this.#warn('A consumer threw; the message is retried', error);
      delivery.retry(handlerFailureDelayMs).catch(() => undefined);
    }
  }

  #acknowledge(message: ConsumeMessage): void {
    this.#assertCurrent();
    this.#acknowledgments.acknowledge(message);
    this.#handedOut.delete(message);
    this.#endWhenSettled();
  }

  /** Not at once where it could not be settled, or it would fail as fast as it is delivered. */
  #giveBack(message: ConsumeMessage, when: 'now' | 'soon'): void {
    if (when === 'soon' && this.#options.lane !== undefined) {
      // All that is handed out goes back with it, and comes again in its order: those behind it wait for it.
      void this.#endAs({ reason: 'a message could not be settled', againMs });
      return;
    }
    // The process need not stay for it: with its connection everything goes back.
    if (when === 'soon') setTimeout(() => this.#giveBack(message, 'now'), againMs).unref();
    else if (this.#handedOut.delete(message)) {
      const { deliveryTag } = message.fields;
      const behind = this.#waiting.findIndex((it) => it.message.fields.deliveryTag > deliveryTag);
      const at = behind < 0 ? this.#waiting.length : behind;
      this.#waiting.splice(at, 0, { message, again: true });
      setImmediate(() => this.#handOut());
      this.#endWhenSettled();
    }
  }

  #endWhenSettled(): void {
    if (this.#handedOut.size > 0) return;
    const isYielding = this.#yielding !== undefined;
    if (this.#isHalted || (isYielding && this.mayLetGo)) void this.end();
    else if (isYielding) this.#keep();
  }

  #assertCurrent(): void {
    if (this.#isOver) throw this.#buildGone();
  }

  #buildGone(cause?: unknown): Error {
    const what = `The channel that delivered from ${this.#options.queue} is gone; the message is delivered again`;
    return buildUnavailable(what, cause);
  }

  #warn(what: string, error: unknown): void {
    const { logger, serverQueue } = this.#options;
    logger.warn({ queue: serverQueue, reason: toAmqpFailure(error).message }, what);
  }
}
