import { createRequire } from 'node:module';
import type { NodeAPI } from 'node-red';
import type { FlowMessage } from '../../core/ports/flow-runtime.ts';
import registerSwitch from '../../nodes/switch/runtime.ts';
import { startNode, stopNode, type TestFlow } from './node-red.ts';

/** Node-RED's own, which ours must route as. */
const registerCore = createRequire(`${process.cwd()}/package.json`)(
  '@node-red/nodes/core/function/10-switch.js',
) as (RED: NodeAPI) => void;

interface Rule {
  readonly t: string;
  readonly v?: unknown;
  readonly vt?: string;
  readonly v2?: unknown;
  readonly v2t?: string;
  readonly case?: boolean;
}

const config = (rules: readonly Rule[], more: object = {}) => ({
  type: 'switch',
  name: '',
  property: 'payload',
  propertyType: 'msg',
  rules,
  checkall: 'true',
  repair: false,
  outputs: rules.length,
  ...more,
});

interface Case {
  readonly name: string;
  readonly rules: readonly Rule[];
  readonly more?: object;
  readonly sent: readonly unknown[];
  /** The payloads of each output. */
  readonly routed: readonly (readonly unknown[])[];
}

/** One rule, and which of the payloads it lets through. */
const rule = (each: Rule, sent: readonly unknown[], passed: readonly unknown[]): Case => ({
  name: `${each.t} ${JSON.stringify(each.v ?? each.vt ?? '')}`,
  rules: [each],
  sent,
  routed: [passed],
});
const part = (index: number, count: number, id = 's') => ({ parts: { id, index, count } });
const abcd = ['a', 'b', 'c', 'd'].map((payload, index) => ({ payload, ...part(index, 4) }));

