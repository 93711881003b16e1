import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { FlowNode } from '../../core/interface.ts';
import { compileFlows } from '../../runtime/deploy/definitions.ts';
import { lintFlows } from '../../runtime/deploy/lint.ts';
import { buildShapes } from '../support/settlement-shapes.ts';

const tab: FlowNode = { id: 'tab', type: 'tab' };
const node = (type: string, config: object = {}): FlowNode => ({
  id: 'n',
  z: 'tab',
  type,
  name: '',
  ...config,
});
const lint = (...nodes: readonly FlowNode[]) => lintFlows([tab, ...nodes], []);
const lintCode = (func: string, more: object = {}) => lint(node('function', { func, ...more }));

describe('a function that is done when it returns', () => {
  it.each([
    ['returns', 'return msg;'],
    ['returns several', 'return [msg, null, { payload: 1 }];'],
    ['sends at once', 'node.send(msg);'],
    ['sends in a loop', 'for (const payload of msg.payload) node.send({ payload });'],
    ['sends in a while', 'let i = 0; while (i < 3) { node.send({ payload: i }); i += 1; }'],
    ['sends for each', 'msg.payload.forEach(p => node.send({ payload: p }));'],
    [
      'sends in map, filter and reduce',
      'a.map(x => node.send(x)).filter(x => { node.send(x); }).reduce((s, x) => node.send(x), 0);',
    ],
    [
      'sends for each line',
      'msg.payload.split("\\r").forEach(function (line) { node.send({ payload: line }); });',
    ],
    [
      'sends while replacing',
      'msg.payload.replace(/a/g, (m) => { node.send({ payload: m }); return m; });',
    ],
    [
      'sends for each key',
      'Object.entries(msg.payload).forEach(([key, payload]) => node.send({ key, payload }));',
    ],
    [
      'calls a function of its own',
      'function out(payload) { node.send({ payload }); } out(1); out(2);',
    ],
    ['calls an arrow of its own', 'const out = (payload) => node.send({ payload }); out(1);'],
    [
      'hands its own function to forEach',
      'const out = (payload) => node.send({ payload }); msg.payload.forEach(out);',
    ],
    ['hands send itself to forEach', 'msg.payload.forEach(node.send);'],
    [
      'calls one function through another',
      'const a = () => node.send(msg); const b = () => a(); b();',
    ],
    [
      'calls itself',
      'function walk(n) { node.send({ payload: n }); if (n > 0) walk(n - 1); } walk(3);',
    ],
    ['is called where it stands', '(function () { node.send(msg); })();'],
    ['calls a method', 'const sender = { out(m) { node.send(m); } }; sender.out(msg);'],
    [
      'calls a method of a class',
      'class Sender { out(m) { node.send(m); } } new Sender().out(msg);',
    ],
    ['awaits, then sends', 'await new Promise(r => setTimeout(r, 10)); node.send(msg);'],
    [
      'awaits a timer that sends',
      'await new Promise(r => setTimeout(() => { node.send(msg); r(); }, 10));',
    ],
    [
      'awaits events',
      'await new Promise((resolve, reject) => { s.on("data", d => node.send({ payload: d })); s.on("end", resolve); s.on("error", reject); });',
    ],
    [
      'awaits its async function',
      'const go = async () => { await 1; node.send(msg); }; await go();',
    ],
    ['awaits a function that stands there', 'await (async () => { await 1; node.send(msg); })();'],
    ['returns its async function', 'async function go() { await 1; node.send(msg); } return go();'],
    ['returns a chain', 'return fetchIt().then(r => { node.send({ payload: r }); });'],
    [
      'awaits a chain',
      'await fetchIt().then(r => r.text()).then(payload => node.send({ payload })).catch(e => node.send({ payload: e }));',
    ],
    [
      'awaits all',
      'await Promise.all(msg.payload.map(async (p) => { await 1; node.send({ payload: p }); }));',
    ],
    [
      'awaits what it kept',
      'const all = msg.payload.map(async (p) => { await 1; node.send({ payload: p }); }); await Promise.all(all);',
    ],
    [
      'awaits what it pushed',
      'const all = []; for (const p of msg.payload) all.push(work(p)); async function work(p) { await 1; node.send(p); } await Promise.all(all);',
    ],
    [
      'awaits a promise later',
      'const p = go(); msg.a = 1; await p; async function go() { await 1; node.send(msg); }',
    ],
    [
      'awaits one after the other',
      'for (const p of msg.payload) { await work(p); } async function work(p) { await 1; node.send(p); }',
    ],
    [
      'sends before it awaits',
      'msg.payload.forEach(async (p) => { node.send({ payload: p }); await store(p); });',
    ],
    [
      'awaits both of two',
      'await Promise.allSettled([a(), b()]); async function a() { await 1; node.send(1); } async function b() { await 2; node.send(2); }',
    ],
    ['reads the context', 'flow.get("x", (error, value) => { node.send({ payload: value }); });'],
    ['says in a timer that it is done', 'setTimeout(() => { node.send(msg); node.done(); }, 100);'],
    [
      'says in a chain that it is done',
      'fetchIt().then(r => { node.send(r); node.done(); }).catch(e => { node.error(e, msg); node.done(); });',
    ],
    [
      'says after an await that it is done',
      's.on("data", d => node.send(d)); await ended(s); node.done();',
    ],
    ['sets a timer that sends nothing', 'setTimeout(() => { node.status({}); }, 100); return msg;'],
    [
      'waits in a loop',
      'for (let i = 0; i < 3; i += 1) { node.send({ payload: i }); await pause(10); }',
    ],
    ['calls a link', 'const back = await node.linkcall("other", msg); node.send(back);'],
    [
      'has a node of its own',
      'nodes.forEach((node) => { setTimeout(() => { node.send(1); }, 1); });',
    ],
    ['never calls it', 'function later() { setTimeout(() => 1, 5); } return msg;'],
    ['is empty', ''],
    ['is a comment', '// node.send(msg) later'],
    ['speaks of done in a comment', '// node.done()\nreturn msg;'],
  ])('%s', (_what, func) => {
    expect(lintCode(func)).toEqual([]);
  });
});

