import { readFileIfAny, writeFileAtomically } from '../../connectors/file/write-file.ts';

/** An interface that an operator has stopped. */
export interface StoppedInterface {
  /** The id of its tab. */
  readonly interface: string;
  readonly by: string;
  /** ISO 8601 instant. */
  readonly since: string;
  readonly reason?: string;
}

/** The interfaces that operators have stopped, kept in a file of the data folder so that a restart keeps them. */
export class StoppedInterfaces {
  readonly #file: string;
  #stopped: ReadonlyMap<string, StoppedInterface> = new Map();
  #writing: Promise<void> = Promise.resolve();

  private constructor(file: string) {
    this.#file = file;
  }

  /** Rejects where the file is there and cannot be read: what was stopped must not start by itself. */
  static async open(file: string): Promise<StoppedInterfaces> {
    const opened = new StoppedInterfaces(file);
    const text = await readFileIfAny(file);
    if (text === undefined) return opened;
    try {
      const kept = JSON.parse(text) as readonly StoppedInterface[];
      opened.#stopped = new Map(kept.map((each) => [each.interface, each]));
    } catch (cause) {
      throw new Error(
        `A list of stopped interfaces was expected in ${file} and cannot be read; mend it, or remove it to start all.`,
        { cause },
      );
    }
    return opened;
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
        await writeFileAtomically(this.#file, `${JSON.stringify(list, null, 2)}\n`);
      });
    await this.#writing;
  }
}
