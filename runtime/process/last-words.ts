import { writeSync } from 'node:fs';
import type { Readable } from 'node:stream';

/** Why a process ends, said by itself in its last moment, where it knows. */
export interface LastWords {
  /** What follows on `the node X`, for people: `was in an endless loop`. Without patient data. */
  readonly did: string;
  /** In which node, and with which message; where that is known. */
  readonly nodeId?: string;
  readonly messageId?: string;
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
  if (process.env[given] !== String(descriptor)) return;
  try {
    writeSync(descriptor, `${JSON.stringify(words)}\n`);
  } catch {
    // Nobody is there to hear them.
  }
}

/** Listens; to be asked when the process has ended. */
export function hearLastWords(stream: Readable): () => Promise<LastWords | undefined> {
  let text = '';
  stream.setEncoding('utf8');
  stream.on('error', () => undefined);
  stream.on('data', (chunk: string) => {
    if (text.length < maxBytes) text += chunk;
  });
  const ended = new Promise((resolve) => stream.once('close', resolve));
  return async () => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => (timer = setTimeout(resolve, patienceMs)));
    await Promise.race([ended, late]);
    clearTimeout(timer);
    return parse(text.split('\n')[0] ?? '');
  };
}

function parse(line: string): LastWords | undefined {
  try {
    const words = JSON.parse(line) as LastWords;
    return typeof words.did === 'string' ? words : undefined;
  } catch {
    return undefined;
  }
}
