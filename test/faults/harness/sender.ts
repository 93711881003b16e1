import { Child } from './child.ts';
import { patients } from './messages.ts';
import type { FaultContext } from './scenario.ts';
import { waitFor } from './wait.ts';

/** What is to be sent, and how. */
export interface Load {
  readonly port: number;
  /** The number of the first message. */
  readonly first: number;
  /** All connections of the load, and which of them are this process's. */
  readonly connections: number;
  readonly from: number;
  readonly to: number;
  /** Of all connections together; as fast as the answers come where it is not given. */
  readonly ratePerSecond?: number;
  /** How many messages; until told to finish where it is not given. */
  readonly count?: number;
  /** A connection that does not answer for as long is given up, and the message sent again. */
  readonly answerTimeoutMs: number;
}

export interface SenderProgress {
  readonly sent: number;
  readonly acknowledged: number;
  readonly resent: number;
  readonly refused: number;
  /** The slowest acknowledgment since this was last asked. */
  readonly slowestMs: number;
}

/** Everything that was sent; the arrays belong together. */
export interface SenderReport {
  readonly indexes: Int32Array;
  /** How often it was sent. */
  readonly sends: Int32Array;
  /** From when it was to be sent to its acknowledgment; NaN where there is none. */
  readonly latenciesMs: Float64Array;
  /** Such as `AR LAB000001`. */
  readonly refused: readonly string[];
  /** Answers whose MSA-2 was of another message. */
  readonly wrongAnswers: number;
}

export type SenderQuestion =
  | { readonly kind: 'start'; readonly load: Load }
  | { readonly kind: 'progress' | 'finish' | 'done' | 'abandon' | 'report' };

/** Senders: `processes` processes that share the connections of one load after the other. */
export class Sender {
  /** Numbers are never used twice in a scenario. */
  static #next = patients;
  /** The number of its first message; those of later senders are higher. */
  readonly first = Sender.#next;
  readonly #children: readonly Child[];

  private constructor(children: readonly Child[]) {
    this.#children = children;
  }

  static start(context: FaultContext, { processes = 1 } = {}): Sender {
    const children = Array.from({ length: processes }, () => new Child('sender-process.ts'));
    for (const child of children) context.atEnd(() => child.end());
    return new Sender(children);
  }

  /**
   * Begins to send to `port`. `connections` must divide {@link patients}, so that a patient has one
   * connection. At most a million messages a load.
   */
  async send(
    port: number,
    load: {
      readonly connections: number;
      readonly ratePerSecond?: number;
      readonly count?: number;
      readonly answerTimeoutMs?: number;
    },
  ): Promise<void> {
    const { connections, answerTimeoutMs = 20_000 } = load;
    if (patients % connections !== 0)
      throw new Error(`${connections} does not divide ${patients}.`);
    const first = Sender.#next;
    Sender.#next +=
      load.count === undefined ? 1_000_000 : patients * Math.ceil(load.count / patients);
    const share = connections / this.#children.length;
    await Promise.all(
      this.#children.map((child, at) =>
        child.ask({
          kind: 'start',
          load: {
            ...load,
            port,
            first,
            answerTimeoutMs,
            from: Math.round(at * share),
            to: Math.round((at + 1) * share),
          } satisfies Load,
        }),
      ),
    );
  }

  async progress(): Promise<SenderProgress> {
    const all = await this.#ask<SenderProgress>('progress');
    return all.reduce((sum, one) => ({
      sent: sum.sent + one.sent,
      acknowledged: sum.acknowledged + one.acknowledged,
      resent: sum.resent + one.resent,
      refused: sum.refused + one.refused,
      slowestMs: Math.max(sum.slowestMs, one.slowestMs),
    }));
  }

  /** Resolves when `more` acknowledgments have come since the call. */
  async acknowledged(more: number, withinMs: number): Promise<void> {
    const { acknowledged } = await this.progress();
    await waitFor(
      `${more} acknowledgments after the first ${acknowledged}`,
      () => this.progress(),
      {
        wanted: (progress) => progress.acknowledged >= acknowledged + more,
        withinMs,
      },
    );
  }

  /** Sends nothing new; resolves when everything sent is acknowledged or refused for good. */
  async finish(withinMs: number): Promise<void> {
    await this.#ask('finish', withinMs);
  }

  /** Resolves when all of a load with a count is acknowledged or refused for good. */
  async done(withinMs: number): Promise<void> {
    await this.#ask('done', withinMs);
  }

  /** Gives up what is not acknowledged yet. */
  async abandon(): Promise<void> {
    await this.#ask('abandon');
  }

  async report(): Promise<SenderReport> {
    const all = await this.#ask<SenderReport>('report', 60_000);
    return {
      indexes: Int32Array.from(all.flatMap(({ indexes }) => [...indexes])),
      sends: Int32Array.from(all.flatMap(({ sends }) => [...sends])),
      latenciesMs: Float64Array.from(all.flatMap(({ latenciesMs }) => [...latenciesMs])),
      refused: all.flatMap(({ refused }) => refused),
      wrongAnswers: all.reduce((sum, { wrongAnswers }) => sum + wrongAnswers, 0),
    };
  }

  /** Ends its processes; nothing can be asked after that. */
  async end(): Promise<void> {
    await Promise.all(this.#children.map((child) => child.end()));
  }

  #ask<T>(kind: Exclude<SenderQuestion['kind'], 'start'>, withinMs?: number): Promise<T[]> {
    return Promise.all(this.#children.map((child) => child.ask<T>({ kind }, withinMs)));
  }
}
