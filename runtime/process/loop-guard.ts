import { Worker } from 'node:worker_threads';
import { findFunctionNode } from './function-frame.ts';

/** What a thread of this process looks at while the main thread does not turn. */
export interface LoopGuardData {
  /** Counted up by the main thread as long as it turns. */
  readonly turns: Int32Array;
  readonly allowedMs: number;
  /** The process that has started this one; when that is gone this one ends, also where it does not turn. */
  readonly parentPid: number;
  readonly orphanMs: number;
}

/** What the main thread is at. */
export interface Running {
  readonly nodeId?: string;
  readonly messageId?: string;
}

/** In the name of this `globalThis` has the function that tells it. */
export const runningKey = 'hilum.running';

const turnEveryMs = 250;
/** A little longer than a process that turns takes to end by itself. */
const usualOrphanMs = 17_000;

/**
 * Starts a thread that ends this process when its main thread has used `allowedMs` of processor time without turning,
 * and says in its last words at which node and with which message: V8 lets the thread evaluate a call in the midst of
 * the main thread's loop, in the context of whatever runs there. A supervisor sees such a loop from outside as well, without knowing whose it is. Where the
 * supervisor is gone it also ends a process that waits for ever, and so cannot hear of that.
 */
export function guardLoops(options: {
  readonly allowedMs: number;
  /** Called in the context of whatever runs. */
  readonly running: () => Running | undefined;
  /** How long it outlives its supervisor at most, in milliseconds. */
  readonly orphanMs?: number;
}): void {
  const turns = new Int32Array(new SharedArrayBuffer(4));
  Object.defineProperty(globalThis, Symbol.for(runningKey), {
    value: (): Running => {
      const { nodeId, messageId } = options.running() ?? {};
      const node = findFunctionNode(new Error().stack ?? '') ?? nodeId;
      return {
        ...(node === undefined ? {} : { nodeId: node }),
        ...(messageId === undefined ? {} : { messageId }),
      };
    },
  });
  setInterval(() => Atomics.add(turns, 0, 1), turnEveryMs).unref();
  const workerData: LoopGuardData = {
    turns,
    allowedMs: options.allowedMs,
    parentPid: process.ppid,
    orphanMs: options.orphanMs ?? usualOrphanMs,
  };
  const guard = new Worker(new URL('./loop-guard-thread.ts', import.meta.url), {
    workerData,
    // It has next to nothing to keep.
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 },
  });
  // Without it the supervisor finds a loop all the same.
  guard.on('error', () => undefined);
  guard.unref();
}
