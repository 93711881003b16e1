import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createRandom, type Random } from '../../fuzz/random.ts';

export type BrokerKind = 'embedded' | 'rabbitmq';

export interface FaultOptions {
  /** `short` is bounded to some seconds, for `npm test`; `full` takes what it takes. */
  readonly form: 'short' | 'full';
  readonly broker: BrokerKind;
  /** How often a scenario repeats its fault; its own number where it is not given. */
  readonly rounds?: number;
  /** Decides everything random, such as when a process is killed. */
  readonly seed: number;
}

/** One fault, and what is promised all the same. */
export interface Scenario {
  readonly name: string;
  /** For `--help`, in a line. */
  readonly what: string;
  readonly brokers: readonly BrokerKind[];
  run(context: FaultContext): Promise<void>;
}

/** What a run has come to; nothing `broken` is what is wanted. */
export interface Outcome {
  readonly broken: readonly string[];
  /** What could not be tried on this machine, and why. */
  readonly skipped: readonly string[];
}

/** What a scenario works with: it says its figures, names what was broken, and leaves nothing behind. */
export class FaultContext {
  readonly options: FaultOptions;
  readonly random: Random;
  readonly broken: string[] = [];
  readonly skipped: string[] = [];
  /** Everything that the scenario stores. */
  readonly folder: string;
  readonly #endings: (() => unknown)[] = [];
  readonly #name: string;

  constructor(name: string, options: FaultOptions) {
    this.#name = name;
    this.options = options;
    this.random = createRandom(options.seed);
    this.folder = mkdtempSync(path.join(tmpdir(), 'hilum-faults-'));
    this.atEnd(() => rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 }));
  }

  get isShort(): boolean {
    return this.options.form === 'short';
  }

  say(line: string): void {
    process.stdout.write(`${this.#name} ${this.options.broker}: ${line}\n`);
  }

  /** Notes a broken promise where `kept` is false; the scenario goes on, so that all of them are found. */
  promise(kept: boolean, promise: string): void {
    if (kept) return;
    this.broken.push(promise);
    this.say(`BROKEN: ${promise}`);
  }

  skip(what: string): void {
    this.skipped.push(what);
    process.stderr.write(`!!!! ${this.#name}: SKIPPED: ${what}\n`);
  }

  /** Called at the end, the last one first, whatever happened. */
  atEnd(ending: () => unknown): void {
    this.#endings.push(ending);
  }

  async end(): Promise<void> {
    for (const ending of this.#endings.reverse().splice(0)) {
      try {
        await ending();
      } catch (error) {
        this.broken.push(`At the end: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
}

/** Runs one scenario to its end; what it throws counts as broken. */
export async function runScenario(scenario: Scenario, options: FaultOptions): Promise<Outcome> {
  const context = new FaultContext(scenario.name, options);
  // Ctrl-C must not leave brokers, mounts and processes behind.
  const interrupted = (): void => {
    void context.end().then(() => process.exit(130));
  };
  process.once('SIGINT', interrupted);
  try {
    await scenario.run(context);
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    context.promise(false, words);
  } finally {
    await context.end();
    process.off('SIGINT', interrupted);
  }
  return { broken: context.broken, skipped: context.skipped };
}