const cases: readonly Case[] = [
  rule({ t: 'eq', v: 'A', vt: 'str' }, ['A', 'B'], ['A']),
  rule({ t: 'eq', v: '12' }, ['12', 12, 13], ['12', 12]),
  rule({ t: 'neq', v: 'A', vt: 'str' }, ['A', 'B'], ['B']),
  rule({ t: 'lt', v: '3', vt: 'num' }, [2, 3, 4], [2]),
  rule({ t: 'lte', v: '3', vt: 'num' }, [2, 3, 4], [2, 3]),
  rule({ t: 'gt', v: '3', vt: 'num' }, [2, 3, 4], [4]),
  rule({ t: 'gte', v: '3', vt: 'num' }, [2, 3, 4], [3, 4]),
  rule({ t: 'btwn', v: '2', vt: 'num', v2: '4', v2t: 'num' }, [1, 2, 4, 5], [2, 4]),
  rule({ t: 'cont', v: 'RU', vt: 'str' }, ['ORU^R01', 'ADT^A01'], ['ORU^R01']),
  rule({ t: 'regex', v: '^oru', vt: 'str', case: true }, ['ORU^R01', 'ADT^A01'], ['ORU^R01']),
  rule({ t: 'regex', v: '^oru', vt: 'str', case: false }, ['ORU^R01', 'oru'], ['oru']),
  rule({ t: 'true' }, [true, 1, 'true'], [true]),
  rule({ t: 'false' }, [false, 0], [false]),
  rule({ t: 'null' }, [null, 0], [null]),
  rule({ t: 'nnull' }, [null, 0], [0]),
  rule({ t: 'empty' }, ['', 'x', [], [1], {}, { a: 1 }], ['', [], {}]),
  rule({ t: 'nempty' }, ['', 'x', [], [1], {}, { a: 1 }], ['x', [1], { a: 1 }]),
  rule({ t: 'hask', v: 'a', vt: 'str' }, [{ a: 1 }, { b: 1 }], [{ a: 1 }]),
  rule({ t: 'istype', v: 'array', vt: 'array' }, [[1], 'x'], [[1]]),
  rule({ t: 'istype', v: 'string', vt: 'string' }, [[1], 'x'], ['x']),
  rule({ t: 'istype', v: 'number', vt: 'number' }, [1, 'x', Number.NaN], [1]),
  rule({ t: 'istype', v: 'boolean', vt: 'boolean' }, [true, 'x'], [true]),
  rule({ t: 'istype', v: 'object', vt: 'object' }, [{ a: 1 }, [1], null], [{ a: 1 }]),
  rule({ t: 'istype', v: 'json', vt: 'json' }, ['{"a":1}', '{a'], ['{"a":1}']),
  rule({ t: 'istype', v: 'null', vt: 'null' }, [null, 'x'], [null]),
  rule({ t: 'istype', v: 'buffer', vt: 'buffer' }, [Buffer.from('a'), 'x'], [Buffer.from('a')]),
  rule({ t: 'jsonata_exp', v: 'payload > 2', vt: 'jsonata' }, [1, 3], [3]),
  rule({ t: 'eq', v: '$uppercase("a")', vt: 'jsonata' }, ['A', 'a'], ['A']),
  rule({ t: 'eq', v: '$flowContext("wanted")', vt: 'jsonata' }, ['F', 'a'], ['F']),
  rule({ t: 'eq', v: 'wanted', vt: 'flow' }, ['F', 'a'], ['F']),
  rule({ t: 'eq', v: 'wanted', vt: 'global' }, ['G', 'a'], ['G']),
  rule({ t: 'eq', v: 'HILUM_TEST_WANTED', vt: 'env' }, ['E', 'a'], ['E']),
  rule({ t: 'eq', v: 'other', vt: 'msg' }, [undefined, 'a'], [undefined]),
  rule({ t: 'gt', v: '', vt: 'prev' }, [1, 3, 2, 5], [1, 3, 5]),
  {
    name: 'else',
    rules: [{ t: 'eq', v: 'A', vt: 'str' }, { t: 'else' }],
    sent: ['A', 'B'],
    routed: [['A'], ['B']],
  },
  {
    name: 'every rule that matches',
    rules: [
      { t: 'gt', v: '1', vt: 'num' },
      { t: 'gt', v: '2', vt: 'num' },
    ],
    sent: [1, 2, 3],
    routed: [[2, 3], [3]],
  },
  {
    name: 'the first rule that matches',
    rules: [
      { t: 'gt', v: '1', vt: 'num' },
      { t: 'gt', v: '0', vt: 'num' },
    ],
    more: { checkall: 'false' },
    sent: [1, 2, 3],
    routed: [[2, 3], [1]],
  },
  {
    name: 'an expression as the property',
    rules: [{ t: 'eq', v: '6', vt: 'num' }],
    more: { property: 'payload * 2', propertyType: 'jsonata' },
    sent: [3, 4],
    routed: [[3]],
  },
  {
    name: 'the flow context as the property',
    rules: [{ t: 'eq', v: 'F', vt: 'str' }],
    more: { property: 'wanted', propertyType: 'flow' },
    sent: ['x'],
    routed: [['x']],
  },
  {
    name: 'the environment as the property',
    rules: [{ t: 'eq', v: 'E', vt: 'str' }],
    more: { property: 'HILUM_TEST_WANTED', propertyType: 'env' },
    sent: ['x'],
    routed: [['x']],
  },
  { name: 'head', rules: [{ t: 'head', v: '2', vt: 'num' }], sent: abcd, routed: [['a', 'b']] },
  { name: 'tail', rules: [{ t: 'tail', v: '1', vt: 'num' }], sent: abcd, routed: [['d']] },
  {
    name: 'index between',
    rules: [{ t: 'index', v: '1', vt: 'num', v2: '2', v2t: 'num' }],
    sent: abcd,
    routed: [['b', 'c']],
  },
  {
    name: 'an expression over the sequence',
    rules: [{ t: 'jsonata_exp', v: '$I = $N - 1', vt: 'jsonata' }],
    more: { repair: true },
    sent: abcd,
    routed: [['d']],
  },
  {
    name: 'sequences made anew, whose parts come mixed',
    rules: [{ t: 'neq', v: 'b', vt: 'str' }, { t: 'else' }],
    more: { repair: true },
    sent: abcd.flatMap((each, index) => [each, { payload: index, ...part(index, 4, 'other') }]),
    routed: [['a', 'c', 'd', 0, 1, 2, 3], ['b']],
  },
  { name: 'no rules at all', rules: [], sent: ['x'], routed: [] },
];

const start = async (register: (RED: NodeAPI) => void, { rules, more }: Case) => {
  const flow = await startNode(register, config(rules, more), { outputs: rules.length });
  flow.context('flow').set('wanted', 'F');
  flow.context('global').set('wanted', 'G');
  return flow;
};
const messageOf = (sent: unknown): FlowMessage =>
  typeof sent === 'object' && sent !== null && 'parts' in sent
    ? structuredClone(sent as unknown as FlowMessage)
    : { payload: sent };
const received = (flow: TestFlow, outputs: number) =>
  Array.from({ length: outputs }, (_, index) => flow.received(index + 1));

