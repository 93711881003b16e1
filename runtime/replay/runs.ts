import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { readFileIfAny, writeFileAtomically } from '../../connectors/file/write-file.ts';
import type { ReplayRequest, Replays, ReplayView } from '../../console/api/replays.ts';
import { requireFilter } from '../admin/selection.ts';
import { newId, toInstant } from '../ids.ts';
import { planReplay } from './plan.ts';
import { ReplayRun, type RunOptions, type StoredRun } from './run.ts';

interface Options extends RunOptions {
  readonly directory: string;
}

/** All replays of many messages, each kept in a file of its own. Those that were running go on. */
export class ReplayRuns implements Replays {
  readonly #options: Options;
  readonly #runs = new Map<string, ReplayRun>();

  private constructor(options: Options) {
    this.#options = options;
  }

  static async open(options: Options): Promise<ReplayRuns> {
    const runs = new ReplayRuns(options);
    const names = await readdir(options.directory).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    });
    for (const name of names.filter((each) => each.endsWith('.json')).sort()) {
      const stored = await readRun(path.join(options.directory, name), options);
      if (stored === undefined) continue;
      const run = runs.#add(stored);
      if (stored.state === 'running') run.start();
    }
    return runs;
  }

  async count({ filter, step }: Pick<ReplayRequest, 'filter' | 'step'>): Promise<number> {
    requireFilter(filter);
    const { stores, clock } = this.#options;
    const until = toInstant(clock());
    return (await planReplay(stores.ledger, filter, { step, until })).length;
  }

  async start(request: ReplayRequest): Promise<ReplayView> {
    requireFilter(request.filter);
    const now = this.#options.clock();
    const stored: StoredRun = {
      ...request,
      id: newId(now),
      startedAt: toInstant(now),
      state: 'running',
      replayed: 0,
      failed: 0,
      reasons: {},
    };
    await this.#keep(stored);
    const run = this.#add(stored);
    run.start();
    return toView(run);
  }

  find(id: string): ReplayView | undefined {
    const run = this.#runs.get(id);
    return run && toView(run);
  }

  list(): readonly ReplayView[] {
    return [...this.#runs.values()].map(toView).reverse();
  }

  async stop(id: string): Promise<ReplayView | undefined> {
    const run = this.#runs.get(id);
    await run?.stop();
    return run && toView(run);
  }

  async resume(id: string): Promise<ReplayView | undefined> {
    const stopped = this.#runs.get(id);
    if (stopped === undefined) return undefined;
    if (stopped.stored.state !== 'stopped') return toView(stopped);
    const run = this.#add({ ...stopped.stored, state: 'running' });
    await this.#keep(run.stored);
    run.start();
    return toView(run);
  }

  /** Hilum ends: what runs goes on with its next start. */
  async close(): Promise<void> {
    await Promise.all([...this.#runs.values()].map((run) => run.suspend()));
  }

  #add(stored: StoredRun): ReplayRun {
    const run = new ReplayRun(stored, { ...this.#options, keep: (each) => this.#keep(each) });
    this.#runs.set(stored.id, run);
    return run;
  }

  async #keep(run: StoredRun): Promise<void> {
    const file = path.join(this.#options.directory, `${run.id}.json`);
    await writeFileAtomically(file, `${JSON.stringify(run)}\n`);
  }
}

async function readRun(file: string, { logger }: RunOptions): Promise<StoredRun | undefined> {
  try {
    return JSON.parse((await readFileIfAny(file)) ?? '') as StoredRun;
  } catch (error) {
    logger.error({ file, err: error }, 'A replay cannot be read and does not go on.');
    return undefined;
  }
}

/** Without the filter, which may hold a patient's identifier. */
function toView({ stored }: ReplayRun): ReplayView {
  const { filter: _filter, ...view } = stored;
  return view;
}