describe('a function that sends after it has returned', () => {
  it.each([
    ['in a timer', 1, 'timer', 'setTimeout(() => node.send(msg), 100);'],
    [
      'in a timer on line 3',
      3,
      'timer',
      'const a = 1;\nsetTimeout(function () {\n  node.send(msg);\n}, 100);',
    ],
    [
      'at intervals',
      1,
      'timer',
      'const t = setInterval(() => { node.send({ payload: 1 }); }, 100);',
    ],
    ['in the next turn', 1, 'timer', 'setImmediate(() => { node.send(msg); });'],
    ['by handing send to a timer', 1, 'timer', 'setTimeout(node.send, 100, msg);'],
    [
      'by handing its function to a timer',
      1,
      'timer',
      'function go() { node.send(msg); } setTimeout(go, 100);',
    ],
    [
      'in a timer in forEach',
      1,
      'timer',
      'msg.payload.forEach((p, i) => setTimeout(() => node.send({ payload: p }), i * 100));',
    ],
    [
      'in a function that a timer calls',
      1,
      'timer',
      'const go = () => node.send(msg); setTimeout(() => { go(); }, 100);',
    ],
    ['in a chain', 1, 'promise', 'fetchIt().then(r => node.send({ payload: r }));'],
    ['in a chain, on its error', 1, 'promise', 'fetchIt().catch(e => node.send({ payload: e }));'],
    [
      'in a chain, at its end',
      1,
      'promise',
      'fetchIt().then(x => x).finally(() => { node.send(msg); });',
    ],
    ['by handing send to a chain', 1, 'promise', 'fetchIt().then(node.send);'],
    [
      'in a chain that it keeps',
      1,
      'promise',
      'const p = fetchIt().then(r => node.send(r)); return null;',
    ],
    [
      'in an async function',
      1,
      'async function',
      'async function go() { await 1; node.send(msg); } go();',
    ],
    [
      'in an async arrow',
      1,
      'async function',
      'const go = async () => { await 1; node.send(msg); }; go();',
    ],
    [
      'in a function that stands there',
      1,
      'async function',
      '(async () => { await 1; node.send(msg); })();',
    ],
    [
      'in an async forEach',
      1,
      'async function',
      'msg.payload.forEach(async (p) => { await 1; node.send({ payload: p }); });',
    ],
    [
      'in an async forEach that is awaited in vain',
      1,
      'async function',
      'await msg.payload.forEach(async (p) => { await 1; node.send({ payload: p }); });',
    ],
    [
      'in an async map',
      1,
      'async function',
      'msg.payload.map(async (p) => { await 1; node.send({ payload: p }); });',
    ],
    [
      'in a map whose promises it keeps',
      1,
      'async function',
      'const all = msg.payload.map(async (p) => { await 1; node.send(p); });',
    ],
    [
      'in whichever of two is slower',
      1,
      'async function',
      'await Promise.race([a(), b()]); async function a() { await 1; node.send(1); } async function b() { await 2; }',
    ],
    ['on an event', 1, 'callback', 'stream.on("data", (d) => { node.send({ payload: d }); });'],
    [
      'in a callback',
      1,
      'callback',
      'store.read("x", (error, value) => { node.send({ payload: value }); });',
    ],
    [
      'in a promise that nobody awaits',
      1,
      'timer',
      'new Promise((r) => setTimeout(() => { node.send(msg); r(); }, 5));',
    ],
    [
      'in a promise that is fulfilled before',
      1,
      'timer',
      'await new Promise((r) => { setTimeout(() => node.send(msg), 5); r(); });',
    ],
    ['by another name', 1, 'timer', 'const self = node; setTimeout(() => self.send(msg), 100);'],
    ['by a variable', 1, 'timer', 'const send = node.send; setTimeout(() => send(msg), 100);'],
    ['by a part of node', 1, 'timer', 'const { send } = node; setTimeout(() => send(msg), 100);'],
    [
      'though it says at once that it is done',
      1,
      'timer',
      'setTimeout(() => node.send(msg), 100); node.done();',
    ],
    [
      'though a comment speaks of done',
      1,
      'timer',
      'setTimeout(() => node.send(msg), 100); // node.done()',
    ],
    [
      'in the second round',
      1,
      'async function',
      'async function go() { for (const p of msg.payload) { node.send(p); await 1; } } go();',
    ],
  ])('%s', (_what, line, reason, func) => {
    const issues = lintCode(func, { name: 'Later' });
    expect(issues.map(({ code, location }) => [code, location])).toEqual([
      ['function-sends-later', 'n'],
    ]);
    expect(issues[0]?.message).toMatch(new RegExp(`^function "Later": line ${line}: .*${reason}`));
    expect(issues[0]?.message).toMatch(/await it, or call node\.done\(\)/);
  });
});

