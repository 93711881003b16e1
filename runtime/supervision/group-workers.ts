import type { FlowNode } from '../../core/interface.ts';
import { findGroups, findTabs, workerName } from '../deploy/groups.ts';
import type { ToChild } from '../process/messages.ts';
import type { SupervisedProcess } from '../process/supervised.ts';

interface Options {
  /** The flows as they are to run. */
  readonly flows: () => readonly FlowNode[];
  /** Makes the worker of a group, not yet started; what it runs is asked at each of its starts. */
  readonly make: (group: string, name: string) => Promise<SupervisedProcess>;
  /** It is gone for good. */
  readonly onGone: (name: string) => void;
}

interface GroupWorker {
  readonly process: SupervisedProcess;
  /** The tabs that it runs. */
  readonly tabs: string;
}

/** A worker for every group of flows. */
export class GroupWorkers {
  readonly #options: Options;
  readonly #workers = new Map<string, GroupWorker>();
  #stopping = false;

  constructor(options: Options) {
    this.#options = options;
  }

  get statuses(): readonly SupervisedProcess['status'][] {
    return [...this.#workers.values()].map(({ process }) => process.status);
  }

  has(name: string): boolean {
    return findGroups(this.#options.flows()).some((group) => name === workerName(group));
  }

  /** Those that are missing. Flows that do not start must not keep all else from running: they are tried again. */
  async start(): Promise<void> {
    const missing = findGroups(this.#options.flows()).filter((group) => !this.#workers.has(group));
    await Promise.all(missing.map((group) => this.#start(group)));
  }

  /** Other flows run than before: the workers of other tabs change, or all of them do. */
  async change({ all }: { readonly all: boolean }): Promise<void> {
    const flows = this.#options.flows();
    const leaving = [...this.#workers].filter(
      ([group, { tabs, process }]) =>
        all || process.status.state === 'stopped' || tabs !== findTabs(flows, group).join(),
    );
    await Promise.all(
      leaving.map(async ([group, { process }]) => {
        await process.stop();
        this.#workers.delete(group);
        this.#options.onGone(process.name);
      }),
    );
    await this.start();
  }

  send(message: ToChild): void {
    for (const { process } of this.#workers.values()) process.send(message);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all([...this.#workers.values()].map(({ process }) => process.stop()));
  }

  async #start(group: string): Promise<void> {
    const process = await this.#options.make(group, workerName(group));
    if (this.#stopping) return;
    const tabs = findTabs(this.#options.flows(), group).join();
    this.#workers.set(group, { process, tabs });
    await process.start({ once: false });
  }
}
