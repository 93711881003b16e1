import { setTimeout as wait } from 'node:timers/promises';
import type { ReplayRequest, ReplayView } from '../../console/api/replays.ts';
import { findFailure } from '../../core/errors.ts';
import type { InterfaceDefinitions } from '../../core/interface.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Stores } from '../broker.ts';
import type { Clock } from '../clock.ts';
import { deriveId } from '../derived-id.ts';
import { planReplay } from './plan.ts';
import { replay } from './replay.ts';

export interface RunOptions {
  readonly stores: Stores;
  readonly definitions: () => InterfaceDefinitions;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** A run as its file keeps it. */
export interface StoredRun extends ReplayRequest, Omit<ReplayView, keyof ReplayRequest> {}

interface KeptOptions extends RunOptions {
  /** Durable when it resolves. */
  readonly keep: (run: StoredRun) => Promise<void>;
}

const stepSize = 200;
const againMs = 2_000;

/**
 * One replay of many messages: one after the other, in the order in which they were received, at most so many a
 * second. The copies' ids follow from the run's: whoever goes on after a stop or a crash finds what is done.
 */
export class ReplayRun {
  readonly #options: KeptOptions;
  readonly #stopping = new AbortController();
  #run: StoredRun;
  #ended: Promise<void> | undefined;

  constructor(run: StoredRun, options: KeptOptions) {
    this.#run = run;
    this.#options = options;
  }

  get stored(): StoredRun {
    return this.#run;
  }

  /** Goes on until all are replayed or it is stopped. */
  start(): void {
    this.#ended ??= this.#work();
  }

  /** Ends it for this process, which is about to end: it is still `running`, and goes on with the next. */
  async suspend(): Promise<void> {
    this.#stopping.abort();
    await this.#ended;
  }

  /** Resolves when nothing more is replayed, and that is durable. */
  async stop(): Promise<void> {
    await this.suspend();
    if (this.#run.state === 'running') await this.#change({ state: 'stopped' });
  }

  async #work(): Promise<void> {
    const { logger } = this.#options;
    while (!this.#stopping.signal.aborted) {
      try {
        await this.#pass();
        return;
      } catch (error) {
        const failure = findFailure(error);
        logger.warn({ run: this.#run.id, err: error }, 'A replay waits.');
        if (failure?.errorClass === 'permanent') {
          const code = failure.issues[0]?.code ?? 'failed';
          await this.#change({ state: 'stopped', reasons: { [code]: 1 } }).catch(() => undefined);
          return;
        }
        await this.#wait(againMs);
      }
    }
  }

  /** All that is not replayed yet. Rejects where ledger or broker are away; the next pass goes on from there. */
  async #pass(): Promise<void> {
    const { stores, logger } = this.#options;
    const { id, filter, step, startedAt, rate } = this.#run;
    const planned = await planReplay(stores.ledger, filter, { step, until: startedAt });
    await this.#change({ total: planned.length, replayed: 0, failed: 0, reasons: {} });
    const spacingMs = 1_000 / rate;
    let next = performance.now();
    for (let start = 0; start < planned.length; start += stepSize) {
      const part = planned.slice(start, start + stepSize).map((origin) => ({
        origin,
        copy: deriveId(origin, 'replay', id),
      }));
      const known = await stores.ledger.states(part.map(({ copy }) => copy));
      for (const { origin, copy } of part) {
        if (this.#isStopping()) return;
        const state = known.get(copy);
        if (state !== undefined && state !== 'received') {
          this.#count(state === 'refused' ? 'replay-refused' : undefined);
          continue;
        }
        // Who was late may not make up for it all at once.
        next = Math.max(next, performance.now() - spacingMs);
        await this.#wait(next - performance.now());
        if (this.#isStopping()) return;
        next += spacingMs;
        const isTold = state !== undefined;
        this.#count(await this.#replayOne(origin, { as: copy, isTold }));
      }
      await this.#change({});
    }
    await this.#change({ state: 'done' });
    const { replayed, failed } = this.#run;
    logger.info({ run: id, replayed, failed }, 'A replay is done.');
  }

  /** The code of the reason where it could not be. Rejects where trying again may help. */
  async #replayOne(
    origin: string,
    copy: { readonly as: string; readonly isTold: boolean },
  ): Promise<string | undefined> {
    const { stores, definitions, clock } = this.#options;
    const { id, by, step } = this.#run;
    const options = { stores, definitions: definitions(), clock, step, ...copy };
    try {
      const made = await replay(origin, `${by}, replay ${id}`, options);
      return made === undefined ? 'message-unknown' : undefined;
    } catch (error) {
      const failure = findFailure(error);
      if (failure?.errorClass !== 'permanent') throw error;
      return failure.issues[0]?.code ?? 'failed';
    }
  }

  #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  #count(reason?: string): void {
    const { replayed, failed, reasons } = this.#run;
    this.#run =
      reason === undefined
        ? { ...this.#run, replayed: replayed + 1 }
        : {
            ...this.#run,
            failed: failed + 1,
            reasons: { ...reasons, [reason]: (reasons[reason] ?? 0) + 1 },
          };
  }

  async #change(fields: Partial<StoredRun>): Promise<void> {
    this.#run = { ...this.#run, ...fields };
    await this.#options.keep(this.#run);
  }

  async #wait(ms: number): Promise<void> {
    if (ms <= 0) return;
    await wait(ms, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
  }
}
