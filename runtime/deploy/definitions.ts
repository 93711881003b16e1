import type { FlowNode, InterfaceDefinitions, NodeContribution } from '../../core/interface.ts';
import type { Issue } from '../../core/issue.ts';
import { buildMappings, type Mappings } from '../../core/mapping/mappings.ts';
import { contributors } from '../../nodes/definitions.ts';
import { readAlarmLimits, type AlarmLimits } from '../alarm/limits.ts';
import { readRetentionPolicy, type RetentionPolicy } from '../retention/policy.ts';
import { changesSetting, readChangeBound } from '../changes/bound.ts';
import type { Settings } from '../settings.ts';
import { readWorkerMemory } from '../process/worker-memory.ts';
import { lintFlows } from './lint.ts';
import { lintLinks } from './lint-links.ts';
import { checkProfile } from './profile-version.ts';
import type { Sources } from './stored.ts';
import { findTabSetting } from './tab-setting.ts';

/** What the flows ask of edge and broker, and what is wrong with them: an error refuses the deploy. */
export interface Compiled {
  readonly definitions: InterfaceDefinitions;
  readonly issues: readonly Issue[];
  /** The limits of interfaces that set some themselves, by id. */
  readonly alarmLimits: ReadonlyMap<string, AlarmLimits>;
  /** How long the messages of interfaces are kept that set that themselves, by id. */
  readonly retention: ReadonlyMap<string, RetentionPolicy>;
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
    readonly retention?: RetentionPolicy;
    /** Throws HilumError (permanent) where the profile of this name is none; absent: its files are read. */
    readonly checkProfile?: (name: string) => void;
    /** The maps and tables that nodes name; absent: those that are shipped. */
    readonly mappings?: Mappings;
  },
): Compiled {
  const tabs = new Map(flows.filter((node) => node.type === 'tab').map((tab) => [tab.id, tab]));
  const contributions: NodeContribution[] = [];
  const issues: Issue[] = [];
  for (const node of flows) {
    const contribute = contributors[node.type];
    if (contribute === undefined || !isActive(node, tabs)) continue;
    const tab = tabs.get(node.z ?? '');
    const contribution = contribute(node, {
      interface: tab?.id ?? '',
      defaults: { bind: context.bind },
      env: context.environment,
      ...(context.checkProfile === undefined ? {} : { checkProfile: context.checkProfile }),
      ...(context.mappings === undefined ? {} : { mappings: context.mappings }),
    });
    issues.push(...(contribution.issues ?? []));
    if (tab !== undefined) contributions.push(contribution);
    else if (makesAnything(contribution)) issues.push(notOnATab(node));
  }
  const settings = readTabSettings([...tabs.values()], context);
  const definitions: InterfaceDefinitions = {
    listeners: contributions.flatMap(({ listeners = [] }) => listeners),
    senders: contributions.flatMap(({ senders = [] }) => senders),
    queues: mergeQueues(contributions.flatMap(({ queues = [] }) => queues)).map((queue) => {
      const changeBytes = settings.changeBytes.get(queue.interface);
      return changeBytes === undefined ? queue : { ...queue, changeBytes };
    }),
  };
  return {
    definitions,
    alarmLimits: settings.alarmLimits,
    retention: settings.retention,
    issues: [
      ...issues,
      ...settings.issues,
      ...findSharedPorts(definitions),
      ...lintFlows(flows, context.allowNodes ?? []),
      ...lintLinks(flows.filter((node) => isActive(node, tabs))),
    ],
  };
}

/** {@link compileFlows} as Hilum was set up, with these mappings and profiles. */
export function compileBySettings(
  flows: readonly FlowNode[],
  settings: Settings,
  { mappings, profiles }: Sources,
): Compiled {
  const { alarm, retention } = settings;
  return compileFlows(flows, {
    ...settings,
    checkProfile: (name) => checkProfile(name, profiles),
    mappings: buildMappings(() => mappings),
    alarmLimits: alarm.limits,
    retention: retention.policy,
  });
}

/** Neither the node nor its tab is disabled. */
function isActive(node: FlowNode, tabs: ReadonlyMap<string, FlowNode>): boolean {
  return node.d !== true && tabs.get(node.z ?? '')?.['disabled'] !== true;
}

/** A tab's environment variables of the names that Hilum's own have hold for its interface. */
function readTabSettings(
  tabs: readonly FlowNode[],
  otherwise: { readonly alarmLimits?: AlarmLimits; readonly retention?: RetentionPolicy },
): Pick<Compiled, 'alarmLimits' | 'retention' | 'issues'> & {
  /** Of the interfaces that set it themselves, by id. */
  readonly changeBytes: ReadonlyMap<string, number>;
} {
  const alarmLimits = new Map<string, AlarmLimits>();
  const retention = new Map<string, RetentionPolicy>();
  const changeBytes = new Map<string, number>();
  const issues: Issue[] = [];
  for (const tab of tabs) {
    const find = (name: string): string | undefined => findTabSetting(tab, name);
    const alarms = readAlarmLimits(find, otherwise.alarmLimits ?? {});
    alarmLimits.set(tab.id, alarms.limits);
    const kept = readRetentionPolicy(find, otherwise.retention ?? {});
    const isOwn = retentionNames.some((name) => find(name) !== undefined);
    if (isOwn) retention.set(tab.id, kept.policy);
    const changes = readChangeBound(find);
    if (find(changesSetting) !== undefined) changeBytes.set(tab.id, changes.maxBytes);
    const memory = readWorkerMemory(find);
    const refuse = (code: string) => (message: string) =>
      issues.push({ code, severity: 'error', location: tab.id, message });
    alarms.problems.forEach(refuse('alarm-limit-invalid'));
    changes.problems.forEach(refuse('changes-invalid'));
    memory.problems.forEach(refuse('worker-memory-invalid'));
    if (isOwn) kept.problems.forEach(refuse('retention-invalid'));
  }
  return { alarmLimits, retention, changeBytes, issues };
}

const retentionNames = ['HILUM_RETENTION_DAYS', 'HILUM_RETENTION_DEAD_DAYS'];

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
