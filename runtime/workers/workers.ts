import { availableParallelism } from 'node:os';
import { HilumError } from '../../core/errors.ts';
import type { Issue } from '../../core/issue.ts';
import type { Deployed } from '../deploy/deployed.ts';
import { findGroups, workerName } from '../deploy/groups.ts';
import { inTurns } from '../in-turns.ts';
import type { FromChild, RoleConfig, ToChild } from '../process/messages.ts';
import type { SupervisedProcess } from '../process/supervised.ts';
import type { QuickEnd } from '../supervision/crash-loop.ts';
import { needsNewWorker, planGroup, type GroupPlan } from './plan.ts';
import { WorkerProcess } from './worker-process.ts';

interface Options {
  /** Makes the process of a worker, under the name that people know it by. */
  readonly supervise: (
    name: string,
    options: {
      readonly config: () => RoleConfig;
      readonly onMessage: (message: FromChild) => void;
      readonly onCrashLoop: (ends: readonly QuickEnd[]) => void;
    },
  ) => SupervisedProcess;
  /** Node-RED's own folder of the group's workers is to be there. */
  readonly prepare: (group: string) => Promise<void>;
  /** The queues of which nothing is to be taken. */
  readonly paused: () => readonly string[];
  readonly onMessage: (key: string, message: FromChild) => void;
  /** The worker of a group keeps ending, and is not started again. */
  readonly onCrashLoop: (group: string, ends: readonly QuickEnd[]) => void;
  /** What a worker may hold in memory whose flows do not say, in MiB. */
  readonly usualMiB: number;
  /** A worker is gone for good. */
  readonly onGone: (key: string) => void;
}

/** Workers that have started beside those whose places they are to take. One of the two, once. */
export interface Succession {
  /** The groups whose workers change. */
  readonly groups: readonly string[];
  /** They end again, and nothing has changed. */
  abandon(): Promise<void>;
  /** Those before finish what they have and end, and these take over, queue by queue; resolves when all have. */
  complete(): Promise<void>;
}

/** The workers of all groups: who works, who stands by for whom, and the change from one to the other. */
export class Workers {
  readonly #options: Options;
  /** Those that work, by group. */
  readonly #working = new Map<string, WorkerProcess>();
  /** And those that stand by or end. */
  readonly #all = new Set<WorkerProcess>();
  #stopped = false;

  constructor(options: Options) {
    this.#options = options;
  }

