/*
 * The thread of a worker that watches whether its main thread turns: loop-guard.ts starts it.
 */
import { Session, type Debugger } from 'node:inspector';
import { workerData } from 'node:worker_threads';
import { findFunctionNode } from './function-frame.ts';
import { sayLastWords } from './last-words.ts';
import { runningKey, type LoopGuardData, type Running } from './loop-guard.ts';
import { readMainThreadMs } from './proc-files.ts';

const lookEveryMs = 250;
/** By the clock. A main thread inside of native code cannot be paused: then nobody knows whose loop it is. */
const pauseWithinMs = 3_000;

const { turns, allowedMs, parentPid, orphanMs } = workerData as LoopGuardData;
let seenTurns = -1;
let orphanedMs = 0;
let busyMs = 0;
let threadMs: number | undefined;
let lookedMs = performance.now();

const looking = setInterval(() => {
  const nowMs = performance.now();
  const used = readMainThreadMs(process.pid);
  // Where the system does not tell, or stood still itself, it is the time that this thread has seen.
  const passedMs = Math.min(nowMs - lookedMs, 2 * lookEveryMs);
  const stepMs = used === undefined || threadMs === undefined ? passedMs : used - threadMs;
  lookedMs = nowMs;
  orphanedMs = process.ppid === parentPid ? 0 : orphanedMs + passedMs;
  if (orphanedMs > orphanMs) process.kill(process.pid, 'SIGKILL');
  threadMs = used;
  const turned = Atomics.load(turns, 0);
  busyMs = turned === seenTurns ? busyMs + Math.min(stepMs, 2 * lookEveryMs) : 0;
  seenTurns = turned;
  if (busyMs <= allowedMs) return;
  clearInterval(looking);
  accuse();
}, lookEveryMs);

function accuse(): void {
  const did = 'was in an endless loop';
  const end = (of: Running): void => {
    // Had it turned meanwhile, it would have been a long step and no loop.
    if (Atomics.load(turns, 0) !== seenTurns) process.exit();
    sayLastWords({ did, ...of });
    process.kill(process.pid, 'SIGKILL');
  };
  setTimeout(() => end({}), pauseWithinMs);
  const session = new Session();
  session.connectToMainThread();
  session.on('Debugger.paused', ({ params }) => {
    const expression = `globalThis[Symbol.for('${runningKey}')]?.()`;
    session.post('Runtime.evaluate', { expression, returnByValue: true }, (_, answer) => {
      const running = (answer?.result.value ?? {}) as Running;
      const nodeId = findNode(params.callFrames) ?? running.nodeId;
      const { messageId } = running;
      end({
        ...(nodeId === undefined ? {} : { nodeId }),
        ...(messageId === undefined ? {} : { messageId }),
      });
    });
  });
  session.post('Debugger.enable', () => session.post('Debugger.pause'));
}

function findNode(frames: readonly Debugger.CallFrame[]): string | undefined {
  return findFunctionNode(frames.map(({ url }) => url).join('\n'));
}
