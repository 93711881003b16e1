import type { Channel, ChannelModel, ConfirmChannel } from 'amqplib';
import { connect } from 'amqplib';
import { buildUnavailable } from './failures.ts';

const handshakeTimeoutMs = 10_000;

/**
 * One connection, from the handshake to its end. Every call that waits for an answer of the server goes through
 * `call`: a quorum queue without a leader, as just after a crash, may leave it unanswered for ever, and the client has
 * no bound of its own. Such a connection is dropped as a whole, since no channel of it can be trusted, or closed.
 */
export class Connection {
  readonly #model: ChannelModel;
  readonly #answerMs: number;
  readonly #pending = new Set<(error: Error) => void>();
  readonly #lost = Promise.withResolvers<Error>();
  #isLost = false;

  private constructor(model: ChannelModel, answerMs: number) {
    this.#model = model;
    this.#answerMs = answerMs;
    let reason: Error | undefined;
    model.on('error', (error: Error) => {
      reason = error;
    });
    model.on('close', (error?: Error) => {
      this.#isLost = true;
      const why = reason ?? error ?? new Error('closed');
      for (const fail of this.#pending) fail(why);
      this.#lost.resolve(why);
    });
  }

  /** Each call may take `answerMs`. Rejects where nobody answers, or with what the server says of us. */
  static async open(
    url: string,
    options: object,
    { name, answerMs }: { readonly name: string; readonly answerMs: number },
  ): Promise<Connection> {
    const model = await connect(url, {
      ...options,
      noDelay: true,
      keepAlive: true,
      timeout: handshakeTimeoutMs,
      clientProperties: { connection_name: name },
    });
    return new Connection(model, answerMs);
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  /** Resolves when it is gone, with the reason. */
  get lost(): Promise<Error> {
    return this.#lost.promise;
  }

  onBlocked(tell: (reason: string | undefined) => void): void {
    this.#model.on('blocked', tell);
    this.#model.on('unblocked', () => tell(undefined));
  }

  createChannel(): Promise<Channel> {
    return this.call(() => this.#model.createChannel(), 'A channel cannot be opened');
  }

  createConfirmChannel(): Promise<ConfirmChannel> {
    return this.call(() => this.#model.createConfirmChannel(), 'A channel cannot be opened');
  }

  /**
   * The server's answer, or its refusal. Rejects with `broker-unavailable`, and drops the connection, where none comes;
   * rejects when the connection goes.
   */
  call<Result>(call: () => PromiseLike<Result>, what: string): Promise<Result> {
    return new Promise((resolve, reject) => {
      const fail = (error: unknown): void => {
        clearTimeout(timer);
        this.#pending.delete(fail);
        reject(error instanceof Error ? error : new Error(String(error)));
      };
      const timer = setTimeout(() => {
        const late = buildUnavailable(
          `${what}: RabbitMQ did not answer within ${this.#answerMs / 1000} s; the connection is dropped`,
        );
        fail(late);
        this.drop(late);
      }, this.#answerMs);
      this.#pending.add(fail);
      try {
        void call().then((result) => {
          clearTimeout(timer);
          this.#pending.delete(fail);
          resolve(result);
        }, fail);
      } catch (error) {
        // A channel that is closed already refuses in the call itself.
        fail(error);
      }
    });
  }

  /** Ends it without a word: what was unsettled on it is delivered again. */
  drop(reason: Error): void {
    if (this.#isLost) return;
    // The client's own `close` would wait for an answer too.
    const { connection } = this.#model as unknown as {
      readonly connection: { readonly stream: { destroy(error: Error): void } };
    };
    connection.stream.destroy(reason);
  }

  /** Closes politely. Rejects where the server does not answer. */
  async close(): Promise<void> {
    if (this.#isLost) return;
    try {
      await this.call(() => this.#model.close(), 'The connection cannot be closed');
    } catch (error) {
      // Its end is what was asked for.
      if (!this.isLost) throw error;
    }
  }
}
