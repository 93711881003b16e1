/*
 * The thread of a worker that watches whether its main thread turns: loop-guard.ts starts it.
 */
import { Session } from 'node:inspector';
import { workerData } from 'node:worker_threads';
import { sayLastWords } from './last-words.ts';
import { runningKey, type LoopGuardData, type Running } from './loop-guard.ts';
import { LongStep } from './long-step.ts';
import { readMainThread } from './proc-files.ts';

const lookEveryMs = 250;
/** Of processor time: what others do comes first from then on, and it is known whose step it is. */
const longStepMs = 500;
/** By the clock. A main thread inside of native code cannot be asked: then nobody knows whose loop it is. */
const answerWithinMs = 3_000;

const { turns, allowedMs, parentPid, orphanMs } = workerData as LoopGuardData;
let seenTurns = -1;
let orphanedMs = 0;
let busyMs = 0;
let threadMs: number | undefined;
let lookedMs = performance.now();

const longStep = new LongStep();
let isAsking = false;

setInterval(() => {
  const nowMs = performance.now();
  const used = readMainThread(process.pid)?.usedMs;
  // Where the system does not tell, or stood still itself, it is the time that this thread has seen.
  const passedMs = Math.min(nowMs - lookedMs, 2 * lookEveryMs);
  const stepMs = used === undefined || threadMs === undefined ? passedMs : used - threadMs;
  lookedMs = nowMs;
  orphanedMs = process.ppid === parentPid ? 0 : orphanedMs + passedMs;
  if (orphanedMs > orphanMs) process.kill(process.pid, 'SIGKILL');
  threadMs = used;
  const turned = Atomics.load(turns, 0);
  const hasTurned = turned !== seenTurns;
  busyMs = hasTurned ? 0 : busyMs + Math.min(stepMs, 2 * lookEveryMs);
  seenTurns = turned;
  if (hasTurned) longStep.end();
  if (isAsking) return;
  if (busyMs > allowedMs) accuse(turned);
  else if (busyMs > longStepMs && longStep.begin()) name(turned);
}, lookEveryMs);

function accuse(atTurn: number): void {
  ask(atTurn, (of) => {
    sayLastWords({ did: 'was in an endless loop', ...of });
    process.kill(process.pid, 'SIGKILL');
  });
}

/** If the worker ends before it turns, it ended in this. */
function name(atTurn: number): void {
  ask(atTurn, (of) => {
    longStep.isOf(of);
  });
}

/** Says what the main thread runs, nothing where that is not known; not at all where it has turned meanwhile. */
function ask(atTurn: number, hear: (of: Running) => void): void {
  isAsking = true;
  const end = (of: Running): void => {
    isAsking = false;
    if (Atomics.load(turns, 0) === atTurn) hear(of);
  };
  const session = new Session();
  const late = setTimeout(() => {
    session.disconnect();
    end({});
  }, answerWithinMs);
  session.connectToMainThread();
  const expression = `globalThis[Symbol.for('${runningKey}')]?.()`;
  session.post('Runtime.evaluate', { expression, returnByValue: true }, (error, answer) => {
    clearTimeout(late);
    session.disconnect();
    end(error === null ? ((answer.result.value ?? {}) as Running) : {});
  });
}
