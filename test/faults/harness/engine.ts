import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { QueueView } from '../../../console/api/views.ts';
import { isAlive } from '../../support/alive.ts';
import { startHilum, type RunningHilum } from '../../support/hilum.ts';
import { findFreePorts } from '../../support/ports.ts';
import type { FaultContext } from './scenario.ts';
import { waitFor, within } from './wait.ts';

const startWithinMs = 90_000;
const stopWithinMs = 60_000;
/** Far beyond every bound of its own: how long it took is for the caller to judge. */
const endWithinMs = 120_000;

/** What follows on the end of the supervisor. */
interface Ending {
  /** Resolves when all others have ended: how long after the supervisor, and who was the last. */
  ended(): Promise<{ readonly ms: number; readonly last: string }>;
}

/** The whole product as a user starts it, that can be killed and started again on the same data and ports. */
export class Engine {
  readonly dataDirectory: string;
  readonly #env: Record<string, string>;
  #hilum: RunningHilum | undefined;
  /** What those printed that are gone. */
  #printed = '';

  private constructor(env: Record<string, string>, dataDirectory: string) {
    this.#env = env;
    this.dataDirectory = dataDirectory;
  }

  /** Prepares it, without starting: ports and the data folder are the same at every start. */
  static async prepare(
    context: FaultContext,
    settings: { readonly flows: string; readonly env?: Readonly<Record<string, string>> },
  ): Promise<Engine> {
    const [port = 0] = await findFreePorts(1);
    const dataDirectory = settings.env?.['HILUM_DATA'] ?? path.join(context.folder, 'data');
    const engine = new Engine(
      {
        HILUM_DATA: dataDirectory,
        HILUM_FLOWS: settings.flows,
        HILUM_PORT: String(port),
        HILUM_DEMO: 'off',
        ...settings.env,
      },
      dataDirectory,
    );
    context.atEnd(async () => {
      const log = path.join(tmpdir(), `hilum-faults-${process.pid}.log`);
      try {
        await engine.stop();
      } finally {
        if (context.broken.length > 0) {
          writeFileSync(log, engine.output());
          context.say(`what Hilum printed is in ${log}`);
        }
      }
    });
    return engine;
  }

  /** Resolves when it says that it runs, with how long that took. */
  async start(): Promise<number> {
    const startedAt = performance.now();
    this.#hilum = await startHilum(this.#env, startWithinMs);
    return Math.round(performance.now() - startedAt);
  }

  /** What it is started with. */
  get env(): Readonly<Record<string, string>> {
    return this.#env;
  }

  set(name: string, value: string): void {
    this.#env[name] = value;
  }

  /** Everything it printed, of those that are gone as well. */
  output(): string {
    return this.#printed + (this.#hilum?.output() ?? '');
  }

  /** Such lines of the log, since a former length of the output. */
  linesSince(length: number): readonly string[] {
    return this.output().slice(length).split('\n');
  }

  status(): ReturnType<RunningHilum['status']> {
    return this.#running().status();
  }

  /** Over its local socket. */
  ask(...question: Parameters<RunningHilum['ask']>): ReturnType<RunningHilum['ask']> {
    return this.#running().ask(...question);
  }

  queues(): Promise<readonly QueueView[]> {
    return this.#running().queues();
  }

  /** The trace of a message as `hilum trace` prints it, a line a step. */
  async describe(controlId: string): Promise<string> {
    const { stdout, stderr } = await this.#running().cli('trace', controlId);
    return stdout + stderr;
  }

  /** `/readyz`: 200 or 503, and the reasons. */
  async readyz(): Promise<{ readonly status: number; readonly text: string }> {
    const response = await fetch(`${this.#running().consoleUrl}/readyz`);
    return { status: response.status, text: await response.text() };
  }

  /** Resolves when messages are taken and delivered. */
  async ready(withinMs: number): Promise<void> {
    await waitFor('Hilum is ready', () => this.readyz(), {
      wanted: ({ status }) => status === 200,
      withinMs,
    });
  }

  /** SIGKILL to one of its processes; resolves when that is gone. */
  async kill(name: string): Promise<void> {
    const pid = (await this.status()).processes.find(({ role }) => role === name)?.pid;
    if (pid === undefined) throw new Error(`No process is called ${name}.`);
    process.kill(pid, 'SIGKILL');
    await gone([pid], 5_000);
  }

  /** SIGKILL to the supervisor: all others must end by themselves. */
  async killSupervisor(): Promise<Ending> {
    const { processes } = await this.status();
    const killedAt = performance.now();
    await this.kill('supervisor');
    this.#forget();
    return {
      ended: async () => {
        let last = '';
        const ask = (): readonly string[] => {
          const alive = processes.filter(({ pid }) => pid !== undefined && isAlive(pid));
          last = alive.at(0)?.role ?? last;
          return alive.map(({ role }) => role);
        };
        await waitFor('the processes have ended', ask, {
          wanted: (alive) => alive.length === 0,
          withinMs: endWithinMs,
        });
        return { ms: Math.round(performance.now() - killedAt), last };
      },
    };
  }

  /** SIGKILL to all of them at the same moment, as when the machine goes down. */
  async killAll(): Promise<void> {
    const pids = await this.pids();
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended by itself meanwhile.
      }
    }
    await gone(pids, 5_000);
    this.#forget();
  }

  async pids(): Promise<readonly number[]> {
    return (await this.status()).processes.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  }

  /** Proportional memory of each process in MiB, by name. */
  async memory(): Promise<ReadonlyMap<string, number>> {
    const found = new Map<string, number>();
    for (const { role, pid } of (await this.status()).processes) {
      if (pid !== undefined) found.set(role, readPssMiB(pid));
    }
    return found;
  }

  /** Ctrl-C; resolves with the exit code. Nothing where it does not run. */
  async stop(): Promise<number | null> {
    const hilum = this.#hilum;
    if (hilum === undefined) return 0;
    const code = await within('Hilum stops', hilum.stop(), stopWithinMs);
    this.#forget();
    return code;
  }

  #forget(): void {
    this.#printed = this.output();
    this.#hilum = undefined;
  }

  #running(): RunningHilum {
    if (this.#hilum === undefined) throw new Error('Hilum does not run.');
    return this.#hilum;
  }
}

async function gone(pids: readonly number[], withinMs: number): Promise<void> {
  await waitFor('the processes have ended', () => pids.filter(isAlive), {
    wanted: (alive) => alive.length === 0,
    withinMs,
  });
}

function readPssMiB(pid: number): number {
  try {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
