import { setTimeout as pause } from 'node:timers/promises';
import { buildError, findFailure } from '../../core/errors.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { RabbitAccess } from './addresses.ts';
import { buildConnect, toPlace } from './addresses.ts';
import { Connection } from './connection.ts';
import { buildUnavailable, toAmqpFailure } from './failures.ts';

/**
 * Whether the broker takes messages: `blocked` while RabbitMQ is short of memory or disk, `refused` where it lets us in
 * no more (user, password, permissions).
 */
export type LinkState = 'connected' | 'blocked' | 'disconnected' | 'refused';

/** How long is waited for the server. */
export interface Patience {
  /** For the answer to one call. */
  readonly answerMs: number;
  /** At the longest before it is connected to again. */
  readonly longestDelayMs: number;
}

/** Long for one call to a server that is well, and short beside what is held up by one that is not. */
export const usualPatience: Patience = { answerMs: 10_000, longestDelayMs: 5_000 };

interface LinkOptions {
  /** The members of one cluster. */
  readonly urls: readonly URL[];
  readonly access: RabbitAccess;
  /** `publish` or `consume`: what RabbitMQ's list of connections and the log show. */
  readonly name: string;
  readonly logger: Logger;
  readonly patience: Patience;
  /** Makes on each new connection what lives on it; a rejection drops the connection and tries again. */
  readonly setup: (connection: Connection) => Promise<void>;
  readonly onState: (state: LinkState) => void;
}

const closeTimeoutMs = 5_000;
const firstDelayMs = 100;
/** What is lost sooner counts as not having come about: it is not tried again at full speed. */
const shortLifeMs = 5_000;

/**
 * One AMQP connection that comes back by itself, to the next host each time, with exponential backoff
 * once all were tried.
 */
