import type { FlowNode } from '../../core/interface.ts';
import type { Clock } from '../clock.ts';
import { findTabs } from '../deploy/groups.ts';
import { toInstant } from '../ids.ts';
import { findGuiltyTab, type QuickEnd } from './crash-loop.ts';
import { findParts } from './linked-tabs.ts';

/** A flow that kept ending its worker, and is not run until somebody decides or the time is over. */
export interface StoppedFlow {
  /** What happened and what to do, for people. */
  readonly reason: string;
  /** ISO 8601 instant. */
  readonly since: string;
}

/** What follows on a crash loop. */
export type Measure =
  | { readonly kind: 'stopped'; readonly tabs: readonly string[] }
  /** Nobody knows whose fault it was: from now on each part has a worker of its own. */
  | { readonly kind: 'split'; readonly parts: readonly (readonly string[])[] };

/**
 * Which flows run, and which in one worker, where that is not as they are deployed: a flow that keeps ending its worker
 * is stopped; where the worker has several and none is known to be the one, they are taken apart first. A deploy and a
 * restart of Hilum begin anew.
 */
export class Arrangement {
  readonly #clock: Clock;
  /** By tab. */
  readonly #stopped = new Map<string, StoppedFlow>();
  /** The group of a tab that was taken out of its own. */
  readonly #groups = new Map<string, string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get stopped(): ReadonlyMap<string, StoppedFlow> {
    return this.#stopped;
  }

  /** The flows as they are to run: those that are stopped are disabled, and those taken apart are in other groups. */
  arrange(flows: readonly FlowNode[], alsoStopped: ReadonlySet<string>): readonly FlowNode[] {
    return flows.map((node) => {
      if (node.type !== 'tab') return node;
      if (this.#stopped.has(node.id) || alsoStopped.has(node.id)) {
        return { ...node, disabled: true };
      }
      const group = this.#groups.get(node.id);
      return group === undefined ? node : { ...node, env: withGroup(node['env'], group) };
    });
  }

  /** Decides what follows when the worker of a group keeps ending. `flows` are as they run: {@link arrange}. */
  onCrashLoop(
    group: string,
    of: { readonly flows: readonly FlowNode[]; readonly ends: readonly QuickEnd[] },
  ): Measure {
    const { flows, ends } = of;
    const tabs = findTabs(flows, group);
    const tabOf = new Map(flows.map(({ id, z }) => [id, z]));
    const guilty = findGuiltyTab(ends, (nodeId) => tabOf.get(nodeId));
    const last = ends.at(-1)?.reason ?? 'it ended';
    if (guilty !== undefined && tabs.includes(guilty)) {
      this.#stop([guilty], group, { last, ends: ends.length });
      return { kind: 'stopped', tabs: [guilty] };
    }
    const parts = findParts(flows, tabs);
    if (parts.length <= 1) {
      this.#stop(tabs, group, { last, ends: ends.length });
      return { kind: 'stopped', tabs };
    }
    // The first part keeps the name, and with it what its worker has left for the ledger.
    parts.slice(1).forEach((part, at) => {
      for (const tab of part) this.#groups.set(tab, `${group}~${at + 2}`);
    });
    return { kind: 'split', parts };
  }

  /** It runs again, with what it is linked to as before; false where it was not stopped. */
  start(tab: string): boolean {
    return this.#stopped.delete(tab);
  }

  /** Everything runs as it is deployed. */
  forget(): void {
    this.#stopped.clear();
    this.#groups.clear();
  }

  #stop(
    tabs: readonly string[],
    group: string,
    of: { readonly last: string; readonly ends: number },
  ): void {
    const since = toInstant(this.#clock());
    const others =
      tabs.length > 1 ? ` Of ${tabs.length} flows that are linked, nobody knows which.` : '';
    const reason =
      `It ended its worker (group ${group}) ${of.ends} times in a row, the last time: ${of.last}.${others} ` +
      'Its messages wait. Correct it and deploy, or start it with hilum interfaces start; it is tried again by itself later.';
    for (const tab of tabs) this.#stopped.set(tab, { reason, since });
  }
}

function withGroup(env: unknown, group: string): readonly object[] {
  const others = (Array.isArray(env) ? (env as { name?: unknown }[]) : []).filter(
    ({ name }) => name !== 'HILUM_GROUP',
  );
  return [...others, { name: 'HILUM_GROUP', value: group, type: 'str' }];
}
