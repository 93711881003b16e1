import type { NodeChangesView, NodeStepView } from '../../console/api/node-changes.ts';
import type { TraceView } from '../../console/api/views.ts';
import type { FlowNode } from '../../core/interface.ts';
import { functionNode, mllpIn, send, writeFlows } from '../support/flow-files.ts';
import { startHilum, until, type RunningHilum } from '../support/hilum.ts';
import { buildLabResult, controlIdOf } from '../support/lab-results.ts';
import { findFreePorts } from '../support/ports.ts';

const tabs = [
  ...['edits', 'objects', 'bytes', 'branches', 'shared', 'fails', 'caught', 'bounded', 'off'],
  ...['waits', 'maps', 'rejects'],
] as const;
type Tab = (typeof tabs)[number];

/** A node of its own that ends a flow: what goes nowhere does not leave a node. */
const sink = (id: string): FlowNode => functionNode(id, 'return null;', '');

const change = (id: string, rules: readonly object[], to: string): FlowNode => ({
  ...{ id, type: 'change', name: '', rules, wires: [[to]] },
});

function buildFlows(portOf: (tab: Tab) => number): Readonly<Record<Tab, readonly FlowNode[]>> {
  const source = (tab: Tab, ...to: readonly string[]): FlowNode => ({
    ...mllpIn(`${tab}-in`, portOf(tab), ''),
    wires: [to],
  });
  const toObject = 'msg.payload = { patient: "SECRET", codes: [1] }; return msg;';
  return {
    edits: [
      source('edits', 'looks-up'),
      functionNode('looks-up', 'msg.ward = msg.payload.slice(0, 3); return msg;', 'edit'),
      {
        ...{ id: 'edit', type: 'hl7 edit', name: 'Set receiver', missing: 'fail' },
        edits: [
          { action: 'set', path: 'MSH-5', source: 'text', value: 'RECEIVER' },
          { action: 'set', path: 'OBX[2]-5', source: 'text', value: '7' },
        ],
        wires: [['moves']],
      },
      change(
        'moves',
        [
          ...[{ t: 'change', p: 'payload', pt: 'msg', from: 'TESTLAB', fromt: 'str' }].map(
            (rule) => ({ ...rule, to: 'NORTH', tot: 'str' }),
          ),
        ],
        'writes',
      ),
      {
        ...{ id: 'writes', type: 'template', name: '', field: 'payload', fieldType: 'msg' },
        ...{ format: 'text', syntax: 'mustache', template: 'ward {{ward}}', output: 'str' },
        wires: [['edits-end']],
      },
      sink('edits-end'),
    ],
    objects: [
      source('objects', 'makes'),
      functionNode('makes', toObject, 'in-place'),
      functionNode('in-place', 'msg.payload.codes.push(2); return msg;', 'to-json'),
      {
        ...{ id: 'to-json', type: 'json', name: '', property: 'payload', action: 'str' },
        ...{ pretty: false, wires: [['objects-end']] },
      },
      sink('objects-end'),
    ],
    bytes: [
      source('bytes', 'to-bytes'),
      functionNode('to-bytes', 'msg.payload = Buffer.from(msg.payload); return msg;', 'first-byte'),
      functionNode('first-byte', 'msg.payload[4] = 0x23; return msg;', 'bytes-end'),
      sink('bytes-end'),
    ],
    branches: [
      source('branches', 'left', 'right'),
      functionNode('left', 'msg.payload += "ZLF|1\\r"; return msg;', 'both'),
      functionNode('right', 'msg.payload += "ZRT|1\\r"; return msg;', 'both'),
      functionNode('both', 'msg.payload += "ZBO|1\\r"; return msg;', 'branches-end'),
      sink('branches-end'),
    ],
    // The first to get a message gets the very object, the other a copy.
    shared: [
      source('shared', 'shares'),
      { ...functionNode('shares', toObject, ''), wires: [['one', 'other']] },
      functionNode('one', 'msg.payload.one = true; return msg;', 'shared-end'),
      functionNode('other', 'msg.payload.other = true; return msg;', 'shared-end'),
      sink('shared-end'),
    ],
    fails: [
      source('fails', 'before'),
      functionNode(
        'before',
        'msg.payload = msg.payload.replace("LIS", "LAB"); return msg;',
        'breaks',
      ),
      functionNode('breaks', 'msg.payload = "half"; throw new Error("no");', 'fails-end'),
      sink('fails-end'),
    ],
    caught: [
      source('caught', 'throws'),
      functionNode('throws', 'msg.payload += "ZZZ|1\\r"; throw new Error("no");', 'caught-end'),
      { ...{ id: 'catches', type: 'catch', name: '', scope: ['throws'] }, wires: [['mends']] },
      functionNode('mends', 'msg.payload = "mended"; return msg;', 'caught-end'),
      sink('caught-end'),
    ],
    bounded: [
      source('bounded', 'grows'),
      functionNode('grows', 'msg.payload = "x".repeat(10_000); return msg;', 'again'),
      functionNode('again', 'msg.payload = "y".repeat(10_000); return msg;', 'third'),
      functionNode('third', 'msg.payload = "z".repeat(10_000); return msg;', 'bounded-end'),
      sink('bounded-end'),
    ],
    off: [
      source('off', 'unseen'),
      functionNode('unseen', 'msg.payload = "unseen"; return msg;', 'off-end'),
      sink('off-end'),
    ],
    waits: [
      source('waits', 'later'),
      functionNode(
        'later',
        'setTimeout(() => { msg.payload = "late"; node.send(msg); node.done(); }, 100);',
        'waits-end',
      ),
      sink('waits-end'),
    ],
    rejects: [
      source('rejects', 'spoils'),
      functionNode('spoils', 'msg.payload = "spoilt"; return msg;', 'reject'),
      {
        id: 'reject',
        type: 'reject',
        name: '',
        code: 'not-wanted',
        text: 'Not wanted.',
        wires: [],
      },
    ],
    maps: [
      source('maps', 'map'),
      {
        ...{ id: 'map', type: 'hl7 map', name: '', mapping: '', unconsumed: 'ignore' },
        wires: [['maps-end']],
      },
      sink('maps-end'),
    ],
  };
}

