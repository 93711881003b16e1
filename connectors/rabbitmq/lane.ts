import { setTimeout as pause } from 'node:timers/promises';
import type { Connection } from './connection.ts';
import { toAmqpFailure } from './failures.ts';
import { LaneSession } from './lane-session.ts';
import type { LaneOptions, SessionEnd } from './lane-session.ts';

const firstDelayMs = 500;
const longestDelayMs = 30_000;

/**
 * A queue of the server that is consumed for as long as somebody wants it: one session after the other. This loop is
 * the only place where a session is opened, and it waits for nothing but what is bounded: the connection, the opening
 * and the end of the session.
 */
export class Lane {
  readonly #options: LaneOptions;
  /** The connection, when it is up. */
  readonly #ready: () => Promise<Connection>;
  readonly #stopping = new AbortController();
  #session: LaneSession | undefined;
  #paused: PromiseWithResolvers<undefined> | undefined;

  constructor(options: LaneOptions, ready: () => Promise<Connection>) {
    this.#options = options;
    this.#ready = ready;
  }

  get unsettled(): number {
    return this.#session?.unsettled ?? 0;
  }

  /** This consumer is the one that RabbitMQ gives it to, as far as that has shown. */
  get isActive(): boolean {
    return this.#session?.isActive ?? false;
  }

  /** Stopped, and nothing of it is held any more. */
  get finished(): boolean {
    return this.#isStopped() && this.#session === undefined;
  }

  /** Resolves when it consumes. Rejects with `queue-missing` or `broker-unavailable`: then it is not consumed. */
  async start(connection: Connection): Promise<void> {
    const session = await LaneSession.open(connection, this.#options);
    void this.#run(session);
  }

  async pause(): Promise<void> {
    this.#paused ??= Promise.withResolvers();
    await this.#session?.halt();
  }

  resume(): void {
    if (this.#isStopped()) return;
    this.#paused?.resolve(undefined);
    this.#paused = undefined;
    this.#session?.resume();
  }

  /** See {@link LaneSession.mayLetGo}. */
  get mayLetGo(): boolean {
    return this.#session?.mayLetGo ?? false;
  }

  /** Lets go of it when nothing of it is in hands, and stands in line for it again. See {@link LaneSession.yield}. */
  yield(withinMs: number): void {
    this.#session?.yield(withinMs);
  }

  /** Nothing more is handed out; what is held may be settled. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#paused?.resolve(undefined);
    await this.#session?.halt();
  }

  /** What is held goes back. RabbitMQ has heard of all that was settled when it resolves. */
  async close(): Promise<void> {
    this.#stopping.abort();
    this.#paused?.resolve(undefined);
    await this.#session?.close();
  }

  /** A call, since it may change across any await. */
  #isStopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #run(first: LaneSession): Promise<void> {
    const { logger, serverQueue: queue } = this.#options;
    let next: LaneSession | undefined = first;
    let delayMs = firstDelayMs;
    while (!this.#isStopped()) {
      await this.#paused?.promise;
      if (this.#isStopped()) break;
      try {
        const session: LaneSession =
          next ?? (await LaneSession.open(await this.#ready(), this.#options));
        next = undefined;
        const { reason, againMs } = await this.#attend(session);
        if (reason === undefined) {
          delayMs = firstDelayMs;
          continue;
        }
        if (againMs !== undefined) {
          logger.warn({ queue, reason }, 'A consumer takes back what it has, to keep its order');
          await this.#wait(againMs);
          continue;
        }
        logger.error({ queue, reason }, 'A consumer has ended; opening it again');
      } catch (error) {
        if (this.#isStopped()) break;
        const { message } = toAmqpFailure(error);
        logger.warn({ queue, reason: message }, 'A queue cannot be consumed; trying again');
      }
      await this.#wait(delayMs);
      delayMs = Math.min(2 * delayMs, longestDelayMs);
    }
    void next?.end();
  }

  async #wait(ms: number): Promise<void> {
    const { signal } = this.#stopping;
    await pause(ms, undefined, { signal, ref: false }).catch(() => undefined);
  }

  async #attend(session: LaneSession): Promise<SessionEnd> {
    this.#session = session;
    // Either may have come while it was opened.
    if (this.#isStopped() || this.#paused !== undefined) void session.halt();
    const end = await session.ended;
    this.#session = undefined;
    return end;
  }
}
