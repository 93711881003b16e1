import { writeSync } from 'node:fs';
import type { Readable } from 'node:stream';
import type { Running } from './loop-guard.ts';

/** Why a process ends, said by itself in its last moment, where it knows. */
export interface LastWords extends Running {
  /** What follows on `the node X`, for people: `was in an endless loop`. Without patient data. */
  readonly did: string;
}

/** Beside standard input, output and error, and the channel of `fork`: what is open there otherwise is none of ours. */
const descriptor = 4;
/** In the environment of a child that was forked so. */
const given = 'HILUM_LAST_WORDS';
/** What is longer is none of ours. */
const maxBytes = 10_000;
/** What was written before the end is read within this. */
const patienceMs = 500;

/** How a child that can say last words is forked: its standard streams are ours. */
export const withLastWords = {
  stdio: ['inherit', 'inherit', 'inherit', 'ipc', 'pipe'],
  env: { [given]: String(descriptor) },
} as const;

/**
 * Says them to the supervisor, from whatever thread: at once and without the event loop, which may never turn again.
 * The first ones count.
 */
export function sayLastWords(words: LastWords): void {
  write(words);
}

/** What the main thread has been at for long without turning; undefined: it turns again. From whatever thread. */
export function sayLongStep(step: Running | undefined): void {
  write({ longStep: step ?? null });
}

/** What a process has said until its end. */
export interface Heard {
  readonly lastWords?: LastWords | undefined;
  /** It ended in the midst of this. */
  readonly longStep?: Running | undefined;
}

/** Listens; to be asked when the process has ended. */
export function hearLastWords(stream: Readable): () => Promise<Heard> {
  let heard: Heard = {};
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('error', () => undefined);
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = (lines.pop() ?? '').slice(0, maxBytes);
    for (const line of lines) heard = { ...heard, ...parse(line, heard) };
  });
  const ended = new Promise((resolve) => stream.once('close', resolve));
  return async () => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => (timer = setTimeout(resolve, patienceMs)));
    await Promise.race([ended, late]);
    clearTimeout(timer);
    return heard;
  };
}

function parse(line: string, { lastWords }: Heard): Heard {
  try {
    const said = JSON.parse(line) as LastWords & { readonly longStep?: Running | null };
    if (said.longStep === null) return { longStep: undefined };
    if (said.longStep !== undefined) return { longStep: said.longStep };
    return typeof said.did === 'string' && lastWords === undefined ? { lastWords: said } : {};
  } catch {
    return {};
  }
}

function write(line: object): void {
  if (process.env[given] !== String(descriptor)) return;
  try {
    writeSync(descriptor, `${JSON.stringify(line)}\n`);
  } catch {
    // Nobody is there to hear it.
  }
}
