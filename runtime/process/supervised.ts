import { fork, type ChildProcess } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import type { Logger } from '../../core/ports/logger.ts';
import type { Settings } from '../settings.ts';
import { isCrashLoop, type QuickEnd } from '../supervision/crash-loop.ts';
import { Culprits } from './culprits.ts';
import { hearLastWords, withLastWords } from './last-words.ts';
import type { Running } from './loop-guard.ts';
import { findLowNiceness, setNiceness } from './niceness.ts';
import { buildNodeOptions } from './node-options.ts';
import type { FromChild, Role, RoleConfig, ToChild } from './messages.ts';
import { defaultTimes, type SupervisionTimes } from './supervision-times.ts';
import { Watch, type Verdict } from './watch.ts';

/** So often it is started again at once: by then a message that ends it each time is known. */
const immediateRestarts = 4;

interface Options {
  readonly settings: Settings;
  readonly logger: Logger;
  /** `worker default`, for people. */
  readonly name: string;
  /** Asked at every start, so that a restarted process gets what holds now. */
  readonly config: () => RoleConfig;
  readonly onMessage: (message: FromChild) => void;
  readonly onState?: () => void;
  /** It keeps ending, and is not started again; absent: it is tried for as long as it takes. */
  readonly onCrashLoop?: (ends: readonly QuickEnd[]) => void;
  /** Default: as a user has them. */
  readonly times?: Partial<SupervisionTimes>;
  /** The path of what is forked; default: the role's own. */
  readonly program?: string;
}

/**
 * One child process, kept alive: started again when it ends, with backoff when it keeps ending, killed
 * when it is silent. It ends itself when this process is gone.
 */
export class SupervisedProcess {
  readonly name: string;
  readonly role: Role;
  readonly #options: Options;
  readonly #times: SupervisionTimes;
  #child: ChildProcess | undefined;
  #state: 'starting' | 'running' | 'restarting' | 'stopped' = 'stopped';
  #since = Date.now();
  #restarts = 0;
  /** Those that came soon after a start, since it last ran for long. */
  #quickEnds: readonly QuickEnd[] = [];
  /** Messages that were found to be the reason of ends, since it last got to other work in between. */
  #foundCulprits = 0;
  #watch: Watch | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #memoryCheck: NodeJS.Timeout | undefined;
  /** Others that want a processor come before it. */
  #isBehind = false;
  #restartTimer: NodeJS.Timeout | undefined;
  #failure: string | undefined;
  /** Why it ended the last time, and when: an ISO 8601 instant. */
  #lastEnd: { readonly reason: string; readonly at: string } | undefined;
  /** What its last end was of. */
  #accused: Running | undefined;
  readonly #culprits = new Culprits();
  #waiting:
    | { readonly resolve: () => void; readonly reject: ((error: Error) => void) | undefined }
    | undefined;

  constructor(options: Options) {
    this.#options = options;
    this.#times = { ...defaultTimes, ...options.times };
    this.name = options.name;
    this.role = options.config().role;
  }

  get status() {
    const { pid } = this.#child ?? {};
    return {
      role: this.name,
      ...(pid === undefined ? {} : { pid }),
      state: this.#state,
      since: new Date(this.#since).toISOString(),
      restarts: this.#restarts,
      ...(this.#state === 'running' ? {} : this.#reason),
      ...(this.#lastEnd === undefined ? {} : { lastEnd: this.#lastEnd }),
      ...(this.#child === undefined ? {} : this.#watch?.figures),
    } as const;
  }

  get #reason() {
    return this.#lastEnd === undefined ? {} : { reason: this.#lastEnd.reason };
  }

  /**
   * Resolves when the process is ready. With `once`, rejects with its own words when it cannot start;
   * without, it resolves all the same, and the process is tried again until it can.
   */
  start({ once }: { readonly once: boolean }): Promise<void> {
    this.#set('starting');
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject: once ? reject : undefined };
      this.#fork();
    });
  }

