import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { editedFacility } from './messages.ts';

/** One interface of the tests: MLLP in ▸ validate ▸ edit ▸ MLLP out, invalid messages to the dead letters. */
export interface FlowSpec {
  /** The tab's id; its nodes are `ID-in`, `ID-out` and so on. */
  readonly id: string;
  readonly listenPort: number;
  readonly partnerPort: number;
  readonly timeoutSeconds?: number;
  /** Messages under way at a time; 1, the default, keeps their order. */
  readonly concurrency?: number;
  /** Of `mllp out`; by default as the node has it, which goes by the concurrency. */
  readonly order?: 'key';
  /** Of the inbound queue, which then keeps those of a key in order. */
  readonly lanes?: number;
  /** A worker of its own. */
  readonly group?: string;
  /** What that may hold. */
  readonly memoryMiB?: number;
  /** The code of a function node between validate and edit; none by default. */
  readonly code?: string;
}

/** Writes the flows as their users have them: one file a tab. Gives the folder, for HILUM_FLOWS. */
export function writeFlows(folder: string, flows: readonly FlowSpec[]): string {
  const directory = path.join(folder, 'flows');
  mkdirSync(directory, { recursive: true });
  for (const flow of flows) {
    writeFileSync(path.join(directory, `${flow.id}.json`), JSON.stringify(buildTab(flow), null, 2));
  }
  return directory;
}

export const queueOf = {
  inbound: (flow: string): string => `in.${flow}-in`,
  outbound: (flow: string): string => `out.${flow}-out`,
};

function buildTab(flow: FlowSpec): readonly object[] {
  const { id, listenPort, partnerPort, timeoutSeconds = 5, concurrency = 1, order, lanes } = flow;
  const at = { z: id, x: 200, y: 100 };
  return [
    {
      id,
      type: 'tab',
      label: `Faults ${id}`,
      disabled: false,
      env: buildTabSettings(flow),
    },
    {
      ...at,
      id: `${id}-in`,
      type: 'mllp in',
      name: `Sender ${id}`,
      port: String(listenPort),
      acknowledge: 'received',
      ...(lanes !== undefined && { order: 'key', lanes: String(lanes) }),
      wires: [[`${id}-validate`]],
    },
    {
      ...at,
      id: `${id}-validate`,
      type: 'hl7 validate',
      wires: [[flow.code === undefined ? `${id}-edit` : `${id}-code`], [`${id}-reject`]],
    },
    ...(flow.code === undefined
      ? []
      : [
          {
            ...at,
            id: `${id}-code`,
            type: 'function',
            func: flow.code,
            outputs: 1,
            libs: [],
            wires: [[`${id}-edit`]],
          },
        ]),
    {
      ...at,
      id: `${id}-edit`,
      type: 'hl7 edit',
      edits: [{ action: 'set', path: 'MSH-6', source: 'text', value: editedFacility }],
      missing: 'fail',
      wires: [[`${id}-out`]],
    },
    {
      ...at,
      id: `${id}-out`,
      type: 'mllp out',
      name: `Partner ${id}`,
      host: '127.0.0.1',
      port: String(partnerPort),
      timeoutSeconds: String(timeoutSeconds),
      concurrency: String(concurrency),
      ...(order && { order }),
      wires: [[], []],
    },
    {
      ...at,
      id: `${id}-reject`,
      type: 'reject',
      code: 'invalid',
      reason: 'Not valid.',
      wires: [],
    },
  ];
}

function buildTabSettings({ group, memoryMiB }: FlowSpec): readonly object[] {
  const values = { HILUM_GROUP: group, HILUM_WORKER_MEMORY: memoryMiB };
  return Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [{ name, value: String(value), type: 'str' }],
  );
}
