import { readFileSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import type { FlowNode } from '../../core/interface.ts';
import { readFlowFiles } from '../../connectors/file/flow-store.ts';
import { runOtherwise } from '../../runtime/deploy/changed-groups.ts';
import { compileFlows } from '../../runtime/deploy/definitions.ts';
import { fromFiles, toFiles, type FlowFiles } from '../../runtime/deploy/flow-files.ts';
import { findGroups, selectGroup } from '../../runtime/deploy/groups.ts';
import { writeDeployed } from '../support/flow-files.ts';
import { makeTempFolder } from '../support/temp.ts';

const context = { bind: '127.0.0.1', environment: { MLLP: '2575' } };
const tab = (id: string, more: object = {}): FlowNode => ({ id, type: 'tab', label: id, ...more });
const listener = (id: string, z: string, port = '${MLLP}'): FlowNode => ({
  id,
  type: 'mllp in',
  z,
  name: '',
  host: '',
  port,
  acknowledge: 'received',
  maxMessageMiB: '16',
  idleTimeoutSeconds: '0',
  wires: [[]],
});

describe('compileFlows', () => {
  it('makes listeners and queues of nodes, named after their ids', () => {
    const { definitions, issues } = compileFlows([tab('a'), listener('n', 'a')], context);
    expect(issues).toEqual([]);
    expect(definitions.listeners).toMatchObject([{ id: 'n', interface: 'a', port: 2575 }]);
    expect(definitions.queues).toMatchObject([{ name: 'in.n', interface: 'a', keeps: 'key' }]);
  });

  it('passes over disabled tabs and nodes', () => {
    const flows = [
      tab('off', { disabled: true }),
      listener('n', 'off'),
      tab('on'),
      { ...listener('m', 'on'), d: true },
    ];
    expect(compileFlows(flows, context)).toMatchObject({
      definitions: { listeners: [], senders: [], queues: [] },
      issues: [],
    });
  });

  it('refuses a port that two listeners want, a bad port, and a listener in a subflow, each by node', () => {
    const { issues } = compileFlows(
      [
        tab('a'),
        listener('first', 'a'),
        listener('second', 'a'),
        listener('bad', 'a', 'http'),
        { id: 'sub', type: 'subflow', name: 'sub' },
        listener('inside', 'sub'),
      ],
      context,
    );
    expect(issues.map(({ code, location }) => [code, location])).toEqual([
      ['port-invalid', 'bad'],
      ['node-not-on-a-flow', 'inside'],
      ['port-used-twice', 'second'],
    ]);
  });

  it('refuses rules and mappings that would fail every message', () => {
    const route = (rules: readonly object[]): FlowNode => ({
      id: 'r',
      type: 'hl7 route',
      z: 'a',
      rules,
    });
    const flows = [
      tab('a'),
      route([
        { kind: 'type', value: 'ORU^R01' },
        { kind: 'field', path: 'PID-', operator: 'equals', value: 'x' },
        { kind: 'field', path: 'PID-3', operator: 'matches', value: '(' },
      ]),
      { id: 'm', type: 'hl7 map', z: 'a', mapping: 'NOPE' },
    ];
    expect(
      compileFlows(flows, context).issues.map(({ code, location }) => [code, location]),
    ).toEqual([
      ['rule-path-invalid', 'r'],
      ['rule-expression-invalid', 'r'],
      ['message-type-invalid', 'm'],
    ]);
  });

  it('refuses a link to the flows of another group, with what to use in its place', () => {
    const hot = tab('b', { env: [{ name: 'HILUM_GROUP', value: 'hot', type: 'str' }] });
    const flows: readonly FlowNode[] = [
      ...[tab('a'), tab('c'), hot],
      { id: 'there', type: 'link in', z: 'b', links: [] },
      { id: 'near', type: 'link in', z: 'c', links: [] },
      { id: 'out', type: 'link out', z: 'a', mode: 'link', links: ['near', 'there'] },
      { id: 'call', type: 'link call', z: 'c', links: ['there'] },
      { id: 'off', type: 'link call', z: 'c', links: ['there'], d: true },
    ];
    const { issues } = compileFlows(flows, context);
    expect(issues.map(({ code, location }) => [code, location])).toEqual([
      ['link-leaves-group', 'out'],
      ['link-leaves-group', 'call'],
    ]);
    expect(issues[0]?.message).toMatch(/"queue out" here and "queue in" there/);
  });

  it('declares a queue that two nodes name once, with the topics of both', () => {
    const out = (id: string, topic: string): FlowNode => ({
      id,
      type: 'queue out',
      z: 'a',
      topic,
      keep: true,
      wires: [[]],
    });
    const { definitions } = compileFlows([tab('a'), out('x', 'lab'), out('y', 'lab')], context);
    expect(definitions.queues).toEqual([{ name: 'event.lab', interface: 'a', topics: ['lab'] }]);
  });
});

describe('flow files', () => {
  const shipped = path.join(import.meta.dirname, '../../flows');
  const flows = readdirSync(shipped)
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => JSON.parse(readFileSync(path.join(shipped, name), 'utf8')) as FlowNode[]);

  const anyFlows = fc
    .uniqueArray(fc.stringMatching(/^[a-f0-9]{1,8}$/), { minLength: 1, maxLength: 12 })
    .chain((ids) =>
      fc.tuple(
        ...ids.map((id) =>
          fc.record({
            id: fc.constant(id),
            type: fc.constantFrom('tab', 'subflow', 'function', 'tls-config'),
            z: fc.constantFrom(...ids),
            label: fc.constantFrom('Lab', 'lab!', 'Größe', ''),
            name: fc.constantFrom('Lab', ''),
          }),
        ),
      ),
    )
    .map((nodes) =>
      nodes.map(({ z, ...node }): FlowNode => (node.type === 'function' ? { ...node, z } : node)),
    );
  const byId = (nodes: readonly FlowNode[]) => [...nodes].sort((a, b) => (a.id < b.id ? -1 : 1));

  it('hold every node once, whatever the flows are', () => {
    fc.assert(
      fc.property(anyFlows, (nodes) => {
        const back = fromFiles(toFiles(nodes));
        expect(byId(back)).toEqual(byId(nodes));
        // What is read back and saved again changes no file.
        expect([...toFiles(back)]).toEqual([...toFiles(fromFiles(toFiles(back)))]);
      }),
    );
  });

  it('keep the order of the tabs', () => {
    const nodes = [tab('z'), tab('a'), tab('m')];
    expect(fromFiles(toFiles(nodes)).map(({ id }) => id)).toEqual(['z', 'a', 'm']);
  });

  it('change one by one', async () => {
    const folder = makeTempFolder('flows');
    const nodes = [tab('one'), tab('two'), ...flows];
    const first = await writeDeployed(folder, nodes);
    expect(first).toEqual(expect.arrayContaining(['one.json', 'two.json', 'lab-results.json']));
    expect(await writeDeployed(folder, nodes)).toEqual([]);
    const edited = nodes.map((node) => (node.id === 'two' ? { ...node, info: 'new' } : node));
    expect(await writeDeployed(folder, edited)).toEqual(['two.json']);
    const without = edited.filter(({ id }) => id !== 'one');
    expect(await writeDeployed(folder, without)).toEqual(['_order.json', 'one.json']);
    const back = fromFiles((await readFlowFiles(folder)) as FlowFiles);
    expect(byId(back)).toEqual(byId(without));
  });

  it('that are no JSON are named', async () => {
    const folder = makeTempFolder('flows');
    await writeDeployed(folder, [tab('good')]);
    await writeFile(path.join(folder, 'torn.json'), '[{"id":');
    await expect(readFlowFiles(folder)).rejects.toThrow(/torn\.json/);
  });
});

