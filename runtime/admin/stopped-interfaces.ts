import type { Kept } from './kept.ts';

/** An interface that an operator has stopped. */
export interface StoppedInterface {
  /** The id of its tab. */
  readonly interface: string;
  readonly by: string;
  /** ISO 8601 instant. */
  readonly since: string;
  readonly reason?: string;
}

/** The interfaces that operators have stopped, kept so that a restart keeps them. */
export class StoppedInterfaces {
  readonly #kept: Kept;
  #stopped: ReadonlyMap<string, StoppedInterface> = new Map();
  #writing: Promise<void> = Promise.resolve();

  private constructor(kept: Kept) {
    this.#kept = kept;
  }

  /** Rejects where it is there and cannot be read: what was stopped must not start by itself. */
  static async open(kept: Kept): Promise<StoppedInterfaces> {
    const opened = new StoppedInterfaces(kept);
    await opened.reload();
    return opened;
  }

  /** Somebody else may have changed them. Rejects as {@link open} does. */
  async reload(): Promise<void> {
    const text = await this.#kept.read();
    try {
      const list = text === undefined ? [] : (JSON.parse(text) as readonly StoppedInterface[]);
      this.#stopped = new Map(list.map((each) => [each.interface, each]));
    } catch (cause) {
      throw new Error(
        `A list of stopped interfaces was expected in ${this.#kept.where} and cannot be read; mend it, or remove it to start all.`,
        { cause },
      );
    }
  }

  find(id: string): StoppedInterface | undefined {
    return this.#stopped.get(id);
  }

  ids(): ReadonlySet<string> {
    return new Set(this.#stopped.keys());
  }

  /** Durable when it resolves. Whoever stopped it first is remembered. */
  async add(stopped: StoppedInterface): Promise<void> {
    if (this.#stopped.has(stopped.interface)) return;
    await this.#write(new Map(this.#stopped).set(stopped.interface, stopped));
  }

  /** Durable when it resolves. */
  async remove(id: string): Promise<void> {
    const rest = new Map(this.#stopped);
    if (rest.delete(id)) await this.#write(rest);
  }

  async #write(stopped: ReadonlyMap<string, StoppedInterface>): Promise<void> {
    this.#stopped = stopped;
    // One after the other, each with what holds by then.
    this.#writing = this.#writing
      .catch(() => undefined)
      .then(async () => {
        const list = [...this.#stopped.values()];
        await this.#kept.write(`${JSON.stringify(list, null, 2)}\n`);
      });
    await this.#writing;
  }
}
