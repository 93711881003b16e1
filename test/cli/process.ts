import { spawn } from 'node:child_process';
import path from 'node:path';

const main = path.resolve(import.meta.dirname, '..', '..', 'cli', 'main.ts');

/** What a command printed, and how it ended. */
export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A `hilum` command as a user starts it. */
export interface HilumCommand {
  readonly finished: Promise<Finished>;
  /** Resolves with the match once it has been printed (stdout and stderr); rejects when it ends before. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
  kill(signal: NodeJS.Signals): void;
}

export function startCommand(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): HilumCommand {
  const child = spawn(process.execPath, [main, ...args], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  const watchers = new Set<() => void>();
  const note = () => watchers.forEach((look) => look());
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
    note();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
    note();
  });
  const finished = new Promise<Finished>((resolve) => {
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
  return {
    finished,
    printed: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const match = pattern.exec(stdout) ?? pattern.exec(stderr);
          if (match === null) return;
          watchers.delete(look);
          resolve(match);
        };
        watchers.add(look);
        void finished.then(() => reject(new Error(`ended without ${pattern.source}: ${stderr}`)));
        look();
      }),
    kill: (signal) => void child.kill(signal),
  };
}
