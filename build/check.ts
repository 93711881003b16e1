import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';

/*
 * `npm run check`: every script `check:…` of package.json, in its order, as many at a time as there are processors.
 * Each says all that it has to say when it has ended. Exits 1 when one of them has failed.
 */

interface Finished {
  readonly name: string;
  readonly code: number | null;
}

const root = path.resolve(import.meta.dirname, '..');
const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>;
};
const waiting = Object.entries(scripts).filter(([name]) => name.startsWith('check:'));

/** In npm's environment, where the programs of the packages are found. */
function run(name: string, command: string): Promise<Finished> {
  const startedAt = performance.now();
  const child = spawn('sh', ['-c', command], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const output: Buffer[] = [];
  for (const pipe of [child.stdout, child.stderr]) {
    pipe.on('data', (chunk: Buffer) => output.push(chunk));
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
      const end = code === 0 ? 'done' : `FAILED (${code ?? 'a signal'})`;
      process.stdout.write(`\n==> ${name}: ${end} in ${seconds} s\n`);
      process.stdout.write(Buffer.concat(output));
      resolve({ name, code });
    });
  });
}

async function runInTurn(): Promise<readonly Finished[]> {
  const finished: Finished[] = [];
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    finished.push(await run(...next));
  }
  return finished;
}

const all = await Promise.all(Array.from({ length: availableParallelism() }, runInTurn));
const failed = all.flat().filter(({ code }) => code !== 0);
if (failed.length > 0) {
  process.stdout.write(`\nFailed: ${failed.map(({ name }) => name).join(', ')}.\n`);
  process.exitCode = 1;
}
