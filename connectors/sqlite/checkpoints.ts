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
  /** How much the copy under way was to copy. */
  #left = 0;
  #isAlone = false;

  constructor(database: Database, file: CheckpointThreadData, logger: Logger) {
    this.#database = database;
    this.#logger = logger;
    this.#thread = new Worker(new URL('./checkpoint-thread.ts', import.meta.url), {
      workerData: file,
      // It has 10 MiB when its modules are read. A heap that is full may end the whole process, not the thread alone.
      resourceLimits: { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 32 },
    });
    database.checkpointBy('others');
    this.#thread.on('message', (report: CheckpointReport) => this.#finish(report));
    this.#thread.on('error', (error: Error) => this.#takeOver(error.message));
  }

  /** To be called between transactions, now and then. */
  check(): void {
    if (this.#isRunning || this.#isAlone) return;
    const { left } = this.#database.logPages();
    if (left >= due) this.#start(left);
  }

  async close(): Promise<void> {
    this.#isAlone = true;
    await this.#thread.terminate();
  }

  #start(left: number): void {
    this.#isRunning = true;
    this.#left = left;
    this.#thread.postMessage('checkpoint');
  }

  #finish({ failed }: CheckpointReport): void {
    this.#isRunning = false;
    if (failed !== undefined) {
      // Such as on a full disk: the log keeps what it has, and grows.
      this.#logger.warn(
        { error: failed },
        'The write-ahead log could not be copied into the file: is its disk full? Trying again',
      );
      return;
    }
    const { left, all } = this.#database.logPages();
    if (left <= rest || all >= overdue) this.#database.checkpoint();
    // Each copy is shorter than the one before, and so is what comes meanwhile.
    else if (left < this.#left && !this.#isAlone) this.#start(left);
  }

  /** Without the thread, commits do it as SQLite has it. */
  #takeOver(error: string): void {
    if (this.#isAlone) return;
    this.#isAlone = true;
    this.#logger.error({ error }, 'The thread for checkpoints ended; commits do its work.');
    this.#database.checkpointBy('commits');
  }
}
