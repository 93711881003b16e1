import { fork, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import type { Logger } from '../../core/ports/logger.ts';
import type { Settings } from '../settings.ts';
import { buildNodeOptions } from './node-options.ts';
import type { FromChild, Role, RoleConfig, ToChild } from './messages.ts';

interface Options {
  readonly settings: Settings;
  readonly logger: Logger;
  /** `worker default`, for people. */
  readonly name: string;
  /** Asked at every start, so that a restarted process gets what holds now. */
  readonly config: () => RoleConfig;
  readonly onMessage: (message: FromChild) => void;
  readonly onState?: () => void;
  /** Default: as a user has them. */
  readonly times?: Partial<SupervisionTimes>;
  /** The path of what is forked; default: the role's own. */
  readonly program?: string;
}

/** All in milliseconds. */
export interface SupervisionTimes {
  readonly heartbeatMs: number;
  /** An endless loop in a flow is found after this; a long garbage collection is not one. */
  readonly flowSilenceMs: number;
  /** Of a process that runs no flows. */
  readonly silenceMs: number;
  /** Twice as long for each start that did not end well: killed again and again, it would never end. */
  readonly startTimeoutMs: number;
  readonly longestStartTimeoutMs: number;
  readonly stopTimeoutMs: number;
  /** A process that ran this long had started well: the next restart is immediate again. */
  readonly stableMs: number;
  readonly maxBackoffMs: number;
}

const defaultTimes: SupervisionTimes = {
  heartbeatMs: 2_000,
  flowSilenceMs: 15_000,
  silenceMs: 30_000,
  startTimeoutMs: 30_000,
  longestStartTimeoutMs: 240_000,
  stopTimeoutMs: 15_000,
  stableMs: 30_000,
  maxBackoffMs: 30_000,
};

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
  #quickEnds = 0;
  /** When the heartbeat was last checked. */
  #checkedMs = 0;
  /** How long it has been starting, and how long it has been silent, while this process could see it. */
  #startingMs = 0;
  #silentMs = 0;
  #heartbeat: NodeJS.Timeout | undefined;
  #restartTimer: NodeJS.Timeout | undefined;
  #failure: string | undefined;
  /** Why it ended the last time. */
  #reason: string | undefined;
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
      ...(this.#state === 'running' || this.#reason === undefined ? {} : { reason: this.#reason }),
    } as const;
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
    const { settings, config, program = mainOf(this.role) } = this.#options;
    const { execArgv, env } = buildNodeOptions(settings);
    const child = fork(program, [], {
      env,
      serialization: 'advanced',
      execArgv: [...execArgv],
    });
    this.#child = child;
    this.#failure = undefined;
    this.#checkedMs = performance.now();
    this.#startingMs = 0;
    this.#silentMs = 0;
    child.on('message', (message: FromChild) => {
      this.#silentMs = 0;
      this.#hear(message);
    });
    child.on('error', (error) => {
      this.#options.logger.error({ process: this.name, err: error }, 'A process error.');
      // Without a process id it never ran, and no exit will tell.
      if (child.pid === undefined) this.#ended(child, null, null);
    });
    child.once('exit', (code, signal) => {
      this.#ended(child, code, signal);
    });
    const start: ToChild = {
      type: 'start',
      settings: {
        ...settings,
        credentialSecret: undefined,
        alarm: { ...settings.alarm, address: undefined },
      },
      config: config(),
    };
    child.send(start, () => undefined);
    clearInterval(this.#heartbeat);
    this.#heartbeat = setInterval(() => {
      this.#checkHeartbeat(child);
    }, this.#times.heartbeatMs);
  }

  #hear(message: FromChild): void {
    if (message.type === 'ready') {
      // It may have become ready while it was being stopped.
      if (this.#state !== 'stopped') this.#set('running');
      this.#waiting?.resolve();
      this.#waiting = undefined;
    } else if (message.type === 'failed') {
      this.#failure = message.message;
    }
    this.#options.onMessage(message);
  }

  #checkHeartbeat(child: ChildProcess): void {
    const nowMs = performance.now();
    // Where this process stood still itself, or the whole machine did, what the child has said is not read yet.
    const seenMs = Math.min(nowMs - this.#checkedMs, 2 * this.#times.heartbeatMs);
    this.#checkedMs = nowMs;
    this.#startingMs += seenMs;
    this.#silentMs += seenMs;
    // It finishes what it has, for as long as the stop allows; or it was killed, which takes a moment.
    if (this.#state === 'stopped' || child.killed) return;
    const isRunning = this.#state === 'running';
    const sinceMs = isRunning ? this.#silentMs : this.#startingMs;
    const allowedMs = isRunning ? this.#mayBeSilentMs : this.#mayStartMs;
    if (sinceMs > allowedMs && child.exitCode === null) {
      const words = isRunning ? 'it was silent for too long' : 'it was not ready in time';
      this.#failure ??= words;
      this.#options.logger.error(
        { process: this.name, pid: child.pid, sinceMs, allowedMs },
        `Killed: ${words}.`,
      );
      child.kill('SIGKILL');
      return;
    }
    this.send({ type: 'ping' });
  }

  get #mayBeSilentMs(): number {
    return this.role === 'worker' ? this.#times.flowSilenceMs : this.#times.silenceMs;
  }

  get #mayStartMs(): number {
    const { startTimeoutMs, longestStartTimeoutMs } = this.#times;
    return Math.min(longestStartTimeoutMs, startTimeoutMs * 2 ** this.#quickEnds);
  }

  #ended(child: ChildProcess, code: number | null, signal: NodeJS.Signals | null): void {
    clearInterval(this.#heartbeat);
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
    this.#reason = words;
    this.#quickEnds =
      this.#state === 'running' && ranMs > this.#times.stableMs ? 0 : this.#quickEnds + 1;
    const delayMs =
      this.#quickEnds <= 1 ? 0 : Math.min(this.#times.maxBackoffMs, 500 * 2 ** this.#quickEnds);
    this.#options.logger.error(
      { process: this.name, pid: child.pid, code, signal, restartInMs: delayMs },
      `A process ${words}; it is started again.`,
    );
    this.#restarts += 1;
    this.#set('restarting');
    this.#restartTimer = setTimeout(() => {
      this.#fork();
    }, delayMs);
  }
}

function mainOf(role: Role): string {
  return path.join(import.meta.dirname, '..', 'roles', `${role}.ts`);
}