describe('a mistake in a function', () => {
  it.each([
    ['On Message', 2, { func: 'const a = 1;\nreturn {a;' }],
    ['On Message', 1, { func: 'let msg = 1;' }],
    ['On Message', 1, { func: '} return msg; {' }],
    ['On Start', 1, { func: '', initialize: 'if (' }],
    ['On Stop', 2, { func: '', finalize: '\nfoo bar' }],
    ['On Stop', 1, { func: '', finalize: 'await 1;' }],
  ])('is named by its part (%s) and line %i', (part, line, config) => {
    const [issue, ...others] = lint(node('function', config));
    expect(others).toEqual([]);
    expect(issue).toMatchObject({ code: 'function-syntax', severity: 'error', location: 'n' });
    expect(issue?.message).toContain(`${part}, line ${line}: `);
  });
});

describe('what a function does when it starts and stops', () => {
  it('belongs to no message', () => {
    const initialize = 'let msg = await 1; setInterval(() => node.send({ payload: 1 }), 1000);';
    expect(lintCode('return msg;', { initialize, finalize: 'const msg = 1;' })).toEqual([]);
  });
});

describe('nodes', () => {
  const trigger = { op1type: 'str', op2type: 'str', duration: '250', overrideDelay: false };

  it.each([
    ['a trigger that sends again', node('trigger', trigger), 'trigger-sends-later'],
    [
      'a trigger that repeats',
      node('trigger', { ...trigger, duration: '-5', op2type: 'nul' }),
      'trigger-sends-later',
    ],
    [
      'a trigger whose message names the delay',
      node('trigger', { ...trigger, duration: '0', overrideDelay: true }),
      'trigger-sends-later',
    ],
    ['a split of a stream', node('split', { stream: true }), 'split-streams'],
    ['a node that nobody knows', node('acme sender'), 'node-not-allowed'],
    ['a node that runs programs', node('exec'), 'node-not-allowed'],
    ['a configuration that nobody knows', { id: 'n', type: 'acme-config' }, 'node-not-allowed'],
  ])('refuses %s', (_what, each, code) => {
    expect(lint(each).map((issue) => [issue.code, issue.location])).toEqual([[code, 'n']]);
  });

  it.each([
    ['a trigger that sends once', node('trigger', { ...trigger, op2type: 'nul' })],
    ['a trigger that waits for its reset', node('trigger', { ...trigger, duration: '0' })],
    ['a split', node('split', { stream: false })],
    ['a disabled node', { ...node('acme sender'), d: true }],
    ['a node of a disabled tab', { ...node('acme sender'), z: 'off' }],
    ['a subflow and its instance', node('subflow:sub')],
    ['shared configuration', { id: 'n', type: 'tls-config' }],
  ])('takes %s', (_what, each) => {
    expect(lint({ id: 'off', type: 'tab', disabled: true }, each)).toEqual([]);
  });

  it('takes what the site answers for, and says how', () => {
    const flows = [tab, node('acme sender')];
    expect(lintFlows(flows, ['acme sender'])).toEqual([]);
    expect(lint(node('acme sender'))[0]?.message).toContain('HILUM_ALLOW_NODES=acme sender');
  });

  it('are looked at in a subflow too', () => {
    const flows = [
      { id: 'sub', type: 'subflow' },
      { ...node('acme sender'), z: 'sub' },
    ];
    expect(lintFlows(flows, [])).toMatchObject([{ code: 'node-not-allowed', location: 'n' }]);
  });

  it('refuse the deploy with everything else', () => {
    const context = { bind: '127.0.0.1', environment: {} };
    const flows = [tab, node('function', { func: 'setTimeout(() => node.send(msg));' })];
    expect(compileFlows(flows, context).issues).toMatchObject([{ code: 'function-sends-later' }]);
    const allowNodes = ['acme sender'];
    expect(compileFlows([tab, node('acme sender')], { ...context, allowNodes }).issues).toEqual([]);
  });
});

describe('flows that are known', () => {
  const root = path.resolve(import.meta.dirname, '../..');
  const files = ['flows', 'nodes/examples'].flatMap((folder) =>
    readdirSync(path.join(root, folder))
      .filter((name) => name.endsWith('.json'))
      .map((name) => path.join(folder, name)),
  );

  it.each(files)('%s has nothing against it', (file) => {
    const flows = JSON.parse(readFileSync(path.join(root, file), 'utf8')) as FlowNode[];
    expect(lintFlows(flows, [])).toEqual([]);
  });

  const shapes = buildShapes(0);
  const testNodes = shapes.flatMap(({ flow }) => flow.map(({ type }) => type));
  const allowed = testNodes.filter((type) => type.startsWith('test '));

  it.each(shapes.map(({ name, flow, refused }) => [name, refused, flow] as const))(
    'the shape "%s" is refused: %s',
    (_name, refused, flow) => {
      const codes = lintFlows(flow, allowed).map(({ code }) => code);
      expect(codes).toEqual(refused === undefined ? [] : [refused]);
    },
  );
});