  get statuses(): readonly SupervisedProcess['status'][] {
    return [...this.#all].map(({ status }) => status);
  }

  /** Whether a worker has the spool of this name. */
  has(key: string): boolean {
    return [...this.#all].some((worker) => worker.key === key);
  }

  /** Resolves when each has started, or has failed to for a first time: it is tried again by itself. */
  async start(deployed: Deployed): Promise<void> {
    await inTurns(findGroups(deployed.flows), availableParallelism(), async (group) => {
      await this.#options.prepare(group);
      if (!this.#isStopping()) await this.#startAlone(planGroup(group, deployed));
    });
  }

  /**
   * Starts a worker beside each one that runs something else than what is deployed now, and for each new group. Rejects
   * with HilumError (permanent), everything as it was, when one of them does not start. A worker that does not run, with
   * flows that have not changed, stands in no deploy's way: it begins anew when that is complete.
   */
  async prepare(deployed: Deployed): Promise<Succession> {
    const plans = findGroups(deployed.flows).map((group) => planGroup(group, deployed));
    const staying = new Map<WorkerProcess, GroupPlan>();
    const changed = plans.filter((plan) => {
      const working = this.#working.get(plan.group);
      if (working === undefined || needsNewWorker(working.plan, plan)) return true;
      staying.set(working, plan);
      return false;
    });
    const next = new Map<string, WorkerProcess>();
    const failed: Issue[] = [];
    await inTurns(changed, availableParallelism(), async (plan) => {
      await this.#options.prepare(plan.group);
      if (failed.length > 0) return;
      const worker = this.#make(plan, { standsBy: true });
      next.set(plan.group, worker);
      failed.push(...(await startOnce(worker)));
    });
    const abandon = async (): Promise<void> => {
      await Promise.all([...next.values()].map((worker) => this.#end(worker)));
    };
    if (this.#isStopping()) failed.push(stoppingIssue);
    if (failed.length > 0) {
      await abandon();
      throw new HilumError('permanent', failed);
    }
    return {
      groups: changed.map(({ group }) => group),
      abandon,
      complete: async () => {
        for (const [worker, plan] of staying) worker.goBy(plan);
        await Promise.all([
          this.#endOthers(plans),
          ...[...next].map(([group, worker]) => this.#replace(group, worker)),
          ...[...staying]
            .filter(([worker]) => worker.status.state === 'stopped')
            .map(([, plan]) => this.#rearrange(plan)),
        ]);
      },
    };
  }

  /**
   * Other flows of what is deployed are to run than before: as a deploy, but for a worker that does not start, which is
   * tried again by itself. Resolves when all have taken over.
   */
  async rearrange(deployed: Deployed): Promise<void> {
    const plans = findGroups(deployed.flows).map((group) => planGroup(group, deployed));
    const changed = plans.filter((plan) => {
      const working = this.#working.get(plan.group);
      return (
        working === undefined ||
        working.status.state === 'stopped' ||
        needsNewWorker(working.plan, plan)
      );
    });
    await Promise.all([
      this.#endOthers(plans),
      inTurns(changed, availableParallelism(), (plan) => this.#rearrange(plan)),
    ]);
  }

  /** A newer revision does not run here: what was taken by it is run by what does. */
  runInstead(revision: number): void {
    for (const worker of this.#working.values()) worker.goBy({ ...worker.plan, revision });
  }

  send(message: ToChild): void {
    for (const worker of this.#all) worker.send(message);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([...this.#all].map((worker) => this.#end(worker)));
  }

  /** It changes while something is awaited. */
  #isStopping(): boolean {
    return this.#stopped;
  }

  async #replace(group: string, next: WorkerProcess): Promise<void> {
    const before = this.#working.get(group);
    this.#working.set(group, next);
    if (before !== undefined) {
      await this.#end(before, (queue) => {
        next.take(queue);
      });
    }
    next.take();
  }

  async #rearrange(plan: GroupPlan): Promise<void> {
    const { group } = plan;
    await this.#options.prepare(group);
    if (this.#isStopping()) return;
    const next = this.#make(plan, { standsBy: true });
    if ((await startOnce(next)).length === 0) {
      await this.#replace(group, next);
      return;
    }
    const before = this.#working.get(group);
    await Promise.all([this.#end(next), before === undefined ? undefined : this.#end(before)]);
    if (!this.#isStopping()) await this.#startAlone(plan);
  }

  /** Without another to take over from; one that does not start is tried again. */
  async #startAlone(plan: GroupPlan): Promise<void> {
    const worker = this.#make(plan, { standsBy: false });
    this.#working.set(plan.group, worker);
    await worker.start({ once: false });
  }

  /** Of groups that are no more. */
  async #endOthers(plans: readonly GroupPlan[]): Promise<void> {
    const remaining = new Set(plans.map(({ group }) => group));
    const leaving = [...this.#working].filter(([group]) => !remaining.has(group));
    for (const [group] of leaving) this.#working.delete(group);
    await Promise.all(leaving.map(([, worker]) => this.#end(worker)));
  }

  async #end(worker: WorkerProcess, onReleased?: (queue: string) => void): Promise<void> {
    await worker.stop(onReleased);
    if (this.#all.delete(worker)) this.#options.onGone(worker.key);
  }

  #make(plan: GroupPlan, { standsBy }: { readonly standsBy: boolean }): WorkerProcess {
    const { supervise, paused, onMessage, onCrashLoop, usualMiB } = this.#options;
    const name = workerName(plan.group);
    const key = this.#findFreeKey(name);
    const worker = new WorkerProcess({
      key,
      plan,
      standsBy,
      paused,
      usualMiB,
      supervise: (options) => supervise(name, options),
      onCrashLoop: (ends) => {
        onCrashLoop(plan.group, ends);
      },
      onMessage: (message) => {
        onMessage(key, message);
      },
    });
    this.#all.add(worker);
    return worker;
  }

  /** The name itself, but while another worker of the group has it. */
  #findFreeKey(name: string): string {
    for (let place = 2, key = name; ; place += 1) {
      if (!this.has(key)) return key;
      key = `${name}#${place}`;
    }
  }
}

/** Why it does not run; none: it does. */
async function startOnce(worker: WorkerProcess): Promise<readonly Issue[]> {
  try {
    await worker.start({ once: true });
    return worker.status.state === 'running' ? [] : [stoppingIssue];
  } catch (error) {
    if (worker.issues.length > 0) return worker.issues;
    const message = error instanceof Error ? error.message : String(error);
    return [{ code: 'flow-not-started', severity: 'error', message }];
  }
}

const stoppingIssue: Issue = {
  code: 'engine-stopping',
  severity: 'error',
  message: 'Hilum is stopping: deploy again when it runs.',
};