describe('worker groups', () => {
  const grouped = tab('b', { env: [{ name: 'HILUM_GROUP', value: 'hot', type: 'str' }] });
  const nodes = [tab('a'), grouped, listener('in-a', 'a'), listener('in-b', 'b')];

  it('are those that the tabs name', () => {
    expect(findGroups(nodes)).toEqual(['default', 'hot']);
    expect(findGroups([{ ...grouped, disabled: true }])).toEqual([]);
  });

  it('get their own tabs, and of what all share what they use, through one another too', () => {
    const flows: readonly FlowNode[] = [
      ...nodes,
      { id: 'tls', type: 'tls-config' },
      { id: 'proxy', type: 'http proxy' },
      { id: 'unused', type: 'tls-config' },
      { id: 'env', type: 'global-config' },
      { id: 'sub', type: 'subflow', name: 'sub' },
      { id: 'request', type: 'http request', z: 'sub', tls: 'tls', proxy: 'proxy' },
      { id: 'other', type: 'subflow', name: 'other' },
      { id: 'in-other', type: 'subflow:sub', z: 'other' },
      { id: 'call', type: 'subflow:other', z: 'b' },
    ];
    const idsOf = (group: string) => selectGroup(flows, group).map(({ id }) => id);
    expect(idsOf('default')).toEqual(['a', 'in-a', 'env']);
    expect(idsOf('hot')).toEqual([
      ...['b', 'in-b', 'tls', 'proxy', 'env', 'sub', 'request', 'other', 'in-other', 'call'],
    ]);
  });

  it('run otherwise when a node is edited, and not when it is moved', () => {
    const [first = unreachable(), ...rest] = selectGroup(nodes, 'hot');
    expect(runOtherwise([first, ...rest], [...rest, { ...first, x: 5, y: 7, info: 'why' }])).toBe(
      false,
    );
    expect(runOtherwise([first, ...rest], [{ ...first, name: 'other' }, ...rest])).toBe(true);
    expect(runOtherwise([first, ...rest], [first])).toBe(true);
  });
});

function unreachable(): never {
  throw new Error('There is one.');
}