  send(message: ToChild): void {
    if (this.#child?.connected) this.#child.send(message, () => undefined);
  }

  /** Asks it to finish and end; kills it when it does not within the bound. */
  async stop(): Promise<void> {
    const child = this.#child;
    this.#set('stopped');
    clearTimeout(this.#restartTimer);
    if (child?.exitCode !== null || child.signalCode !== null) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        this.#options.logger.error(
          { process: this.name, pid: child.pid },
          'Killed, it did not stop.',
        );
        child.kill('SIGKILL');
      }, this.#times.stopTimeoutMs);
      child.once('exit', () => {
        clearTimeout(timer);
        resolve();
      });
      this.send({ type: 'stop' });
    });
  }

  #set(state: typeof this.status.state): void {
    this.#state = state;
    this.#since = Date.now();
    this.#options.onState?.();
  }

  #fork(): void {
    const { settings, config: readConfig, program = mainOf(this.role) } = this.#options;
    const config = readConfig();
    const { memoryMiB: maxMiB } = config.role === 'worker' ? config : {};
    const { execArgv, env } = buildNodeOptions(settings, maxMiB);
    const child = fork(program, [], {
      env: { ...env, ...withLastWords.env },
      serialization: 'advanced',
      execArgv: [...execArgv],
      stdio: [...withLastWords.stdio],
    });
    const hear = hearLastWords(child.stdio[4] as Readable);
    this.#child = child;
    this.#failure = undefined;
    this.#isBehind = false;
    this.#setBehind(child, config.role === 'worker' && this.#quickEnds.length > 0);
    this.#watch = new Watch({
      role: this.role,
      times: this.#times,
      mayStartMs: this.#mayStartMs,
      loopMs: settings.loopMs,
      ...(maxMiB === undefined ? {} : { maxMiB }),
    });
    child.on('message', (message: FromChild) => {
      this.#hear(child, message);
    });
    child.on('error', (error) => {
      this.#options.logger.error({ process: this.name, err: error }, 'A process error.');
      // Without a process id it never ran, and no exit will tell.
      if (child.pid === undefined) this.#ended(child, null, null);
    });
    child.once('exit', (code, signal) => {
      this.#stopChecks();
      void hear().then((heard) => {
        const end = this.#culprits.judge(heard, signal);
        this.#accused = end?.of;
        this.#failure = end?.words ?? this.#failure;
        this.#ended(child, code, signal);
      });
    });
    const start: ToChild = {
      type: 'start',
      settings: {
        ...settings,
        credentialSecret: undefined,
        alarm: { ...settings.alarm, address: undefined },
      },
      config: config.role === 'worker' ? { ...config, culprits: this.#culprits.known } : config,
    };
    child.send(start, () => undefined);
    this.#stopChecks();
    this.#heartbeat = setInterval(() => {
      this.#checkHeartbeat(child);
    }, this.#times.heartbeatMs);
    if (maxMiB === undefined) return;
    this.#memoryCheck = setInterval(() => {
      this.#checkMemory(child);
    }, this.#times.memoryMs);
  }

  #stopChecks(): void {
    clearInterval(this.#heartbeat);
    clearInterval(this.#memoryCheck);
  }

  /**
   * What has just ended may end again, and a start takes more than a processor for a second, a leak all of them: what
   * others do comes before that, until it is found what it was, or the process has run for long.
   */
  #setBehind(child: ChildProcess, isBehind: boolean): void {
    if (child.pid === undefined || this.#isBehind === isBehind) return;
    this.#isBehind = isBehind;
    setNiceness(child.pid, isBehind ? findLowNiceness() : os.getPriority());
  }

  #hear(child: ChildProcess, message: FromChild): void {
    if (message.type === 'ready') {
      // It may have become ready while it was being stopped.
      if (this.#state !== 'stopped') this.#set('running');
      this.#watch?.started();
      this.#waiting?.resolve();
      this.#waiting = undefined;
    } else if (message.type === 'failed') {
      this.#failure = message.message;
    } else if (message.type === 'pong') {
      this.#watch?.heard(message.vitals);
    } else if (message.type === 'culprit') {
      this.#quickEnds = [];
      this.#foundCulprits += 1;
      this.#setBehind(child, false);
    }
    this.#options.onMessage(message);
  }

  #checkHeartbeat(child: ChildProcess): void {
    if (!this.#isJudged(child)) return;
    const isRunning = this.#state === 'running';
    const verdict = this.#watch?.check(child.pid, { isRunning });
    if (verdict !== undefined) {
      this.#kill(child, verdict);
      return;
    }
    if (isRunning && Date.now() - this.#since > this.#times.stableMs) this.#setBehind(child, false);
    this.send({ type: 'ping' });
  }

  #checkMemory(child: ChildProcess): void {
    if (!this.#isJudged(child)) return;
    const verdict = this.#watch?.checkMemory(child.pid);
    if (verdict !== undefined) this.#kill(child, verdict);
  }

  /** Not while it finishes what it has, for as long as the stop allows; nor once it was killed, which takes a moment. */
  #isJudged(child: ChildProcess): child is ChildProcess & { readonly pid: number } {
    const { pid, killed, exitCode } = child;
    return this.#state !== 'stopped' && !killed && exitCode === null && pid !== undefined;
  }

  #kill(child: ChildProcess, { words, figures }: Verdict): void {
    this.#failure ??= words;
    this.#options.logger.error(
      { process: this.name, pid: child.pid, ...figures },
      `Killed: ${words}.`,
    );
    child.kill('SIGKILL');
  }

  get #mayStartMs(): number {
    const { startTimeoutMs, longestStartTimeoutMs } = this.#times;
    return Math.min(longestStartTimeoutMs, startTimeoutMs * 2 ** this.#quickEnds.length);
  }

  #ended(child: ChildProcess, code: number | null, signal: NodeJS.Signals | null): void {
    this.#stopChecks();
    if (this.#state === 'stopped') {
      this.#waiting?.resolve();
      this.#waiting = undefined;
      return;
    }
    const ranMs = Date.now() - this.#since;
    const words = this.#failure ?? `ended with ${signal ?? `code ${code ?? 'unknown'}`}`;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting?.reject !== undefined) {
      this.#set('stopped');
      waiting.reject(new Error(`${this.name}: ${words}`));
      return;
    }
    waiting?.resolve();
    this.#lastEnd = { reason: words, at: new Date().toISOString() };
    const wasReady = this.#state === 'running';
    const isQuick = !wasReady || ranMs <= this.#times.stableMs;
    if (wasReady && ranMs > this.#times.atWorkMs) this.#foundCulprits = 0;
    const { nodeId, messageId } = this.#accused ?? {};
    const end: QuickEnd = {
      reason: words,
      wasReady,
      ...(nodeId && { nodeId }),
      ...(messageId && { messageId }),
    };
    this.#quickEnds = isQuick ? [...this.#quickEnds, end] : [end];
    this.#restarts += 1;
    const of = { process: this.name, pid: child.pid, code, signal };
    const { onCrashLoop } = this.#options;
    if (onCrashLoop !== undefined && isCrashLoop(this.#quickEnds, this.#foundCulprits)) {
      this.#options.logger.error(of, `A process ended: ${words}; it keeps ending, and is stopped.`);
      this.#set('stopped');
      onCrashLoop(this.#quickEnds);
      return;
    }
    const extra = this.#quickEnds.length - immediateRestarts;
    const delayMs = extra <= 0 ? 0 : Math.min(this.#times.maxBackoffMs, 1_000 * 2 ** extra);
    this.#options.logger.error(
      { ...of, restartInMs: delayMs },
      `A process ended: ${words}; it is started again.`,
    );
    this.#set('restarting');
    this.#restartTimer = setTimeout(() => {
      this.#fork();
    }, delayMs);
  }
}

function mainOf(role: Role): string {
  return path.join(import.meta.dirname, '..', 'roles', `${role}.ts`);
}
