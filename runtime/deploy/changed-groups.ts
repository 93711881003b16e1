import type { FlowNode } from '../../core/interface.ts';

/** Where a node is drawn, and what is written about it: nothing of it runs. */
const drawing: ReadonlySet<string> = new Set(['x', 'y', 'w', 'h', 'info', 'style', 'locked']);

/** Whether these flows of one group do something else than those: nodes were edited, added or removed, not moved. */
export function runOtherwise(before: readonly FlowNode[], after: readonly FlowNode[]): boolean {
  return toComparable(before) !== toComparable(after);
}

function toComparable(flows: readonly FlowNode[]): string {
  const nodes = flows
    .filter(({ type }) => type !== 'comment')
    .map((node) => Object.entries(node).filter(([name]) => !drawing.has(name)))
    .map((entries) => JSON.stringify(entries.sort(([one], [other]) => (one < other ? -1 : 1))));
  return nodes.sort().join('\n');
}
