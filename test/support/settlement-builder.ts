import type { FlowNode } from '../../core/interface.ts';

/** One way to wire a flow, and how its messages must be settled. */
export interface Shape {
  readonly name: string;
  readonly tab: string;
  readonly source: string;
  readonly flow: readonly FlowNode[];
  /** What every message's settlement must be. */
  readonly expected: 'completed' | 'failed' | 'rejected' | 'timed-out';
  /** When the last of its nodes is through: settled before that would be a lost message. */
  readonly notBeforeMs: number;
  readonly payload?: unknown;
  readonly messages?: number;
  /** More properties of each message, by its number from 0. */
  readonly more?: (index: number) => object;
  /** How many messages the outputs have taken when the last message is settled. */
  readonly delivered?: number;
  /** Settled too early by its nature: what the deploy says of it. It does not run. */
  readonly refused?: string;
}

type Wires = readonly (readonly string[])[];

/** Builds the nodes of one tab; ids are prefixed by it. */
export interface Builder {
  /** A node's id on this tab. */
  readonly id: (name: string) => string;
  add(name: string, type: string, config?: object, ...wires: Wires): void;
  addRaw(node: FlowNode): void;
}

export type Wire = (builder: Builder) => void;
type More = Pick<Shape, 'payload' | 'messages' | 'more' | 'delivered' | 'refused'>;

/** Adds one shape: its name, its settlement, when at the earliest, and its nodes. */
export type AddShape = (
  ...shape:
    [string, Shape['expected'], number, Wire] | [string, Shape['expected'], number, Wire, More]
) => void;

/** Collects shapes, each on a tab of its own. */
export function collectShapes(
  ...families: readonly ((shape: AddShape) => void)[]
): readonly Shape[] {
  const shapes: Shape[] = [];
  for (const family of families) {
    family((...[name, expected, notBeforeMs, wire, more = {}]) => {
      const tab = `t${shapes.length + 1}`;
      const flow = buildTab(tab, name, wire);
      shapes.push({ name, expected, notBeforeMs, flow, tab, source: `${tab}-in`, ...more });
    });
  }
  return shapes;
}

function buildTab(tab: string, label: string, wire: Wire): readonly FlowNode[] {
  const flow: FlowNode[] = [{ id: tab, type: 'tab', label, disabled: false, env: [] }];
  const id = (short: string): string => `${tab}-${short}`;
  wire({
    id,
    add: (short, type, config = {}, ...wires) => {
      const targets = wires.map((each) => each.map(id));
      const place = { id: id(short), z: tab, type, name: short, x: 0, y: 0, wires: targets };
      flow.push({ ...place, ...config });
    },
    addRaw: (node) => flow.push(node),
  });
  return flow;
}

/** An output that takes a message `delayMs` later. */
export function addOutput(b: Builder, name: string, delayMs: number, more: object = {}): void {
  b.add(name, 'test out', { delayMs, ...more });
}

/** source ▸ function ▸ a slow output */
export function scripted(func: string, outputMs = 100): Wire {
  return (b) => {
    b.add('in', 'test source', {}, ['f']);
    b.add('f', 'function', functionNode(func), ['o']);
    addOutput(b, 'o', outputMs);
  };
}

/** source ▸ the node ▸ a slow output */
export function through(type: string, config: object, outputMs = 100): Wire {
  return (b) => {
    b.add('in', 'test source', {}, ['n']);
    b.add('n', type, config, ['o']);
    addOutput(b, 'o', outputMs);
  };
}

/** The configuration of a node as the editor stores it, by its type. */
export const functionNode = (func: string, outputs = 1) => ({
  func,
  outputs,
  timeout: 0,
  noerr: 0,
  initialize: '',
  finalize: '',
  libs: [],
});
export const pause = 'await new Promise(r => setTimeout(r, 200));';
export const delay = (pauseType: string, more: object = {}) => ({
  pauseType,
  timeout: '300',
  timeoutUnits: 'milliseconds',
  rate: '10',
  nbRateUnits: '1',
  rateUnits: 'second',
  randomFirst: '100',
  randomLast: '200',
  randomUnits: 'milliseconds',
  drop: false,
  outputs: 1,
  ...more,
});
export const split = {
  splt: '\\n',
  spltType: 'str',
  arraySplt: 1,
  arraySpltType: 'len',
  property: 'payload',
};
export const join = (mode: 'auto' | 'custom' | 'reduce', count = '', more: object = {}) => ({
  mode,
  build: 'array',
  property: 'payload',
  propertyType: 'msg',
  key: 'topic',
  joiner: '\\n',
  joinerType: 'str',
  accumulate: false,
  timeout: '',
  count,
  reduceRight: false,
  ...more,
});
export const batch = (mode: string, more: object = {}) => ({
  mode,
  count: 3,
  overlap: 0,
  interval: 10,
  topics: [],
  ...more,
});
export const switchNode = (rules: readonly object[], more: object = {}) => ({
  property: 'payload',
  propertyType: 'msg',
  rules,
  checkall: 'true',
  repair: false,
  outputs: rules.length,
  ...more,
});
export const trigger = (more: object) => ({
  op1: '1',
  op2: '0',
  op1type: 'str',
  op2type: 'str',
  duration: '100',
  extend: false,
  overrideDelay: false,
  units: 'ms',
  reset: '',
  bytopic: 'all',
  topic: 'topic',
  outputs: 1,
  ...more,
});
export const httpRequest = (url: string, more: object = {}) => ({
  method: 'GET',
  ret: 'txt',
  url,
  paytoqs: 'ignore',
  tls: '',
  persist: false,
  proxy: '',
  authType: '',
  senderr: false,
  headers: [],
  ...more,
});
