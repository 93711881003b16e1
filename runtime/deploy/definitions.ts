import type { FlowNode, InterfaceDefinitions, NodeContribution } from '../../core/interface.ts';
import type { Issue } from '../../core/issue.ts';
import { contributors } from '../../nodes/definitions.ts';
import { readAlarmLimits, type AlarmLimits } from '../alarm/limits.ts';
import { lintFlows } from './lint.ts';
import { findTabSetting } from './tab-setting.ts';

/** What the flows ask of edge and broker, and what is wrong with them: an error refuses the deploy. */
export interface Compiled {
  readonly definitions: InterfaceDefinitions;
  readonly issues: readonly Issue[];
  /** The limits of interfaces that set some themselves, by id. */
  readonly alarmLimits: ReadonlyMap<string, AlarmLimits>;
}

/**
 * Compiles the flows' nodes into listeners, senders and queues. Disabled tabs and nodes make none.
 * Issues are located by node id.
 */
export function compileFlows(
  flows: readonly FlowNode[],
  context: {
    readonly bind: string;
    readonly environment: Readonly<Record<string, string>>;
    /** Types of nodes that the site answers for: `HILUM_ALLOW_NODES`. */
    readonly allowNodes?: readonly string[];
    /** Of interfaces that set none themselves. */
    readonly alarmLimits?: AlarmLimits;
  },
): Compiled {
  const tabs = new Map(flows.filter((node) => node.type === 'tab').map((tab) => [tab.id, tab]));
  const contributions: NodeContribution[] = [];
  const issues: Issue[] = [];
  for (const node of flows) {
    const contribute = contributors[node.type];
    if (contribute === undefined || node.d === true) continue;
    const tab = tabs.get(node.z ?? '');
    if (tab?.['disabled'] === true) continue;
    const contribution = contribute(node, {
      interface: tab?.id ?? '',
      defaults: { bind: context.bind },
      env: context.environment,
    });
    issues.push(...(contribution.issues ?? []));
    if (tab !== undefined) contributions.push(contribution);
    else if (makesAnything(contribution)) issues.push(notOnATab(node));
  }
  const definitions: InterfaceDefinitions = {
    listeners: contributions.flatMap(({ listeners = [] }) => listeners),
    senders: contributions.flatMap(({ senders = [] }) => senders),
    queues: mergeQueues(contributions.flatMap(({ queues = [] }) => queues)),
  };
  const alarms = readTabLimits([...tabs.values()], context.alarmLimits ?? {});
  return {
    definitions,
    alarmLimits: alarms.limits,
    issues: [
      ...issues,
      ...alarms.issues,
      ...findSharedPorts(definitions),
      ...lintFlows(flows, context.allowNodes ?? []),
    ],
  };
}

/** A tab's environment variables of the names that Hilum's own have hold for its interface. */
function readTabLimits(
  tabs: readonly FlowNode[],
  otherwise: AlarmLimits,
): {
  readonly limits: ReadonlyMap<string, AlarmLimits>;
  readonly issues: readonly Issue[];
} {
  const limits = new Map<string, AlarmLimits>();
  const issues: Issue[] = [];
  for (const tab of tabs) {
    const read = readAlarmLimits((name) => findTabSetting(tab, name), otherwise);
    limits.set(tab.id, read.limits);
    for (const message of read.problems) {
      issues.push({ code: 'alarm-limit-invalid', severity: 'error', location: tab.id, message });
    }
  }
  return { limits, issues };
}

function makesAnything({ listeners, senders, queues }: NodeContribution): boolean {
  return [listeners, senders, queues].some((made = []) => made.length > 0);
}

function notOnATab(node: FlowNode): Issue {
  return {
    code: 'node-not-on-a-flow',
    severity: 'error',
    location: node.id,
    message: `"${node.type}" belongs on a flow of its own interface, not into a subflow; move it to the tab.`,
  };
}

/** Two nodes may name one queue (an event's copies): it is declared once, with the topics of both. */
function mergeQueues(queues: InterfaceDefinitions['queues']): InterfaceDefinitions['queues'] {
  const merged = new Map<string, InterfaceDefinitions['queues'][number]>();
  for (const queue of queues) {
    const known = merged.get(queue.name);
    const topics = [...new Set([...(known?.topics ?? []), ...(queue.topics ?? [])])];
    merged.set(queue.name, { ...(known ?? queue), ...(topics.length > 0 ? { topics } : {}) });
  }
  return [...merged.values()];
}

function findSharedPorts({ listeners }: InterfaceDefinitions): readonly Issue[] {
  const issues: Issue[] = [];
  const used = new Map<string, string>();
  for (const { id, port, host, label } of listeners) {
    if (port === 0) continue;
    const address = `${host}:${port}`;
    const other = used.get(address);
    if (other !== undefined) {
      issues.push({
        code: 'port-used-twice',
        severity: 'error',
        location: id,
        message: `"${label}": port ${port} is "${other}" already; choose another port.`,
      });
    }
    used.set(address, label);
  }
  return issues;
}
