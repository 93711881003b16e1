import type { FlowNode } from '../../core/interface.ts';
import { findTabSetting } from './tab-setting.ts';

/** The group of tabs that name none: by default all flows share one worker. */
const defaultGroup = 'default';

/** The worker groups of the enabled tabs. A tab's group stands in its environment as `HILUM_GROUP`. */
export function findGroups(flows: readonly FlowNode[]): readonly string[] {
  const tabs = flows.filter((node) => node.type === 'tab' && node['disabled'] !== true);
  return [...new Set(tabs.map(groupOf))].sort();
}

/** The flows of one group: its tabs with their nodes, and what all share (subflows, configuration). */
export function selectGroup(flows: readonly FlowNode[], group: string): readonly FlowNode[] {
  const others = new Set(
    flows.filter((node) => node.type === 'tab' && groupOf(node) !== group).map(({ id }) => id),
  );
  return flows.filter((node) => !others.has(node.id) && !others.has(node.z ?? ''));
}

/** The enabled tabs of a group. */
export function findTabs(flows: readonly FlowNode[], group: string): readonly string[] {
  return flows
    .filter((node) => node.type === 'tab' && node['disabled'] !== true && groupOf(node) === group)
    .map(({ id }) => id);
}

/** The flows of these tabs, with what all share. */
export function selectTabs(
  flows: readonly FlowNode[],
  tabs: readonly string[],
): readonly FlowNode[] {
  const others = new Set(
    flows.filter(({ id, type }) => type === 'tab' && !tabs.includes(id)).map(({ id }) => id),
  );
  return flows.filter((node) => !others.has(node.id) && !others.has(node.z ?? ''));
}

/** The group that a tab is in. */
export function groupOf(tab: FlowNode): string {
  return findTabSetting(tab, 'HILUM_GROUP') ?? defaultGroup;
}

/** What a group's worker is called: by people, and by the spool of what it has for the ledger. */
export function workerName(group: string): string {
  return `worker ${group}`;
}
