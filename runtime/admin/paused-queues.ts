import { readFileIfAny, writeFileAtomically } from '../../connectors/file/write-file.ts';
import type { PausedQueue } from '../../console/api/administration.ts';

/** The queues of which nothing is taken, kept in a file of the data folder so that a restart keeps them. */
export class PausedQueues {
  readonly #file: string;
  #paused: ReadonlyMap<string, PausedQueue> = new Map();
  #writing: Promise<void> = Promise.resolve();

  private constructor(file: string) {
    this.#file = file;
  }

  /** Rejects where the file is there and cannot be read: what was paused must not start by itself. */
  static async open(file: string): Promise<PausedQueues> {
    const opened = new PausedQueues(file);
    const text = await readFileIfAny(file);
    if (text === undefined) return opened;
    try {
      const kept = JSON.parse(text) as readonly PausedQueue[];
      opened.#paused = new Map(kept.map((each) => [each.queue, each]));
    } catch (cause) {
      throw new Error(
        `A list of paused queues was expected in ${file} and cannot be read; mend it, or remove it to resume all.`,
        { cause },
      );
    }
    return opened;
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
        await writeFileAtomically(this.#file, `${JSON.stringify(this.list(), null, 2)}\n`);
      });
    await this.#writing;
  }
}
