import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { askEngine, type ControlAnswer, type Method } from '../../runtime/control-client.ts';
import { readSettings } from '../../runtime/settings.ts';
import type { QueueView, StatusView, TraceView } from '../../console/api/views.ts';
import { isAlive } from './alive.ts';
import { findFreePorts } from './ports.ts';
import { makeTempFolder } from './temp.ts';

const root = path.resolve(import.meta.dirname, '..', '..');
const main = path.join(root, 'cli', 'main.ts');

/** A Hilum that runs as a user starts it, on ports and in a folder of its own. */
export interface RunningHilum {
  readonly consoleUrl: string;
  readonly ehrUrl: string;
  readonly mllpPort: number;
  readonly dataDirectory: string;
  /** Everything it printed so far. */
  output(): string;
  /** How long it took from the call to the line that says it runs. */
  readonly startedAfterMs: number;
  status(): Promise<StatusView>;
  queues(): Promise<readonly QueueView[]>;
  /** The kinds of events of a message, by its id or control id, as they came; none while it is not known. */
  kinds(id: string): Promise<readonly string[]>;
  /** Asks it over its local socket. */
  ask(method: Method, path: string, body?: object): Promise<ControlAnswer>;
  cli(...args: readonly string[]): Promise<CliResult>;
  /** SIGKILL to one of its processes, by the name that its status gives. */
  kill(name: string): Promise<void>;
  /** SIGKILL to those of its processes with these names, else to all; resolves when all of them are gone. */
  crash(...names: readonly string[]): Promise<void>;
  /** Ctrl-C; resolves with the exit code when all its processes are gone. */
  stop(): Promise<number | null>;
}

interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Starts `hilum start` and waits until it says that it runs; ends it, and rejects, when that takes longer. It finds the
 * code compiled that others of this test run have loaded; with `NODE_COMPILE_CACHE: undefined` it compiles its own, as
 * the first start of a user does.
 */
export async function startHilum(
  env: Readonly<Record<string, string | undefined>> = {},
  withinMs = 100_000,
): Promise<RunningHilum> {
  const [port, mllpPort, ehrPort, receiverPort] = (await findFreePorts(4)).map(String);
  const dataDirectory = env['HILUM_DATA'] ?? path.join(makeTempFolder('data'), 'hilum');
  const environment = {
    ...withoutHilum(process.env),
    ...keptCode(),
    HILUM_DATA: dataDirectory,
    HILUM_PORT: port ?? '',
    HILUM_MLLP_PORT: mllpPort ?? '',
    HILUM_EHR_PORT: ehrPort ?? '',
    HILUM_RECEIVER_PORT: receiverPort ?? '',
    ...env,
  };
  const startedAt = Date.now();
  const child = spawn(process.execPath, [main, 'start'], { cwd: root, env: environment });
  const output = collect(child);
  await waitForLine(child, output, { line: 'Stop with Ctrl-C.', withinMs });
  const settings = readSettings(environment);
  if (!settings.ok) throw new Error(settings.problems.join(' '));
  const { controlSocket } = settings.settings;
  const ask: RunningHilum['ask'] = (method, path, body) =>
    askEngine(controlSocket, { method, path, ...(body === undefined ? {} : { body }) });
  const status = async (): Promise<StatusView> =>
    (await ask('GET', '/api/status')).body as StatusView;
  return {
    consoleUrl: `http://127.0.0.1:${environment.HILUM_PORT}`,
    ehrUrl: `http://127.0.0.1:${environment.HILUM_EHR_PORT}/fhir/R4`,
    mllpPort: Number(environment.HILUM_MLLP_PORT),
    dataDirectory,
    output,
    startedAfterMs: Date.now() - startedAt,
    status,
    queues: async () => (await ask('GET', '/api/queues')).body as readonly QueueView[],
    kinds: async (id) => {
      const { status: code, body } = await ask('GET', `/api/messages/${encodeURIComponent(id)}`);
      return code === 200 ? (body as TraceView).steps.map(({ kind }) => kind) : [];
    },
    ask,
    cli: (...args) => runCli(args, { ...environment, ...keptCode() }),
    kill: async (name) => {
      const found = (await status()).processes.find(({ role }) => role === name);
      if (found?.pid === undefined) throw new Error(`No process is called ${name}.`);
      kill(found.pid);
    },
    crash: async (...names) => {
      const { processes } = await status();
      const pids = processes.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
      for (const { role, pid } of processes) {
        if (pid !== undefined && (names.length === 0 || names.includes(role))) kill(pid);
      }
      await until(
        () => Promise.resolve(pids.filter(isAlive)),
        (alive) => alive.length === 0,
        60_000,
      );
    },
    stop: () => stop(child),
  };
}

/** For a process that is given no other part of the environment: where the code is that this test run has compiled. */
export function keptCode(): NodeJS.ProcessEnv {
  const { NODE_COMPILE_CACHE } = process.env;
  return NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE };
}

/** Runs one command to its end. */
export function runCli(
  args: readonly string[],
  env: Readonly<NodeJS.ProcessEnv> = process.env,
): Promise<CliResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main, ...args], { cwd: root, env });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.once('error', reject);
    child.once('close', (code) => {
      resolve({ code, stdout, stderr });
    });
  });
}

/** Asks again until the answer is as wanted; fails with the last answer when that takes too long. */
export async function until<T>(
  ask: () => Promise<T>,
  wanted: (answer: T) => boolean,
  withinMs: number,
): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (wanted(answer)) return answer;
    if (Date.now() > deadline) {
      throw new Error(`Not within ${withinMs} ms; the last answer: ${JSON.stringify(answer)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const theTests: ReadonlySet<string> = new Set([
  'RABBITMQ_URL',
  'NODE_OPTIONS',
  'NODE_COMPILE_CACHE',
]);

/** Jest's worker has settings of the machine that the product under test must not inherit. */
function withoutHilum(env: NodeJS.ProcessEnv): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    const ours = name.startsWith('HILUM_') || theTests.has(name);
    if (value !== undefined && !ours) kept[name] = value;
  }
  return kept;
}

function collect(child: ChildProcess): () => string {
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  return () => text;
}

function waitForLine(
  child: ChildProcess,
  output: () => string,
  { line, withinMs }: { readonly line: string; readonly withinMs: number },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`Hilum did not start within ${withinMs} ms:\n${output()}`));
    }, withinMs);
    const look = (): void => {
      if (!output().includes(line)) return;
      clearTimeout(timer);
      child.stdout?.off('data', look);
      resolve();
    };
    child.stdout?.on('data', look);
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`Hilum ended with ${code ?? 'a signal'} while starting:\n${output()}`));
    });
  });
}

/** It may have ended by itself meanwhile. */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function stop(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => {
    child.once('exit', (code) => {
      resolve(code);
    });
    child.kill('SIGINT');
  });
}
