import { findFailure } from '../../core/errors.ts';
import type { Append } from './appended.ts';

interface Waiting extends Append {
  readonly done: PromiseWithResolvers<undefined>;
}

/** One transaction takes so much at most: its locks are held for as long. */
const maxEntries = 2_000;
const maxBytes = 16 * 1024 * 1024;

/** Makes one transaction of all that is appended while the one before is written: one flush to the disk for all of them. */
export class AppendQueue {
  readonly #write: (group: readonly Append[]) => Promise<void>;
  #waiting: Waiting[] = [];
  #isWriting = false;

  constructor(write: (group: readonly Append[]) => Promise<void>) {
    this.#write = write;
  }

  /** Resolves when it is durable. Rejects with what `write` rejects for it. */
  add(append: Append): Promise<undefined> {
    const done = Promise.withResolvers<undefined>();
    this.#waiting.push({ ...append, done });
    if (!this.#isWriting) {
      this.#isWriting = true;
      // When all that this turn of the event loop has set off is there.
      setImmediate(() => void this.#writeAll());
    }
    return done.promise;
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) await this.#writeGroup(this.#takeGroup());
    this.#isWriting = false;
  }

  async #writeGroup(group: readonly Waiting[]): Promise<void> {
    try {
      await this.#write(group);
      for (const { done } of group) done.resolve(undefined);
    } catch (error) {
      const isOfOne = group.length > 1 && findFailure(error)?.errorClass === 'permanent';
      if (!isOfOne) for (const { done } of group) done.reject(error);
      // One of them cannot be stored: the others can.
      else for (const each of group) await this.#writeGroup([each]);
    }
  }

  #takeGroup(): readonly Waiting[] {
    let entries = 0;
    let bytes = 0;
    const end = this.#waiting.findIndex((each, index) => {
      entries += each.entries.length;
      bytes += each.bytes;
      return index > 0 && (entries > maxEntries || bytes > maxBytes);
    });
    return this.#waiting.splice(0, end < 0 ? this.#waiting.length : end);
  }
}
