import { findFailure, HilumError, toLine } from '../../core/errors.ts';
import type { Cluster, Revision } from '../../core/ports/cluster.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Problem } from '../../console/api/control.ts';
import type { Kept } from '../admin/kept.ts';
import { pause } from '../consuming.ts';

interface Options {
  readonly cluster: Cluster;
  /** Beside the role: the last revision that ran here. */
  readonly kept: Kept;
  readonly logger: Logger;
  readonly stopping: AbortSignal;
  /** What of a revision is kept beside the role, which another role's need not be. */
  readonly strip: (revision: Revision) => Revision;
}

/** `away`: it is not known which is the newest; `refused`: this one does not start here. */
export type Followed = 'followed' | 'away' | { readonly refused: number };

const firstRevisionMs = 1_000;

/**
 * Which revision a role runs: the newest that starts here. A role that starts while PostgreSQL is away begins with the last
 * one that ran here, and takes the newest as soon as that can be asked for. One call after the other.
 */
export class FollowedRevision {
  readonly #options: Options;
  #running: Pick<Revision, 'number' | 'at'> | undefined;
  /** Nobody has said since the start that it is the newest. */
  #isUnconfirmed = false;
  #beginning: keyof typeof beginnings = 'starting';
  /** Why a newer one does not run here. */
  #refused: Problem | undefined;

  constructor(options: Options) {
    this.#options = options;
  }

  /** 0: none yet. */
  get number(): number {
    return this.#running?.number ?? 0;
  }

  /** The one to begin with, which the console has to make where there is none yet. Undefined: it is to stop. */
  async first(): Promise<Revision | undefined> {
    const { stopping, logger } = this.#options;
    for (;;) {
      const before = this.#beginning;
      const found = await this.#findFirst();
      if (found !== undefined || stopping.aborted) return found;
      if (this.#beginning !== before) logger.info({}, beginnings[this.#beginning].message);
      await pause(firstRevisionMs, stopping);
    }
  }

  /** It runs here from now on. Never rejects: without the copy it is asked for at the next start. */
  async runs(revision: Revision): Promise<void> {
    const { kept, logger, strip } = this.#options;
    this.#running = { number: revision.number, at: revision.at };
    if (this.#isUnconfirmed) return;
    try {
      await kept.write(JSON.stringify(strip(revision)));
    } catch (error) {
      logger.warn(
        { err: error },
        `The revision that runs is not kept in ${kept.where}: a start while PostgreSQL is away will not know it.`,
      );
    }
  }

  /** Goes by the newest, where that is another: `change` has it run, and rejects where it does not start. */
  async follow(change: (revision: Revision) => Promise<void>): Promise<Followed> {
    const { cluster, logger } = this.#options;
    let newest: Revision | undefined;
    try {
      newest = await cluster.latest();
    } catch (error) {
      logger.debug({ err: error }, 'It is not known whether there is a newer revision.');
      return 'away';
    }
    this.#isUnconfirmed = false;
    if (newest === undefined) return 'followed';
    if (this.#isRunning(newest)) {
      this.#refused = undefined;
      return 'followed';
    }
    try {
      await change(newest);
    } catch (error) {
      this.#refuse(newest, error);
      return { refused: newest.number };
    }
    this.#refused = undefined;
    await this.runs(newest);
    logger.info({ revision: newest.number }, 'Another revision runs.');
    return 'followed';
  }

  problems(): readonly Problem[] {
    if (this.#running === undefined) return [{ part: 'engine', ...beginnings[this.#beginning] }];
    return this.#refused === undefined ? [] : [this.#refused];
  }

  /** What is not as usual although messages are taken. */
  notes(): readonly string[] {
    return this.#isUnconfirmed && this.#running !== undefined ? [unconfirmed(this.number)] : [];
  }

  async #findFirst(): Promise<Revision | undefined> {
    const { cluster, logger } = this.#options;
    try {
      const newest = await cluster.latest();
      this.#beginning = newest === undefined ? 'none' : 'starting';
      return newest;
    } catch (error) {
      const kept = await this.#readKept();
      this.#beginning = kept === undefined ? 'unknown' : 'starting';
      if (kept === undefined) return undefined;
      this.#isUnconfirmed = true;
      logger.warn({ err: error, revision: kept.number }, unconfirmed(kept.number));
      return kept;
    }
  }

  /** A database that was restored from a backup may have another one of the same number. */
  #isRunning({ number, at }: Revision): boolean {
    return this.#running?.number === number && this.#running.at === at;
  }

  #refuse(newest: Revision, error: unknown): void {
    const words = error instanceof HilumError ? error.issues.map(toLine).join('; ') : String(error);
    this.#options.logger.error({ err: error }, 'The newest revision does not run here.');
    this.#refused = {
      part: 'engine',
      code: 'revision-not-running',
      message: `Revision ${this.number} runs here, and revision ${newest.number} does not start: ${words}`,
    };
  }

  async #readKept(): Promise<Revision | undefined> {
    const { kept, logger } = this.#options;
    try {
      const text = await kept.read();
      return text === undefined ? undefined : (JSON.parse(text) as Revision);
    } catch (error) {
      logger.error(
        { err: error },
        `Expected the last revision in ${kept.where}, found none that can be read.`,
      );
      return undefined;
    }
  }
}

/** Why nothing runs yet. */
const beginnings = {
  starting: { code: 'role-starting', message: 'This role is starting.' },
  none: {
    code: 'nothing-deployed',
    message: 'Nothing is deployed yet: start the console, which makes the first revision.',
  },
  unknown: {
    code: 'ledger-unavailable',
    message:
      'PostgreSQL is away, and nothing ran here before: what is deployed is known when it is back.',
  },
} as const;

/** Whether it will be known by asking again soon, as against what somebody has to mend. */
export function isAway(error: unknown): boolean {
  return findFailure(error)?.errorClass === 'transient';
}

function unconfirmed(number: number): string {
  return `PostgreSQL is away: revision ${number} runs here, the last one that did; a newer one is taken when PostgreSQL is back.`;
}
