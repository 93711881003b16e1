import type { FlowNode } from '../../core/interface.ts';
import { findTabSetting } from './tab-setting.ts';

/** The group of tabs that name none: by default all flows share one worker. */
const defaultGroup = 'default';

/** The worker groups of the enabled tabs. A tab's group stands in its environment as `HILUM_GROUP`. */
export function findGroups(flows: readonly FlowNode[]): readonly string[] {
  return [...new Set(flows.filter(isEnabledTab).map(groupOf))].sort();
}

/** The enabled tabs of a group. */
export function findTabs(flows: readonly FlowNode[], group: string): readonly string[] {
  return flows.filter((node) => isEnabledTab(node) && groupOf(node) === group).map(({ id }) => id);
}

/** The group that a tab is in. */
export function groupOf(tab: FlowNode): string {
  return findTabSetting(tab, 'HILUM_GROUP') ?? defaultGroup;
}

/** The group that runs a node or a tab; undefined where none does. */
export function findGroupOf(flows: readonly FlowNode[], id: string): string | undefined {
  const found = flows.find((node) => node.id === id);
  const tab = found?.type === 'tab' ? found : flows.find((node) => node.id === found?.z);
  return tab?.type === 'tab' ? groupOf(tab) : undefined;
}

/**
 * The flows of one group, in their order: its enabled tabs with their nodes, the subflows and configuration nodes that
 * these use, directly or through one another, and the environment that all flows share.
 */
export function selectGroup(flows: readonly FlowNode[], group: string): readonly FlowNode[] {
  const tabs = new Set(findTabs(flows, group));
  const containers = new Set(flows.filter(isContainer).map(({ id }) => id));
  const inside = Map.groupBy(
    flows.filter(({ z }) => containers.has(z ?? '')),
    ({ z }) => z ?? '',
  );
  /** What is on no tab: configuration, and the subflows' own entries. */
  const shared = new Map(
    flows
      .filter(({ type, z }) => type !== 'tab' && !containers.has(z ?? ''))
      .map((node) => [node.id, node]),
  );
  const selected = new Set<FlowNode>();
  const select = (node: FlowNode): void => {
    if (selected.has(node)) return;
    selected.add(node);
    for (const each of inside.get(node.id) ?? []) select(each);
    for (const id of findMentioned(node)) {
      const used = shared.get(id);
      if (used !== undefined) select(used);
    }
  };
  for (const node of flows) {
    if (tabs.has(node.id) || node.type === 'global-config') select(node);
  }
  return flows.filter((node) => selected.has(node));
}

/** The ids of whatever the node may use: any property may hold one. */
function findMentioned(node: FlowNode): readonly string[] {
  const subflow = node.type.startsWith('subflow:') ? [node.type.slice('subflow:'.length)] : [];
  return [...subflow, ...findTexts(Object.values(node))];
}

function findTexts(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(findTexts);
}

function isContainer({ type }: FlowNode): boolean {
  return type === 'tab' || type === 'subflow';
}

function isEnabledTab(node: FlowNode): boolean {
  return node.type === 'tab' && node['disabled'] !== true;
}

/** What a group's worker is called: by people, and by the spool of what it has for the ledger. */
export function workerName(group: string): string {
  return `worker ${group}`;
}
