import type { FlowNode } from '../../core/interface.ts';

/** One way to wire a flow, and how its messages must be settled. */
export interface Shape {
  readonly name: string;
  readonly tab: string;
  readonly source: string;
  readonly flow: readonly FlowNode[];
  /** What every message's settlement must be. */
  readonly expected: 'completed' | 'failed' | 'timed-out';
  /** When the last of its nodes is through: settled before that would be a lost message. */
  readonly notBeforeMs: number;
  readonly payload?: unknown;
  readonly messages?: number;
}

type Wires = readonly (readonly string[])[];

/** Builds the nodes of one tab; ids are prefixed by it. */
interface Builder {
  /** A node's id on this tab. */
  id(name: string): string;
  add(name: string, type: string, config?: object, ...wires: Wires): void;
  addRaw(node: FlowNode): void;
}

const functionNode = (func: string) => ({
  func,
  outputs: 1,
  timeout: 0,
  noerr: 0,
  initialize: '',
  finalize: '',
  libs: [],
});
const delay = (pauseType: 'delay' | 'rate') => ({
  pauseType,
  timeout: '300',
  timeoutUnits: 'milliseconds',
  rate: '10',
  nbRateUnits: '1',
  rateUnits: 'second',
  drop: false,
  outputs: 1,
});
const split = {
  splt: '\\n',
  spltType: 'str',
  arraySplt: 1,
  arraySpltType: 'len',
  property: 'payload',
};
const join = (mode: 'auto' | 'custom', count = '') => ({
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
});

