import type { FlowNode } from '../../core/interface.ts';
import type { Issue } from '../../core/issue.ts';
import type { NodeRed } from '../node-red.ts';

/** What only the editor has, and subflows, which are made of other nodes. */
const notNodes: ReadonlySet<string> = new Set(['group', 'comment']);

/**
 * The nodes of these flows that Node-RED has not made although it says that they are started: a message would end before
 * them as if it were through.
 */
export function findNotStarted(red: Pick<NodeRed, 'nodes'>, flows: readonly FlowNode[]): Issue[] {
  const tabs = new Set(flows.filter(isEnabledTab).map(({ id }) => id));
  return flows
    .filter(({ type, z, d }) => tabs.has(z ?? '') && d !== true && !isNoNode(type))
    .filter(({ id }) => red.nodes.getNode(id) === null)
    .map((node) => ({
      code: 'node-not-started',
      severity: 'error',
      location: node.id,
      message: `The node did not start: ${reasonOf(node)}`,
    }));
}

function isEnabledTab({ type, disabled }: FlowNode): boolean {
  return type === 'tab' && disabled !== true;
}

function isNoNode(type: string): boolean {
  return notNodes.has(type) || type.startsWith('subflow:');
}

function reasonOf(node: FlowNode): string {
  return 'x' in node && 'y' in node
    ? 'Node-RED has not made it, and does not say why.'
    : 'it has no place in the editor (x and y), so that Node-RED takes it for a configuration node.';
}
