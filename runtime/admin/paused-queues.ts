import type { Kept } from './kept.ts';
import type { PausedQueue } from '../../console/api/administration.ts';

/** The queues of which nothing is taken, kept so that a restart keeps them. */
export class PausedQueues {
  readonly #kept: Kept;
  #paused: ReadonlyMap<string, PausedQueue> = new Map();
  #writing: Promise<void> = Promise.resolve();

  private constructor(kept: Kept) {
    this.#kept = kept;
  }

  /** Rejects where it is there and cannot be read: what was paused must not start by itself. */
  static async open(kept: Kept): Promise<PausedQueues> {
    const opened = new PausedQueues(kept);
    await opened.reload();
    return opened;
  }

  /** Somebody else may have changed them. Rejects as {@link open} does. */
  async reload(): Promise<void> {
    const text = await this.#kept.read();
    try {
      const list = text === undefined ? [] : (JSON.parse(text) as readonly PausedQueue[]);
      this.#paused = new Map(list.map((each) => [each.queue, each]));
    } catch (cause) {
      throw new Error(
        `A list of paused queues was expected in ${this.#kept.where} and cannot be read; mend it, or remove it to resume all.`,
        { cause },
      );
    }
  }

  list(): readonly PausedQueue[] {
    return [...this.#paused.values()];
  }

  names(): readonly string[] {
    return [...this.#paused.keys()];
  }

  /** Durable when it resolves. Whoever paused a queue first is remembered. */
  async add(paused: PausedQueue): Promise<void> {
    if (this.#paused.has(paused.queue)) return;
    await this.#write(new Map(this.#paused).set(paused.queue, paused));
  }

  async remove(queue: string): Promise<void> {
    const rest = new Map(this.#paused);
    if (rest.delete(queue)) await this.#write(rest);
  }

  async #write(paused: ReadonlyMap<string, PausedQueue>): Promise<void> {
    this.#paused = paused;
    // One after the other, each with what holds by then.
    this.#writing = this.#writing
      .catch(() => undefined)
      .then(async () => {
        await this.#kept.write(`${JSON.stringify(this.list(), null, 2)}\n`);
      });
    await this.#writing;
  }
}
