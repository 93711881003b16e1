import { Worker } from 'node:worker_threads';
import type { Logger } from '../../core/ports/logger.ts';
import type { CheckpointReport, CheckpointThreadData } from './checkpoint-thread.ts';
import type { Database } from './database.ts';

/** In pages of 8 KiB: a log of 16 MiB is copied, and one of 64 MiB all the same is copied to its end at once. */
const due = 2_000;
const overdue = 8_000;
/** So little of it is left that to copy it holds up a commit for no more than some milliseconds. */
const rest = 200;

/**
 * Copies the write-ahead log into the file in a thread of its own: it takes many times as long as a commit, which
 * would wait for it otherwise. The log starts over when all of it is copied, and while messages keep coming a copy
 * never catches up: what came during the last one is copied between two commits.
 */
export class Checkpoints {
  readonly #database: Database;
  readonly #logger: Logger;
  readonly #thread: Worker;
  #isRunning = false;
  #isAlone = false;

  constructor(database: Database, file: CheckpointThreadData, logger: Logger) {
    this.#database = database;
    this.#logger = logger;
    this.#thread = new Worker(new URL('./checkpoint-thread.ts', import.meta.url), {
      workerData: file,
      resourceLimits: { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 16 },
    });
    database.checkpointBy('others');
    this.#thread.on('message', (report: CheckpointReport) => this.#finish(report));
    this.#thread.on('error', (error: Error) => this.#takeOver(error.message));
  }

  /** To be called between transactions, now and then. */
  check(): void {
    if (this.#isRunning || this.#isAlone || this.#database.logPages().left < due) return;
    this.#isRunning = true;
    this.#thread.postMessage('checkpoint');
  }

  async close(): Promise<void> {
    this.#isAlone = true;
    await this.#thread.terminate();
  }

  #finish({ failed }: CheckpointReport): void {
    this.#isRunning = false;
    if (failed !== undefined) {
      // Such as on a full disk: the log keeps what it has, and grows.
      this.#logger.warn({ error: failed }, 'The write-ahead log could not be copied; trying again');
      return;
    }
    const { left, all } = this.#database.logPages();
    if (left <= rest || all >= overdue) this.#database.checkpoint();
    else this.check();
  }

  /** Without the thread, commits do it as SQLite has it. */
  #takeOver(error: string): void {
    if (this.#isAlone) return;
    this.#isAlone = true;
    this.#logger.error({ error }, 'The thread for checkpoints ended; commits do its work.');
    this.#database.checkpointBy('commits');
  }
}