describe('switch', () => {
  beforeAll(() => {
    process.env['HILUM_TEST_WANTED'] = 'E';
  });
  afterEach(stopNode);

  it.each(cases.map((each) => [each.name, each] as const))('routes by %s', async (_name, each) => {
    const flow = await start(registerSwitch, each);
    const errors = await Promise.all(each.sent.map((sent) => flow.handle(messageOf(sent))));
    expect(errors.filter((error) => error !== undefined)).toEqual([]);
    const outputs = received(flow, each.rules.length);
    expect(outputs.map((messages) => messages.map(({ payload }) => payload))).toEqual(each.routed);

    await stopNode();
    const core = await start(registerCore, each);
    for (const sent of each.sent) core.send(messageOf(sent));
    const wanted = each.routed.flat().length;
    for (let turn = 0; turn < 10_000; turn += 1) {
      if (received(core, each.rules.length).flat().length >= wanted) break;
      await new Promise(setImmediate);
    }
    const plain = (messages: readonly FlowMessage[]) =>
      messages.map((message) => {
        const { payload, parts } = message as FlowMessage & { parts?: { id?: string } };
        return { payload, parts: parts === undefined ? undefined : { ...parts, id: '' } };
      });
    expect(outputs.map(plain)).toEqual(received(core, each.rules.length).map(plain));
  });

  it('completes each of a burst only when it was routed', async () => {
    const flow = await startNode(
      registerSwitch,
      config([{ t: 'jsonata_exp', v: 'payload >= 0', vt: 'jsonata' }]),
      { outputs: 1 },
    );
    const payloads = Array.from({ length: 20 }, (_, index) => index);
    await Promise.all(
      payloads.map(async (payload) => {
        await flow.handle({ payload });
        expect(flow.received(1).map((message) => message.payload)).toContain(payload);
      }),
    );
    expect(flow.received(1)).toHaveLength(20);
  });

  it.each([
    ['tail', config([{ t: 'tail', v: '1', vt: 'num' }])],
    ['sequences made anew', config([{ t: 'nnull' }], { repair: true })],
  ])('holds a sequence until its last message (%s)', async (_name, each) => {
    const flow = await startNode(registerSwitch, each, { outputs: 1 });
    const completed: number[] = [];
    const [first, second, third] = [0, 1, 2].map((index) => async () => {
      await flow.handle({ payload: String(index), ...part(index, 3) });
      completed.push(index);
    });
    const open = [first?.(), second?.()];
    await flow.handle({ payload: 'alone' });
    expect(completed).toEqual([]);
    await Promise.all([...open, third?.()]);
    expect(completed.sort()).toEqual([0, 1, 2]);
  });

  it.each([
    ['an expression that fails', { t: 'jsonata_exp', v: '$number(payload)', vt: 'jsonata' }, {}],
    [
      'a property that fails',
      { t: 'nnull' },
      { property: '$number(payload)', propertyType: 'jsonata' },
    ],
    ['no regular expression', { t: 'regex', v: '(', vt: 'str' }, {}],
  ])('fails a message over %s, and takes the next', async (_name, each, more) => {
    const flow = await startNode(registerSwitch, config([each], more), { outputs: 1 });
    for (const payload of ['x', 'y']) {
      expect(await flow.handle({ payload })).toBeInstanceOf(Error);
    }
    expect(flow.received(1)).toEqual([]);
  });

  it('fails a whole sequence of which one message cannot be routed', async () => {
    const flow = await startNode(
      registerSwitch,
      config([{ t: 'jsonata_exp', v: '$number(payload) > 0', vt: 'jsonata' }], { repair: true }),
      { outputs: 1 },
    );
    const payloads = ['1', 'two', '3'];
    const errors = await Promise.all(
      payloads.map((payload, index) => flow.handle({ payload, ...part(index, 3) })),
    );
    expect(errors).toEqual(payloads.map(() => expect.any(Error) as Error));
    expect(flow.received(1)).toEqual([]);
  });

  it('fails every message while its rules cannot be read, and says why', async () => {
    const faulty = config([{ t: 'jsonata_exp', v: '(', vt: 'jsonata' }]);
    const flow = await startNode(registerSwitch, faulty, { outputs: 1 });
    expect(await flow.handle({ payload: 'x' })).toMatchObject({
      issues: [{ code: 'switch-rules-invalid' }],
    });
  });

  it('goes on after a value that cannot even be asked for, where the core node stands still', async () => {
    const each = { t: 'eq', v: 'a[', vt: 'flow' };
    const flow = await startNode(registerSwitch, config([each]), { outputs: 1 });
    for (const payload of ['x', 'y']) {
      expect(await flow.handle({ payload })).toBeUndefined();
    }
  });

  it('takes a message whose parts are empty for one of no sequence', async () => {
    const flow = await startNode(registerSwitch, config([{ t: 'nnull' }]), { outputs: 1 });
    await flow.handle({ payload: 'x', parts: null });
    await flow.handle({ payload: 'y' });
    expect(flow.received(1).map(({ payload }) => payload)).toEqual(['x', 'y']);
  });
});
