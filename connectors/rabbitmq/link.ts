import type { ChannelModel, RecoveringChannelModel } from 'amqplib';
import { connect } from 'amqplib';
import { buildError, findFailure } from '../../core/errors.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { buildUnavailable, toAmqpFailure } from './failures.ts';

/**
 * Whether the broker takes messages: `blocked` while RabbitMQ is short of memory or disk, `refused` where it lets us in
 * no more (user, password, permissions).
 */
export type LinkState = 'connected' | 'blocked' | 'disconnected' | 'refused';

interface LinkOptions {
  readonly url: string;
  /** `publish` or `consume`: what RabbitMQ's list of connections and the log show. */
  readonly name: string;
  readonly logger: Logger;
  /** Makes on each new connection what lives on it; a rejection drops the connection and tries again. */
  readonly setup: (model: ChannelModel) => Promise<void>;
  readonly onState: (state: LinkState) => void;
}

// A dead network shows after two of these.
const heartbeatSeconds = 15;
const handshakeTimeoutMs = 10_000;
const closeTimeoutMs = 5_000;

/** One AMQP connection that comes back by itself, with exponential backoff up to 10 s. */
export class Link {
  readonly #options: LinkOptions;
  readonly #where: string;
  #connection: RecoveringChannelModel | undefined;
  #model: ChannelModel | undefined;
  #closed = false;
  #waiting = new Set<(model: ChannelModel | undefined) => void>();

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#where = toPlace(options.url);
  }

  /**
   * Resolves when the connection is up for the first time. Rejects with `broker-access-refused` or
   * `broker-topology-differs` (permanent) as soon as RabbitMQ says so, with `broker-unavailable` after
   * `timeoutMs`.
   */
  async open(timeoutMs: number): Promise<void> {
    const { url, name, logger, setup } = this.#options;
    const connection = (this.#connection = await connect(withHeartbeat(url), {
      noDelay: true,
      keepAlive: true,
      timeout: handshakeTimeoutMs,
      clientProperties: { connection_name: `hilum ${name} ${process.pid}` },
      recovery: {
        maxDelay: 10_000,
        waitForConnect: false,
        setup: async (model: ChannelModel) => {
          // Lost while it is being set up: the setup rejects.
          model.on('error', () => undefined);
          await setup(model);
        },
      },
    }));
    connection.on('error', () => undefined);
    connection.on('connect', (model: ChannelModel) => {
      logger.info({ connection: name, broker: this.#where }, 'RabbitMQ connected');
      this.#model = model;
      for (const wake of this.#waiting) wake(model);
      this.#options.onState('connected');
    });
    connection.on('disconnect', (error: Error) => {
      this.#model = undefined;
      if (this.#closed) return;
      logger.warn(
        { connection: name, broker: this.#where, reason: error.message },
        'RabbitMQ connection lost; connecting again',
      );
      this.#options.onState('disconnected');
    });
    connection.on('blocked', (reason: string) => {
      logger.warn({ connection: name, broker: this.#where, reason }, 'RabbitMQ blocks publishers');
      this.#options.onState('blocked');
    });
    connection.on('unblocked', () => {
      logger.info({ connection: name, broker: this.#where }, 'RabbitMQ takes messages again');
      this.#options.onState('connected');
    });
    await this.#untilFirstConnected(connection, timeoutMs);
  }

  /** The connection, at once where it is up, else when it is back. Rejects with `broker-unavailable`. */
  ready(timeoutMs: number): Promise<ChannelModel> {
    if (this.#model !== undefined) return Promise.resolve(this.#model);
    if (this.#closed) return Promise.reject(buildUnavailable('The broker has been closed'));
    return new Promise((resolve, reject) => {
      const wake = (model: ChannelModel | undefined): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        if (model === undefined) reject(buildUnavailable(`No connection to ${this.#where}`));
        else resolve(model);
      };
      const timer = setTimeout(wake, timeoutMs, undefined);
      this.#waiting.add(wake);
    });
  }

  /** Closes politely; what does not answer is left to its heartbeat. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const wake of this.#waiting) wake(undefined);
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, closeTimeoutMs);
    });
    await Promise.race([this.#connection?.close(), patience]);
    clearTimeout(timer);
    this.#model = undefined;
  }

  async #untilFirstConnected(connection: RecoveringChannelModel, timeoutMs: number): Promise<void> {
    let lastError: unknown;
    let timer: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        timer = setTimeout(() => {
          const what = `RabbitMQ at ${this.#where} did not answer within ${timeoutMs / 1000} s`;
          reject(buildUnavailable(what, lastError));
        }, timeoutMs);
        connection.on('connect', () => resolve());
        connection.on('connect-failed', (error: Error) => {
          lastError = error;
          const refusal = this.#findRefusal(error);
          if (refusal === undefined) this.#logFailure(error);
          else reject(refusal);
        });
      });
    } catch (error) {
      await this.close();
      throw error;
    } finally {
      clearTimeout(timer);
      connection.removeAllListeners('connect-failed');
      connection.on('connect-failed', (error: Error) => {
        const refusal = this.#findRefusal(error);
        this.#logFailure(refusal ?? error);
        this.#options.onState(refusal === undefined ? 'disconnected' : 'refused');
      });
    }
  }

  /** What will not go away by trying again: wrong credentials, a virtual host, a differing exchange. */
  #findRefusal(error: Error): Error | undefined {
    if (findFailure(error)?.errorClass === 'permanent') return error;
    const { code, message } = toAmqpFailure(error);
    if (code !== 403 && code !== 530) return undefined;
    return buildError(
      'permanent',
      'broker-access-refused',
      `RabbitMQ at ${this.#where} refused us: ${message}. Check user, password and virtual host in RABBITMQ_URL.`,
      error,
    );
  }

  #logFailure(error: Error): void {
    this.#options.logger.warn(
      { connection: this.#options.name, broker: this.#where, reason: error.message },
      'RabbitMQ cannot be reached; trying again',
    );
  }
}

/** Host, port and virtual host: what a message may say about a URL that holds a password. */
function toPlace(url: string): string {
  const { hostname, port, pathname } = new URL(url);
  return `${hostname}:${port === '' ? 5672 : port}${pathname === '/' ? '' : pathname}`;
}

function withHeartbeat(url: string): string {
  const parsed = new URL(url);
  if (!parsed.searchParams.has('heartbeat')) {
    parsed.searchParams.set('heartbeat', String(heartbeatSeconds));
  }
  return parsed.href;
}
