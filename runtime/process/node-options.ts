import { enableCompileCache } from 'node:module';
import { availableParallelism } from 'node:os';
import type { Settings } from '../settings.ts';

/** Of V8 beside the main one, by default. */
const usualV8Threads = 4;

/** How Node is started for a process of Hilum. */
export interface NodeOptions {
  readonly execArgv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/**
 * What all forked processes have in common, for less memory (measured; `npm run bench -- pipeline` shows it) and to leave
 * each other room:
 * - The sources' compiled code is kept between starts. A process that finds it needs no compiler for TypeScript:
 *   22 MiB less, and half the time to start.
 * - 8 MiB for each half of the young generation, where V8 would take up to 32 on a large machine. A message lives for
 *   some milliseconds: more room only means that its garbage lies there longer.
 * - No more threads of V8 beside the main one than there are processors; it would take four on any machine. They compile
 *   and collect garbage: of a worker that starts or leaks they take whatever there is, and of two processors they leave
 *   the others none. Garbage lies a little longer for it: some 6 % of memory under full load on two processors.
 * - Two arenas for malloc. By default every thread of the process gets its own, and bytes of messages that one
 *   thread has freed are no use to another.
 *
 * Where it may hold only so much, V8's heap may have three quarters: near to that it collects whatever it can, before
 * the supervisor looks at the whole.
 */
export function buildNodeOptions(
  { environment, codeCacheDirectory }: Settings,
  maxMiB?: number,
): NodeOptions {
  return {
    execArgv: [
      '--disable-warning=ExperimentalWarning',
      '--max-semi-space-size=8',
      `--v8-pool-size=${Math.min(usualV8Threads, availableParallelism())}`,
      ...(maxMiB === undefined ? [] : [`--max-old-space-size=${Math.floor(maxMiB * 0.75)}`]),
    ],
    env: { NODE_COMPILE_CACHE: codeCacheDirectory, MALLOC_ARENA_MAX: '2', ...environment },
  };
}

/** The same for the process that runs already. Only once the folder is known to be this user's: its code is run. */
export function keepCompiledCode({ environment, codeCacheDirectory }: Settings): void {
  enableCompileCache(environment['NODE_COMPILE_CACHE'] ?? codeCacheDirectory);
}