export class Link {
  readonly #options: LinkOptions;
  /** The one to connect to next. Where to begin is left to chance: the processes spread over the hosts. */
  #at: number;
  #connection: Connection | undefined;
  #connecting: Connection | undefined;
  #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #waiting = new Set<(connection: Connection | undefined) => void>();
  #onFailure: (error: Error) => void = () => undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#at = Math.floor(Math.random() * options.urls.length);
  }

  /** Connects from now on, whenever that is possible. */
  start(): void {
    this.#running ??= this.#run();
  }

  /**
   * Resolves when the connection is up for the first time. Rejects with `broker-access-refused` or
   * `broker-topology-differs` (permanent) as soon as every host has said so, with `broker-unavailable` after
   * `timeoutMs`.
   */
  async open(timeoutMs: number): Promise<void> {
    let lastError: unknown;
    let refusals = 0;
    const refused = new Promise<never>((_, reject) => {
      this.#onFailure = (error) => {
        lastError = error;
        const isRefusal = findFailure(error)?.errorClass === 'permanent';
        refusals = isRefusal ? refusals + 1 : 0;
        if (refusals >= this.#options.urls.length) reject(error);
      };
    });
    this.start();
    try {
      await Promise.race([this.ready(timeoutMs), refused]);
    } catch (error) {
      await this.close();
      if (findFailure(error)?.errorClass === 'permanent') throw error;
      const what = `RabbitMQ at ${this.#places} did not answer within ${timeoutMs / 1000} s`;
      throw buildUnavailable(what, lastError);
    } finally {
      this.#onFailure = () => undefined;
    }
  }

  /**
   * The connection, at once where it is up, else when it is back. Rejects with `broker-unavailable` after `timeoutMs`
   * (default: never), or when the link is closed.
   */
  ready(timeoutMs?: number): Promise<Connection> {
    if (this.#connection?.isLost === false) return Promise.resolve(this.#connection);
    if (this.#isClosed()) return Promise.reject(buildUnavailable('The broker has been closed'));
    return new Promise((resolve, reject) => {
      const wake = (connection: Connection | undefined): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        if (connection !== undefined) resolve(connection);
        else reject(buildUnavailable(`No connection to ${this.#places}`));
      };
      const timer = timeoutMs === undefined ? undefined : setTimeout(wake, timeoutMs, undefined);
      this.#waiting.add(wake);
    });
  }

  /** Closes politely; what does not answer is dropped. Idempotent. */
  async close(): Promise<void> {
    if (this.#isClosed()) return;
    this.#stopping.abort();
    for (const wake of this.#waiting) wake(undefined);
    await Promise.all([this.#connection, this.#connecting].map((each) => this.#end(each)));
    // One that is being made is ended when it is there.
    await Promise.race([this.#running, pause(closeTimeoutMs, undefined, { ref: false })]);
  }

  get #places(): string {
    return this.#options.urls.map(toPlace).join(', ');
  }

  #isClosed(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #run(): Promise<void> {
    const { urls, patience } = this.#options;
    let failures = 0;
    while (!this.#isClosed()) {
      const url = urls[this.#at % urls.length];
      if (url === undefined) throw new Error('unreachable: a URL was parsed');
      const startedAt = performance.now();
      try {
        await this.#serve(url);
        failures = performance.now() - startedAt > shortLifeMs ? 0 : failures + 1;
      } catch (error) {
        failures += 1;
        this.#at += 1;
        this.#report(url, error instanceof Error ? error : new Error(String(error)));
      }
      // Each host once without waiting.
      const rounds = Math.floor(failures / urls.length);
      const delayMs = Math.min(patience.longestDelayMs, firstDelayMs * 2 ** Math.min(10, rounds));
      await this.#wait(rounds === 0 && failures > 0 ? 0 : delayMs * (0.8 + 0.4 * Math.random()));
    }
  }

  async #wait(ms: number): Promise<void> {
    await pause(ms, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
  }

  /** Connects, and resolves when that connection is lost. Rejects where it does not come about. */
  async #serve(url: URL): Promise<void> {
    const { name, logger, setup, access, onState, patience } = this.#options;
    const at = { connection: name, broker: toPlace(url) };
    const [target, options] = await buildConnect(url, access);
    const connection = await Connection.open(target, options, {
      name: `hilum ${name} ${process.pid}`,
      answerMs: patience.answerMs,
    });
    this.#connecting = connection;
    connection.onBlocked((reason) => {
      if (reason === undefined) logger.info(at, 'RabbitMQ takes messages again');
      else logger.warn({ ...at, reason }, 'RabbitMQ blocks publishers');
      if (this.#connection === connection) onState(reason === undefined ? 'connected' : 'blocked');
    });
    try {
      if (this.#isClosed()) throw new Error('closed');
      await setup(connection);
      if (connection.isLost) throw await connection.lost;
    } catch (error) {
      await this.#end(connection);
      throw error;
    } finally {
      this.#connecting = undefined;
    }
    if (this.#isClosed()) {
      await this.#end(connection);
      return;
    }
    logger.info(at, 'RabbitMQ connected');
    this.#connection = connection;
    for (const wake of this.#waiting) wake(connection);
    onState('connected');
    const { message: reason } = await connection.lost;
    this.#connection = undefined;
    if (this.#isClosed()) return;
    logger.warn({ ...at, reason }, 'RabbitMQ connection lost; connecting again');
    onState('disconnected');
  }

  async #end(connection: Connection | undefined): Promise<void> {
    const closing = connection?.close().catch(() => undefined);
    await Promise.race([closing, pause(closeTimeoutMs, undefined, { ref: false })]);
    connection?.drop(new Error('It was not closed in time.'));
  }

  #report(url: URL, error: Error): void {
    if (this.#isClosed()) return;
    const failure = this.#findRefusal(url, error) ?? error;
    this.#onFailure(failure);
    const isRefused = findFailure(failure)?.errorClass === 'permanent';
    this.#options.onState(isRefused ? 'refused' : 'disconnected');
    this.#options.logger.warn(
      {
        connection: this.#options.name,
        broker: toPlace(url),
        code: findFailure(failure)?.issues[0]?.code ?? 'broker-unavailable',
        reason: toAmqpFailure(failure).message,
      },
      isRefused
        ? 'RabbitMQ refuses Hilum; trying again'
        : 'RabbitMQ cannot be reached; trying again',
    );
  }

  /** What only people can mend: wrong credentials, a virtual host, a differing exchange. */
  #findRefusal(url: URL, error: Error): Error | undefined {
    if (findFailure(error)?.errorClass === 'permanent') return error;
    const { code, message } = toAmqpFailure(error);
    if (code !== 403 && code !== 530) return undefined;
    return buildError(
      'permanent',
      'broker-access-refused',
      `RabbitMQ at ${toPlace(url)} refused us: ${message}. Check user, password and virtual host (RABBITMQ_URL, RABBITMQ_PASSWORD_FILE, RABBITMQ_CERT).`,
      error,
    );
  }
}