describe('what each node of a flow changed', () => {
  let hilum: RunningHilum;
  let ports: ReadonlyMap<Tab, number>;
  const indexOf = (tab: Tab): number => 1 + tabs.indexOf(tab);

  beforeAll(async () => {
    const free = await findFreePorts(tabs.length);
    ports = new Map(tabs.map((tab, index) => [tab, free[index] ?? 0]));
    const told = tabs.filter((tab) => tab !== 'off');
    const settings = Object.fromEntries(
      told.map((tab) => [tab, { HILUM_CHANGES: tab === 'bounded' ? '1' : '16' }]),
    );
    const flows = buildFlows((tab) => ports.get(tab) ?? 0);
    hilum = await startHilum({
      HILUM_DEMO: 'off',
      HILUM_CHANGES: 'off',
      HILUM_FLOWS: writeFlows(flows, settings),
    });
    for (const tab of tabs) {
      const message = buildLabResult({ index: indexOf(tab), patient: 1 });
      expect(await send(ports.get(tab) ?? 0, message)).toMatch(/^AA/);
    }
  }, 120_000);

  afterAll(async () => {
    await hilum.stop();
  }, 60_000);

  /** What is shown of a tab's message, once its flow has ended in that way. */
  async function changesOf(tab: Tab, state = 'processed'): Promise<NodeChangesView | undefined> {
    const found = await until(
      async () => {
        const { stdout } = await hilum.cli(
          'trace',
          '--payloads',
          '--json',
          controlIdOf(indexOf(tab)),
        );
        return JSON.parse(stdout) as TraceView & {
          readonly nodeChanges: readonly NodeChangesView[];
        };
      },
      ({ messages }) => messages[0]?.state === state,
      20_000,
    );
    return found.nodeChanges[0];
  }

  async function stepsOf(tab: Tab, state?: string): Promise<readonly NodeStepView[]> {
    return (await changesOf(tab, state))?.steps ?? [];
  }

  it('is told by field for HL7, for our nodes and stock nodes, and not of a node that changed nothing', async () => {
    const steps = await stepsOf('edits');
    expect(
      steps.map(({ step, from, node }) => [step, from, node.id, node.type, node.name]),
    ).toEqual([
      [1, 0, 'edit', 'hl7 edit', 'Set receiver'],
      [2, 1, 'moves', 'change', undefined],
      [3, 2, 'writes', 'template', undefined],
    ]);
    expect(steps[0]?.differences).toEqual([
      { location: 'MSH-5', before: 'HILUM', after: 'RECEIVER' },
      { location: 'OBX[2]-5', before: '3', after: '7' },
    ]);
    expect(steps[1]?.differences).toContainEqual({
      location: 'PID-3.4',
      before: 'TESTLAB',
      after: 'NORTH',
    });
    expect(steps[2]).toMatchObject({ kind: 'text', excerpt: { at: 0, after: 'ward MSH' } });
  });

  it('is told of an object that a node changes in place, and of what becomes of it', async () => {
    const steps = await stepsOf('objects');
    expect(steps.map(({ node, forms, from }) => [node.id, forms, from])).toEqual([
      ['makes', ['text', 'object'], 0],
      ['in-place', ['object', 'object'], 1],
      ['to-json', ['object', 'text'], 2],
    ]);
    expect(steps[1]?.excerpt).toEqual({ at: 30, before: '', after: ',2' });
    expect(steps[2]).toMatchObject({ sizes: [34, 34], excerpt: { before: '', after: '' } });
  });

  it('is told of bytes that a node changes in place', async () => {
    const steps = await stepsOf('bytes');
    expect(steps.map(({ node, forms }) => [node.id, forms])).toEqual([
      ['to-bytes', ['text', 'bytes']],
      ['first-byte', ['bytes', 'bytes']],
    ]);
    expect(steps[1]?.differences).toEqual([{ location: 'MSH-2', before: '^~\\&', after: '#~\\&' }]);
  });

  it('is told apart by branch', async () => {
    const steps = await stepsOf('branches');
    const byNode = (id: string) => steps.filter(({ node }) => node.id === id);
    const [left, right] = [byNode('left')[0], byNode('right')[0]];
    expect([left?.from, right?.from]).toEqual([0, 0]);
    expect(left?.differences).toEqual([{ location: 'ZLF', after: 'ZLF|1' }]);
    expect(right?.differences).toEqual([{ location: 'ZRT', after: 'ZRT|1' }]);
    expect(
      byNode('both')
        .map(({ from }) => from)
        .sort(),
    ).toEqual([left?.step, right?.step].sort());
    expect(steps).toHaveLength(4);
  });

  it('tells of each branch what that alone made of the object that both got', async () => {
    const steps = await stepsOf('shared');
    const made = steps.filter(({ node }) => node.id !== 'shares');
    expect(made.map(({ node, from, excerpt }) => [node.id, from, excerpt?.after])).toEqual([
      ['one', 1, ',"one":true'],
      ['other', 1, ',"other":true'],
    ]);
  });

  it('is told of a flow that failed: up to the failure, and of the node that failed', async () => {
    const steps = await stepsOf('fails', 'retrying');
    expect(steps.map(({ node, failed }) => [node.id, failed])).toEqual([
      ['before', false],
      ['breaks', true],
    ]);
    expect(steps[0]?.differences).toEqual([{ location: 'MSH-3', before: 'LIS', after: 'LAB' }]);
    expect(steps[1]?.excerpt?.after).toBe('half');
  });

  it('is told of a message that is a dead letter', async () => {
    const steps = await stepsOf('rejects', 'dead-lettered');
    expect(steps.map(({ node, excerpt }) => [node.id, excerpt?.after])).toEqual([
      ['spoils', 'spoilt'],
    ]);
  });

  it('is told of what a Catch node got and made of it', async () => {
    const steps = await stepsOf('caught');
    expect(steps.map(({ node, failed, from }) => [node.id, failed, from])).toEqual([
      ['throws', true, 0],
      ['mends', false, 1],
    ]);
    expect(steps[0]?.differences).toEqual([{ location: 'ZZZ', after: 'ZZZ|1' }]);
  });

  it('is told of a node that changes its message after its handler has returned', async () => {
    const steps = await stepsOf('waits');
    expect(steps.map(({ node, excerpt }) => [node.id, excerpt?.after])).toEqual([
      ['later', 'late'],
    ]);
  });

  it('is told of a mapping, as text', async () => {
    const [step] = await stepsOf('maps');
    expect(step).toMatchObject({ node: { id: 'map' }, kind: 'text', excerpt: { at: 0 } });
    expect(step?.excerpt?.before).toMatch(/^MSH\|/);
    expect(step?.excerpt?.after).toMatch(/^\{"resourceType":"Bundle"/);
    expect(step?.bytesLeftOut).toBe(
      (step?.sizes[0] ?? 0) + (step?.sizes[1] ?? 0) - lengths(step?.excerpt),
    );
  });

  it('ends at the bound of the tab, and says how much was left out', async () => {
    const changes = await changesOf('bounded');
    const [first] = changes?.steps ?? [];
    const left = changes?.steps.reduce((sum, { bytesLeftOut }) => sum + bytesLeftOut, 0) ?? 0;
    const kept = changes?.steps.reduce((sum, { excerpt }) => sum + lengths(excerpt), 0) ?? 0;
    expect(changes?.steps).toHaveLength(1);
    expect(changes?.stepsLeftOut).toBe(2);
    expect(kept).toBeLessThanOrEqual(1_024);
    expect(first?.sizes[1]).toBe(10_000);
    expect(kept + left).toBeGreaterThan(10_000);
  });

  it('is not kept where neither tab nor environment ask for it', async () => {
    expect(await changesOf('off')).toBeUndefined();
  });

  it('is shown by name on the command line, where the log says who looked and nothing else does', async () => {
    const { stdout } = await hilum.cli('trace', '--payloads', controlIdOf(indexOf('edits')));
    expect(stdout).toContain(
      '#1 in its flow, by node\n\n1. hl7 edit "Set receiver" (edit), of what came in: 2 differences\n' +
        'WHERE     BEFORE  AFTER\nMSH-5     HILUM   RECEIVER\nOBX[2]-5  3       7\n',
    );
    expect(stdout).toMatch(
      /3\. template \(writes\), of 2: .*\nBEFORE {2}MSH\|\^~\\&\|LIS.*\\rPID\|/,
    );
    const plain = await hilum.cli('trace', controlIdOf(indexOf('edits')));
    expect(plain.stdout).not.toContain('RECEIVER');
    await stepsOf('objects');
    expect(hilum.output()).toContain('contents of messages shown');
    expect(hilum.output()).not.toMatch(/SECRET|ward MSH/);
  });

  it('is served on the local socket alone', async () => {
    const path = `/api/messages/${controlIdOf(indexOf('edits'))}/changes`;
    const response = await fetch(`${hilum.consoleUrl}${path}`);
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(await response.text()).not.toContain('RECEIVER');
  });

  it('is there after the owner of the ledger was killed', async () => {
    await hilum.kill('owner');
    await until(
      async () => (await hilum.cli('trace', '--payloads', controlIdOf(indexOf('edits')))).stdout,
      (text) => text.includes('Set receiver'),
      30_000,
    );
  }, 60_000);
});

function lengths(excerpt: NodeStepView['excerpt']): number {
  return (excerpt?.before.length ?? 0) + (excerpt?.after.length ?? 0);
}
