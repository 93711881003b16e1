import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

const startTimeoutMs = 120_000;

/** Resolves when the server takes connections: "completed with 0 plugins." is what the server prints when its listeners are up. */
export async function untilReady(server: ChildProcess): Promise<void> {
  let output = '';
  await new Promise<void>((resolve, reject) => {
    const fail = (what: string): void => {
      reject(new Error(`rabbitmq-server ${what}. Its last words:\n${output.slice(-2000)}`));
    };
    const timer = setTimeout(() => {
      fail(`was not ready within ${startTimeoutMs / 1000} s`);
    }, startTimeoutMs);
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      if (!output.includes('completed with')) return;
      clearTimeout(timer);
      resolve();
    };
    server.stdout?.on('data', read);
    server.stderr?.on('data', read);
    server.once('error', (error) => {
      clearTimeout(timer);
      fail(`could not be started: ${error.message}`);
    });
    server.once('exit', (code, signal) => {
      clearTimeout(timer);
      fail(`ended with ${signal ?? code}`);
    });
  });
  // Its pipes stay read, and do not hold a test run open.
  for (const pipe of [server.stdout, server.stderr]) {
    (pipe as unknown as { unref(): void } | null)?.unref();
  }
}

/**
 * Ends what it was told to keep when its standard input closes: when this process is gone, by SIGKILL
 * too, where no exit handler runs.
 */
export function startKeeper(folder: string): ChildProcess {
  const script = `
    pids=
    while read -r pid; do pids="$pids $pid"; done
    for pid in $pids; do
      # Only if the number still belongs to a process of this folder.
      if tr '\\0' '\\n' < "/proc/$pid/environ" 2>/dev/null | grep -qF "$0"; then kill -KILL "$pid"; fi
    done
    sleep 0.5
    rm -rf "$0"`;
  const keeper = spawn('sh', ['-c', script, folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  keeper.unref();
  (keeper.stdin as unknown as { unref(): void } | null)?.unref();
  return keeper;
}

/** The keeper's charge from now on; it holds no test run open. */
export function keep(keeper: ChildProcess, child: ChildProcess): void {
  child.unref();
  keeper.stdin?.write(`${child.pid ?? ''}\n`);
}

/** Started, and not ended yet. */
export function isRunning(child: ChildProcess | undefined): boolean {
  return child?.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

/** SIGKILL; resolves when it is gone. */
export async function end(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || !isRunning(child)) return;
  const gone = once(child, 'exit');
  child.ref();
  child.kill('SIGKILL');
  await gone;
}
