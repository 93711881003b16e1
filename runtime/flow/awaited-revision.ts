import type { Logger } from '../../core/ports/logger.ts';

interface Options {
  /** The newest revision whose messages are this worker's to run; absent: there are no revisions here. */
  readonly revision: number | undefined;
  /** How long a newer one may take to come, in milliseconds; default 30 s. */
  readonly patienceMs?: number;
  readonly logger: Logger;
}

const usualPatienceMs = 30_000;

/**
 * Where roles run apart, each takes a new revision by itself, and an edge that has it may take a message by what only that
 * revision knows. A worker leaves such a message alone until it runs that revision too, or gives way to one that does, or
 * it is known that the revision does not run here. Where nobody says so for long, the message goes on.
 */
export class AwaitedRevision {
  readonly #logger: Logger;
  readonly #patienceMs: number;
  #revision: number | undefined;
  #newest = 0;
  #reached = Promise.withResolvers<undefined>();
  #patience: NodeJS.Timeout | undefined;

  constructor({ revision, patienceMs = usualPatienceMs, logger }: Options) {
    this.#revision = revision;
    this.#patienceMs = patienceMs;
    this.#logger = logger;
  }

  /** What is made here is made by this one. */
  get number(): number | undefined {
    return this.#revision;
  }

  /** Messages that were taken by this revision, and by those before it, are this worker's to run. */
  reached(revision: number): void {
    if (this.#revision === undefined || revision <= this.#revision) return;
    this.#revision = revision;
    this.#wake();
  }

  /** Resolves when a message that was taken by this revision may run; undefined: now. Never rejects. */
  wait(revision: number | undefined): Promise<void> | undefined {
    return this.#isAhead(revision) ? this.#until(revision) : undefined;
  }

  async #until(revision: number): Promise<void> {
    this.#newest = Math.max(this.#newest, revision);
    if (this.#patience === undefined) {
      this.#logger.info(
        { revision, runs: this.#revision },
        'Messages that were taken by a newer revision wait until it runs here.',
      );
      this.#patience = setTimeout(() => {
        this.#goOn();
      }, this.#patienceMs).unref();
    }
    while (this.#isAhead(revision)) await this.#reached.promise;
  }

  #isAhead(revision: number | undefined): revision is number {
    return revision !== undefined && this.#revision !== undefined && revision > this.#revision;
  }

  #goOn(): void {
    this.#logger.warn(
      { revision: this.#newest, runs: this.#revision },
      'A newer revision does not come: the messages that were taken by it go on without.',
    );
    this.reached(this.#newest);
  }

  #wake(): void {
    clearTimeout(this.#patience);
    this.#patience = undefined;
    const reached = this.#reached;
    this.#reached = Promise.withResolvers();
    reached.resolve(undefined);
  }
}
