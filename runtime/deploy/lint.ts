import type { FlowNode } from '../../core/interface.ts';
import type { Issue } from '../../core/issue.ts';
import { buildIssue } from '../../nodes/shared/contribution.ts';
import { isAllowed } from './allowed-nodes.ts';
import { lintFunction } from './lint-function.ts';

type Lint = (node: FlowNode) => readonly Issue[];

const lints: Readonly<Record<string, Lint>> = {
  function: lintFunction,
  trigger: lintTrigger,
  split: lintSplit,
};

/**
 * What in the flows would let a message count as processed before it is, and nodes of which that is not known:
 * an error refuses the deploy. `allowed`: types that the site answers for. Disabled tabs and nodes do not run.
 */
export function lintFlows(
  flows: readonly FlowNode[],
  allowed: readonly string[],
): readonly Issue[] {
  const disabled = new Set(flows.filter((node) => node['disabled'] === true).map(({ id }) => id));
  return flows
    .filter(({ d, z }) => d !== true && !disabled.has(z ?? ''))
    .flatMap((node) => [
      ...(isAllowed(node.type, allowed) ? [] : [buildNotAllowed(node)]),
      ...(lints[node.type]?.(node) ?? []),
    ]);
}

function buildNotAllowed(node: FlowNode): Issue {
  return buildIssue(
    node,
    'node-not-allowed',
    'expected a node that is known to say when it is done with a message, found another: a message could count as ' +
      'processed before it is. Use a node of Node-RED or Hilum, or a function; who knows that this one calls done for ' +
      `every message allows it with HILUM_ALLOW_NODES=${node.type}.`,
  );
}

/** A trigger is done with a message before it sends for the second time. */
function lintTrigger(node: FlowNode): readonly Issue[] {
  const duration = Number(node['duration']);
  const repeats = duration < 0;
  const sendsAgain = node['op2type'] !== 'nul' && (duration !== 0 || truthy(node['overrideDelay']));
  if (!repeats && !sendsAgain) return [];
  return [
    buildIssue(
      node,
      'trigger-sends-later',
      `${repeats ? 'it sends again and again' : 'it sends a second time'}, after its message counts as done and is no ` +
        'longer kept: let it "then send" nothing. To send later use a delay; to send at intervals, an inject node; to ' +
        'notice that nothing came, watch the interface in the console.',
    ),
  ];
}

/** A stream's last part is kept until more comes, and its message counts as done. */
function lintSplit(node: FlowNode): readonly Issue[] {
  if (!truthy(node['stream'])) return [];
  return [
    buildIssue(
      node,
      'split-streams',
      'it handles messages as a stream, and keeps the end of one for the next while that counts as done: switch it off, ' +
        'and split whole messages.',
    ),
  ];
}

/** A tick as the editor stores it: true, or the text. */
function truthy(value: unknown): boolean {
  return value === true || value === 'true';
}