/** Every shape; `port` is that of an HTTP partner which answers after 100 ms. */
export function buildShapes(port: number): readonly Shape[] {
  const shapes: Shape[] = [];
  const shape = (
    name: string,
    expected: Shape['expected'],
    notBeforeMs: number,
    wire: (builder: Builder) => void,
    more: Pick<Shape, 'payload' | 'messages'> = {},
  ): void => {
    const tab = `t${shapes.length + 1}`;
    const flow: FlowNode[] = [{ id: tab, type: 'tab', label: name, disabled: false, env: [] }];
    const id = (short: string): string => `${tab}-${short}`;
    const builder: Builder = {
      id,
      add: (short, type, config = {}, ...wires) => {
        const targets = wires.map((each) => each.map(id));
        flow.push({
          id: id(short),
          z: tab,
          type,
          name: short,
          x: 0,
          y: 0,
          wires: targets,
          ...config,
        });
      },
      addRaw: (node) => flow.push(node),
    };
    wire(builder);
    shapes.push({ name, expected, notBeforeMs, flow, tab, source: id('in'), ...more });
  };
  const out = (b: Builder, name: string, delayMs: number, more: object = {}): void => {
    b.add(name, 'test out', { delayMs, ...more });
  };
  /** source ▸ function ▸ a slow output */
  const scripted =
    (func: string, outputMs = 100) =>
    (b: Builder) => {
      b.add('in', 'test source', {}, ['f']);
      b.add('f', 'function', functionNode(func), ['o']);
      out(b, 'o', outputMs);
    };

  shape('straight', 'completed', 95, scripted('return msg;'));
  shape('three branches wait for the slowest', 'completed', 590, (b) => {
    b.add('in', 'test source', {}, ['a', 'b', 'c']);
    out(b, 'a', 100);
    out(b, 'b', 300);
    out(b, 'c', 600);
  });
  shape('one branch fails, the others are waited for', 'failed', 290, (b) => {
    b.add('in', 'test source', {}, ['a', 'b']);
    out(b, 'a', 300);
    out(b, 'b', 50, { fail: true });
  });
  shape('a function returns nothing', 'completed', 0, scripted('return null;'));
  shape('a function throws', 'failed', 0, scripted('throw new Error("no");'));
  shape(
    'a function returns a new message',
    'completed',
    195,
    scripted('return {payload: 1};', 200),
  );
  shape(
    'a function awaits, then returns',
    'completed',
    290,
    scripted('await new Promise(r => setTimeout(r, 200)); return {payload: 2};'),
  );
  shape(
    'a function sends later and calls done',
    'completed',
    290,
    scripted('setTimeout(() => { node.send({payload: 3}); node.done(); }, 200);'),
  );
  shape(
    "a function's timer throws before done",
    'failed',
    0,
    scripted(
      'setTimeout(() => { throw new Error("t") }, 100); setTimeout(() => node.done(), 150);',
    ),
  );
  shape(
    'node.error with the message',
    'failed',
    0,
    scripted('node.error("bad", msg); return null;'),
  );
  shape('node.error without the message', 'failed', 0, scripted('node.error("bad"); return null;'));
  shape('delay', 'completed', 390, (b) => {
    b.add('in', 'test source', {}, ['d']);
    b.add('d', 'delay', delay('delay'), ['o']);
    out(b, 'o', 100);
  });
  shape(
    'rate limit',
    'completed',
    45,
    (b) => {
      b.add('in', 'test source', {}, ['d']);
      b.add('d', 'delay', delay('rate'), ['o']);
      out(b, 'o', 50);
    },
    { messages: 5 },
  );
  shape(
    'split, work, join',
    'completed',
    145,
    (b) => {
      b.add('in', 'test source', {}, ['s']);
      b.add('s', 'split', split, ['f']);
      b.add(
        'f',
        'function',
        functionNode('await new Promise(r => setTimeout(r, 50)); return msg'),
        ['j'],
      );
      b.add('j', 'join', join('auto'), ['o']);
      out(b, 'o', 100);
    },
    { payload: [1, 2, 3] },
  );
  shape(
    'a join that never gets its last part is retried',
    'timed-out',
    0,
    (b) => {
      b.add('in', 'test source', {}, ['s']);
      b.add('s', 'split', split, ['f']);
      b.add('f', 'function', functionNode('return msg.payload === 2 ? null : msg'), ['j']);
      b.add('j', 'join', join('auto'), ['o']);
      out(b, 'o', 0);
    },
    { payload: [1, 2, 3] },
  );
  shape(
    'three messages joined into one are held to its end',
    'completed',
    190,
    (b) => {
      b.add('in', 'test source', {}, ['j']);
      b.add('j', 'join', join('custom', '3'), ['o']);
      out(b, 'o', 200);
    },
    { messages: 3 },
  );
  shape(
    'a batch of three is held to its end',
    'completed',
    190,
    (b) => {
      b.add('in', 'test source', {}, ['j']);
      b.add('j', 'batch', { mode: 'count', count: 3, overlap: 0, interval: 10, topics: [] }, ['o']);
      out(b, 'o', 200);
    },
    { messages: 3 },
  );
  shape('link to another tab', 'completed', 190, (b) => {
    b.add('in', 'test source', {}, ['lo']);
    b.add('lo', 'link out', { mode: 'link', links: [b.id('li')] });
    const other = b.id('other');
    b.addRaw({ id: other, type: 'tab', label: 'other' });
    b.addRaw({
      id: b.id('li'),
      z: other,
      type: 'link in',
      links: [b.id('lo')],
      wires: [[b.id('o')]],
    });
    b.addRaw({ id: b.id('o'), z: other, type: 'test out', delayMs: 200, wires: [] });
  });
  shape('link call and return', 'completed', 290, (b) => {
    b.add('in', 'test source', {}, ['lc']);
    b.add('lc', 'link call', { links: [b.id('li')], linkType: 'static', timeout: '30' }, ['o']);
    b.add('li', 'link in', { links: [] }, ['f']);
    b.add('f', 'function', functionNode('await new Promise(r => setTimeout(r, 200)); return msg'), [
      'lo',
    ]);
    b.add('lo', 'link out', { mode: 'return', links: [] });
    out(b, 'o', 100);
  });
  shape('link call that gets no return', 'failed', 0, (b) => {
    b.add('in', 'test source', {}, ['lc']);
    b.add('lc', 'link call', { links: [b.id('li')], linkType: 'static', timeout: '1' }, ['o']);
    b.add('li', 'link in', { links: [] }, ['f']);
    b.add('f', 'function', functionNode('return null'));
    out(b, 'o', 0);
  });
  const http = (url: string) => ({
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
  });
  shape('http request', 'completed', 190, (b) => {
    b.add('in', 'test source', {}, ['h']);
    b.add('h', 'http request', http(`http://127.0.0.1:${port}/`), ['o']);
    out(b, 'o', 100);
  });
  shape('http request to nobody', 'failed', 0, (b) => {
    b.add('in', 'test source', {}, ['h']);
    b.add('h', 'http request', http('http://127.0.0.1:1/'), ['o']);
    out(b, 'o', 0);
  });
  shape('template and json', 'completed', 95, (b) => {
    b.add('in', 'test source', {}, ['t']);
    const template = {
      field: 'payload',
      fieldType: 'msg',
      format: 'handlebars',
      syntax: 'mustache',
    };
    b.add('t', 'template', { ...template, template: '{"a":1}', output: 'str' }, ['j']);
    b.add('j', 'json', { property: 'payload', action: 'obj', pretty: false }, ['o']);
    out(b, 'o', 100);
  });
  shape(
    'json that is none',
    'failed',
    0,
    (b) => {
      b.add('in', 'test source', {}, ['j']);
      b.add('j', 'json', { property: 'payload', action: 'obj' }, ['o']);
      out(b, 'o', 0);
    },
    { payload: '{bad' },
  );
  shape('a filter, whose handler has no done', 'completed', 95, (b) => {
    b.add('in', 'test source', {}, ['r']);
    const filter = { func: 'rbe', gap: '', start: '', inout: 'out', septopics: true };
    b.add('r', 'rbe', { ...filter, property: 'payload', topi: 'topic' }, ['o']);
    out(b, 'o', 100);
  });
  shape('a catch node takes the error: its branch counts', 'completed', 190, (b) => {
    b.add('in', 'test source', {}, ['f']);
    b.add('f', 'function', functionNode('throw new Error("taken")'));
    b.add('c', 'catch', { scope: null, uncaught: false }, ['o']);
    out(b, 'o', 200);
  });
  shape('a complete node starts a branch', 'completed', 190, (b) => {
    b.add('in', 'test source', {}, ['f']);
    b.add('f', 'function', functionNode('return msg'));
    b.add('c', 'complete', { scope: [b.id('f')] }, ['o']);
    out(b, 'o', 200);
  });
  shape('a junction and a disabled node', 'completed', 95, (b) => {
    b.add('in', 'test source', {}, ['j']);
    b.add('j', 'junction', {}, ['o', 'x']);
    out(b, 'o', 100);
    out(b, 'x', 100, { d: true, fail: true });
  });
  shape('a subflow', 'completed', 290, (b) => {
    const sub = b.id('sub');
    const inner = b.id('inner');
    b.addRaw({
      id: sub,
      type: 'subflow',
      name: 'work',
      in: [{ x: 1, y: 1, wires: [{ id: inner }] }],
      out: [{ x: 1, y: 1, wires: [{ id: inner, port: 0 }] }],
    });
    const func = functionNode('await new Promise(r => setTimeout(r, 200)); return msg');
    b.addRaw({ id: inner, z: sub, type: 'function', ...func, wires: [[]] });
    b.add('in', 'test source', {}, ['s']);
    b.add('s', `subflow:${sub}`, {}, ['o']);
    out(b, 'o', 100);
  });
  shape('a node that never says it is done is retried', 'timed-out', 0, (b) => {
    b.add('in', 'test source', {}, ['n']);
    b.add('n', 'test silent', {}, ['o']);
    out(b, 'o', 0);
  });
  shape('a handler throws', 'failed', 0, (b) => {
    b.add('in', 'test source', {}, ['n']);
    b.add('n', 'test throws', {}, []);
  });
  shape('an error without done', 'failed', 45, (b) => {
    b.add('in', 'test source', {}, ['n']);
    b.add('n', 'test errs', {}, []);
  });
  shape('an error from a connection that all messages share', 'failed', 0, (b) => {
    b.add('in', 'test source', {}, ['n']);
    b.add('n', 'test pooled', {}, []);
  });
  shape('change and debug', 'completed', 95, (b) => {
    b.add('in', 'test source', {}, ['c']);
    const rules = [{ t: 'set', p: 'payload', pt: 'msg', to: 'x', tot: 'str' }];
    b.add('c', 'change', { rules }, ['d', 'o']);
    const debug = { active: true, tosidebar: false, console: false, complete: 'payload' };
    b.add('d', 'debug', { ...debug, targetType: 'msg' });
    out(b, 'o', 100);
  });
  return shapes;
}
