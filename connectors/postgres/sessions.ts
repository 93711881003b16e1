import type pg from 'pg';
import { buildError } from '../../core/errors.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { sqlStateOf, toFailure } from './failures.ts';

interface Options<Session extends { readonly client: pg.Client }> {
  /** Opens one that is ready for work. */
  readonly open: () => Promise<Session>;
  readonly size: number;
  readonly logger: Logger;
}

const firstDelayMs = 50;
const longestDelayMs = 1_000;

/**
 * Connections to PostgreSQL, at most so many, each used by one at a time. One that fails is replaced when it is needed;
 * while none can be opened, whoever asks hears so at once, and a new try is made once a second at most.
 */
export class Sessions<Session extends { readonly client: pg.Client }> {
  readonly #options: Options<Session>;
  readonly #idle: Session[] = [];
  readonly #waiting: (() => void)[] = [];
  readonly #atWork = new Set<Promise<unknown>>();
  #count = 0;
  #delayMs = 0;
  #retryAtMs = 0;
  #isAway = false;
  #isClosed = false;

  constructor(options: Options<Session>) {
    this.#options = options;
  }

  /** Rejects with what `work` rejects with, as the ledger's port tells it. */
  use<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const used = this.#use(work);
    this.#atWork.add(used);
    const done = (): void => void this.#atWork.delete(used);
    used.then(done, done);
    return used;
  }

  /** When all that was asked is answered. */
  async close(): Promise<void> {
    while (this.#atWork.size > 0) await Promise.allSettled(this.#atWork);
    this.#isClosed = true;
    await Promise.all(
      this.#idle.splice(0).map(({ client }) => client.end().catch(() => undefined)),
    );
  }

  async #use<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const session = await this.#take();
    try {
      const result = await work(session);
      this.#giveBack(session);
      return result;
    } catch (error) {
      // The server refused a value, and the transaction is ended: the connection is as good as before.
      if (toFailure(error).errorClass === 'permanent') this.#giveBack(session);
      else this.#drop(session, error);
      throw toFailure(error);
    }
  }

  async #take(): Promise<Session> {
    for (;;) {
      if (this.#isClosed) {
        throw buildError('transient', 'ledger-unavailable', 'The ledger was closed.');
      }
      const session = this.#idle.pop();
      if (session !== undefined) return session;
      if (this.#count < this.#options.size) return this.#open();
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  async #open(): Promise<Session> {
    const { logger } = this.#options;
    if (performance.now() < this.#retryAtMs) {
      // Whoever waited behind is told too.
      this.#waiting.shift()?.();
      throw buildError('transient', 'ledger-unavailable', 'PostgreSQL is away.');
    }
    this.#count += 1;
    try {
      const session = await this.#options.open();
      session.client.once('end', () => this.#forget(session));
      if (this.#isAway) logger.info({}, 'PostgreSQL is there again.');
      this.#isAway = false;
      this.#delayMs = 0;
      return session;
    } catch (error) {
      this.#count -= 1;
      this.#delayMs = Math.min(Math.max(firstDelayMs, 2 * this.#delayMs), longestDelayMs);
      this.#retryAtMs = performance.now() + this.#delayMs;
      const failure = toFailure(error);
      if (!this.#isAway) logger.warn({ err: failure }, 'PostgreSQL is away.');
      this.#isAway = true;
      this.#waiting.shift()?.();
      throw failure;
    }
  }

  #giveBack(session: Session): void {
    this.#idle.push(session);
    this.#waiting.shift()?.();
  }

  #drop(session: Session, error: unknown): void {
    this.#count -= 1;
    const { client } = session;
    client.removeAllListeners('end');
    void client.end().catch(() => undefined);
    // One that was promoted or demoted: the others may be of the same server.
    if (sqlStateOf(error) === undefined || sqlStateOf(error) === '25006') {
      for (const other of this.#idle.splice(0)) {
        this.#count -= 1;
        other.client.removeAllListeners('end');
        void other.client.end().catch(() => undefined);
      }
    }
    this.#waiting.shift()?.();
  }

  /** It ended while nobody used it. */
  #forget(session: Session): void {
    const index = this.#idle.indexOf(session);
    if (index < 0) return;
    this.#idle.splice(index, 1);
    this.#count -= 1;
  }
}
