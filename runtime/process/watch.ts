import type { Role } from './messages.ts';
import { readMainThread, readOwnMemoryMiB } from './proc-files.ts';
import type { SupervisionTimes } from './supervision-times.ts';
import type { Vitals } from './vitals.ts';

/** Why a process is to be killed: words for people, and figures for the log. */
export interface Verdict {
  readonly words: string;
  readonly figures: Readonly<Record<string, number>>;
}

interface Options {
  readonly role: Role;
  readonly times: SupervisionTimes;
  readonly mayStartMs: number;
  /** After this a worker finds an endless loop itself. */
  readonly loopMs: number;
  /** What it may hold of its own; absent: any amount. */
  readonly maxMiB?: number;
}

/**
 * Judges one child from its fork to its end: at each heartbeat whether it answers and whether its main thread turns, and
 * in between what it holds. Only an answer to a heartbeat counts as one: a loop that never ends may well send status messages.
 */
export class Watch {
  readonly #options: Options;
  /** When it was last looked at. */
  #checkedMs = performance.now();
  /** How long it has been starting, and how long it has been silent, while this process could see it. */
  #startingMs = 0;
  #silentMs = 0;
  /** The processor time that its main thread has used since it answered, and had used when last looked at. */
  #busyMs = 0;
  #threadMs: number | undefined;
  #ownMiB: number | undefined;
  #vitals: Vitals | undefined;

  constructor(options: Options) {
    this.#options = options;
  }

  /** It has answered a heartbeat. */
  heard(vitals: Vitals | undefined): void {
    this.#silentMs = 0;
    this.#busyMs = 0;
    this.#vitals = vitals;
  }

  /** It is ready: from now on it may be silent for as long as any that runs. */
  started(): void {
    this.#silentMs = 0;
    this.#busyMs = 0;
  }

  /** What is known of it at this moment. */
  get figures() {
    const { heapMiB, eventLoop, rssMiB } = this.#vitals ?? {};
    const { maxMiB } = this.#options;
    const memoryMiB = this.#ownMiB ?? rssMiB;
    return {
      ...(memoryMiB === undefined ? {} : { memoryMiB: Math.round(memoryMiB) }),
      ...(maxMiB === undefined ? {} : { memoryBoundMiB: maxMiB }),
      ...(heapMiB === undefined ? {} : { heapMiB }),
      ...(eventLoop === undefined ? {} : { eventLoop }),
    };
  }

  /** To be asked every `memoryMs`, which is more often: what leaks may grow by hundreds of MiB between heartbeats. */
  checkMemory(pid: number): Verdict | undefined {
    this.#ownMiB = readOwnMemoryMiB(pid);
    return this.#judgeMemory();
  }

  /** To be asked once a heartbeat: why it is to be killed, or undefined. */
  check(pid: number, { isRunning }: { readonly isRunning: boolean }): Verdict | undefined {
    const { times, mayStartMs } = this.#options;
    const nowMs = performance.now();
    // Where this process stood still itself, or the whole machine did, what the child has said is not read yet.
    const mostMs = 2 * times.heartbeatMs;
    const seenMs = Math.min(nowMs - this.#checkedMs, mostMs);
    this.#checkedMs = nowMs;
    this.#startingMs += seenMs;
    const { usedMs: threadMs, isRunnable = false } = readMainThread(pid) ?? {};
    // What computes, or waits for a processor, is judged by what it uses: on a busy machine that takes its time.
    if (!isRunnable) this.#silentMs += seenMs;
    if (threadMs !== undefined && this.#threadMs !== undefined) {
      this.#busyMs += Math.min(threadMs - this.#threadMs, mostMs);
    }
    this.#threadMs = threadMs;
    return (
      this.checkMemory(pid) ??
      this.#judgeLoop({ isRunning }) ??
      (isRunning
        ? toVerdict('it was silent for too long', this.#silentMs, this.#mayBeSilentMs)
        : toVerdict('it was not ready in time', this.#startingMs, mayStartMs))
    );
  }

  #judgeMemory(): Verdict | undefined {
    const { maxMiB } = this.#options;
    const miB = this.#ownMiB ?? this.#vitals?.rssMiB;
    if (maxMiB === undefined || miB === undefined || miB <= maxMiB) return undefined;
    return {
      words: `it grew past ${maxMiB} MiB`,
      figures: { memoryMiB: Math.round(miB), memoryBoundMiB: maxMiB },
    };
  }

  /**
   * An endless loop is told by the processor time that the main thread uses without turning, not by the time of the
   * clock: on a machine that is busy, or stood still, that goes on while the child can do nothing.
   */
  #judgeLoop({ isRunning }: { readonly isRunning: boolean }): Verdict | undefined {
    const { times, role, loopMs } = this.#options;
    if (role !== 'worker') return undefined;
    const allowedMs = loopMs + (isRunning ? times.flowLoopMs : times.startLoopMs);
    return toVerdict('its flows were in a loop', this.#busyMs, allowedMs);
  }

  get #mayBeSilentMs(): number {
    const { times, role } = this.#options;
    return role === 'worker' ? times.flowSilenceMs : times.silenceMs;
  }
}

function toVerdict(words: string, sinceMs: number, allowedMs: number): Verdict | undefined {
  if (sinceMs <= allowedMs) return undefined;
  return { words, figures: { sinceMs: Math.round(sinceMs), allowedMs } };
}
