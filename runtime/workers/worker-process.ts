import type { Issue } from '../../core/issue.ts';
import { toProfileFiles } from '../deploy/profile-version.ts';
import type { FromChild, RoleConfig, ToChild } from '../process/messages.ts';
import type { SupervisedProcess } from '../process/supervised.ts';
import { findWorkerMemory } from '../process/worker-memory.ts';
import type { QuickEnd } from '../supervision/crash-loop.ts';
import type { GroupPlan } from './plan.ts';

interface Options {
  /** Unique among all that run; names its spool and its connection. */
  readonly key: string;
  readonly plan: GroupPlan;
  readonly standsBy: boolean;
  readonly paused: () => readonly string[];
  readonly supervise: (options: {
    readonly config: () => RoleConfig;
    readonly onMessage: (message: FromChild) => void;
    readonly onCrashLoop: (ends: readonly QuickEnd[]) => void;
  }) => SupervisedProcess;
  /** What it says, as long as it is the one that works: what it said before comes when it begins to. */
  readonly onMessage: (message: FromChild) => void;
  /** It keeps ending, and is not started again. */
  readonly onCrashLoop: (ends: readonly QuickEnd[]) => void;
  /** What a worker may hold in memory whose flows do not say, in MiB. */
  readonly usualMiB: number;
}

/** One worker of a group: it works, or stands by until it takes the place of one that does. */
export class WorkerProcess {
  readonly key: string;
  /** What it gets when it is started again. */
  plan: GroupPlan;
  readonly #options: Options;
  readonly #process: SupervisedProcess;
  /** The last status of each node, from the time when it stood by. */
  readonly #statuses = new Map<string, FromChild>();
  #standsBy: boolean;
  #issues: readonly Issue[] = [];
  #onReleased: (queue: string) => void = () => undefined;

  constructor(options: Options) {
    this.key = options.key;
    this.plan = options.plan;
    this.#options = options;
    this.#standsBy = options.standsBy;
    this.#process = options.supervise({
      config: () => this.#config(),
      onMessage: (message) => {
        this.#hear(message);
      },
      onCrashLoop: options.onCrashLoop,
    });
  }

  get status(): SupervisedProcess['status'] {
    return this.#process.status;
  }

  /** Why it could not start, where it said so by node. */
  get issues(): readonly Issue[] {
    return this.#issues;
  }

  start(options: { readonly once: boolean }): Promise<void> {
    return this.#process.start(options);
  }

  send(message: ToChild): void {
    this.#process.send(message);
  }

  /** It stands by no longer: takes from this queue, from all of them where none is named. */
  take(queue?: string): void {
    if (queue !== undefined) {
      this.send({ type: 'take', queue });
      return;
    }
    this.#standsBy = false;
    this.send({ type: 'take' });
    for (const message of this.#statuses.values()) this.#options.onMessage(message);
    this.#statuses.clear();
  }

  /** It goes on as it is, as one that runs by this plan. */
  goBy(plan: GroupPlan): void {
    this.plan = plan;
    const { revision } = plan;
    if (revision !== undefined) this.send({ type: 'revision', revision });
  }

  /** Takes no more, finishes what it has, ends; `onReleased` hears of each queue that others may take from now. */
  async stop(onReleased: (queue: string) => void = () => undefined): Promise<void> {
    this.#onReleased = onReleased;
    await this.#process.stop();
    this.#onReleased = () => undefined;
  }

  #config(): RoleConfig {
    const { flows, group, credentials, definitions, mappings, profiles, revision } = this.plan;
    return {
      role: 'worker',
      group,
      spoolName: this.key,
      flows,
      credentials,
      mappingsDirectory: mappings.directory,
      profiles: toProfileFiles(profiles),
      definitions,
      paused: this.#options.paused(),
      standsBy: this.#standsBy,
      ...(revision === undefined ? {} : { revision }),
      memoryMiB: findWorkerMemory(flows, this.#options.usualMiB),
    };
  }

  #hear(message: FromChild): void {
    if (message.type === 'released') {
      this.#onReleased(message.queue);
      return;
    }
    // Of the context of one that stands by nobody asks.
    if (this.#standsBy && message.type === 'context') return;
    if (message.type === 'failed') this.#issues = message.issues ?? [];
    if (this.#standsBy && message.type === 'node-status') {
      this.#statuses.set((message.event as { id?: string }).id ?? '', message);
      return;
    }
    this.#options.onMessage(message);
  }
}
