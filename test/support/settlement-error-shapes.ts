import {
  addOutput as out,
  functionNode,
  httpRequest,
  pause,
  split,
  type AddShape,
} from './settlement-builder.ts';

const everything = { scope: null, uncaught: false };

/** Errors, and the nodes that take them. */
export const addErrorShapes =
  (port: number) =>
  (shape: AddShape): void => {
    shape('two of three branches fail', 'failed', 390, (b) => {
      b.add('in', 'test source', {}, ['a', 'b', 'c']);
      out(b, 'a', 100, { fail: true });
      out(b, 'b', 200, { fail: true });
      out(b, 'c', 400);
    });
    shape(
      'a function complains and goes on',
      'failed',
      290,
      (b) => {
        b.add('in', 'test source', {}, ['f']);
        b.add('f', 'function', functionNode(`node.error("bad", msg); ${pause} return msg;`), ['o']);
        out(b, 'o', 100);
      },
      { delivered: 1 },
    );
    shape(
      'a function complains, is caught, and goes on',
      'completed',
      290,
      (b) => {
        b.add('in', 'test source', {}, ['f']);
        b.add('f', 'function', functionNode(`node.error("bad", msg); ${pause} return msg;`), ['o']);
        b.add('c', 'catch', everything, ['p']);
        out(b, 'o', 100);
        out(b, 'p', 0);
      },
      { delivered: 2 },
    );
    shape(
      'one part is caught while the node still works on the others',
      'completed',
      290,
      (b) => {
        const func = `if (msg.payload === 2) throw new Error("two"); ${pause} return msg;`;
        b.add('in', 'test source', {}, ['s']);
        b.add('s', 'split', split, ['f']);
        b.add('f', 'function', functionNode(func), ['o']);
        b.add('c', 'catch', everything, ['p']);
        out(b, 'o', 100);
        out(b, 'p', 0);
      },
      { payload: [1, 2, 3], delivered: 3 },
    );
    shape(
      'a handler throws and is caught',
      'completed',
      190,
      (b) => {
        b.add('in', 'test source', {}, ['n']);
        b.add('n', 'test throws', {}, []);
        b.add('c', 'catch', everything, ['o']);
        out(b, 'o', 200);
      },
      { delivered: 1 },
    );
    shape('a node complains, is caught, and never says it is done', 'timed-out', 0, (b) => {
      b.add('in', 'test source', {}, ['n']);
      b.add('n', 'test errs', {}, []);
      b.add('c', 'catch', everything, ['o']);
      out(b, 'o', 0);
    });
    shape(
      'a catch node for one node only',
      'failed',
      0,
      (b) => {
        b.add('in', 'test source', {}, ['f', 'g']);
        b.add('f', 'function', functionNode('throw new Error("one")'));
        b.add('g', 'function', functionNode('throw new Error("other")'));
        b.add('c', 'catch', { scope: [b.id('f')], uncaught: false }, ['o']);
        out(b, 'o', 200);
      },
      { delivered: 1 },
    );
    shape(
      'two catch nodes take one error',
      'completed',
      290,
      (b) => {
        b.add('in', 'test source', {}, ['f']);
        b.add('f', 'function', functionNode('throw new Error("both")'));
        b.add('c', 'catch', everything, ['o']);
        b.add('d', 'catch', everything, ['p']);
        out(b, 'o', 100);
        out(b, 'p', 300);
      },
      { delivered: 2 },
    );
    shape(
      'a chain of catch nodes: the second takes what the first leaves',
      'completed',
      190,
      (b) => {
        b.add('in', 'test source', {}, ['f']);
        b.add('f', 'function', functionNode('throw new Error("first")'));
        b.add('c', 'catch', { scope: [b.id('f')], uncaught: false }, ['g']);
        b.add('g', 'function', functionNode('throw new Error("second")'));
        b.add('d', 'catch', { scope: null, uncaught: true }, ['o']);
        out(b, 'o', 200);
      },
      { delivered: 1 },
    );
    shape('the branch of a catch node fails', 'failed', 0, (b) => {
      b.add('in', 'test source', {}, ['f']);
      b.add('f', 'function', functionNode('throw new Error("first")'));
      b.add('c', 'catch', { scope: [b.id('f')], uncaught: false }, ['g']);
      b.add('g', 'function', functionNode('throw new Error("second")'));
    });
    shape(
      'a catch node of a group',
      'completed',
      190,
      (b) => {
        const group = b.id('group');
        const nodes = [b.id('f'), b.id('c')];
        b.addRaw({ id: group, type: 'group', z: b.id('in').split('-')[0] ?? '', nodes });
        b.add('in', 'test source', {}, ['f']);
        b.add('f', 'function', { ...functionNode('throw new Error("inside")'), g: group });
        b.add('c', 'catch', { scope: 'group', uncaught: false, g: group }, ['o']);
        out(b, 'o', 200);
      },
      { delivered: 1 },
    );
    shape(
      'an error inside a subflow is caught outside',
      'completed',
      190,
      (b) => {
        const sub = b.id('sub');
        const inner = b.id('inner');
        b.addRaw({ id: sub, type: 'subflow', in: [{ wires: [{ id: inner }] }], out: [] });
        const func = functionNode('throw new Error("inner")');
        b.addRaw({ id: inner, z: sub, type: 'function', x: 0, y: 0, ...func, wires: [] });
        b.add('in', 'test source', {}, ['s']);
        b.add('s', `subflow:${sub}`);
        b.add('c', 'catch', everything, ['o']);
        out(b, 'o', 200);
      },
      { delivered: 1 },
    );
    shape(
      'a link call that gets no return is caught',
      'completed',
      1190,
      (b) => {
        b.add('in', 'test source', {}, ['lc']);
        b.add('lc', 'link call', { links: [b.id('li')], linkType: 'static', timeout: '1' });
        b.add('li', 'link in', { links: [] }, ['f']);
        b.add('f', 'function', functionNode('return null'));
        b.add('c', 'catch', everything, ['o']);
        out(b, 'o', 200);
      },
      { delivered: 1 },
    );
    shape('a link call to a target by name that is not there', 'failed', 0, (b) => {
      const func = functionNode('msg.target = "nobody"; return msg;');
      b.add('in', 'test source', {}, ['f']);
      b.add('f', 'function', func, ['lc']);
      b.add('lc', 'link call', { links: [], linkType: 'dynamic', timeout: '30' });
    });
    shape(
      'an http request to nobody is caught',
      'completed',
      190,
      (b) => {
        b.add('in', 'test source', {}, ['h']);
        b.add('h', 'http request', httpRequest('http://127.0.0.1:1/', { senderr: true }));
        b.add('c', 'catch', everything, ['o']);
        out(b, 'o', 200);
      },
      { delivered: 1 },
    );
    shape(
      'an http answer that is an error goes on',
      'completed',
      190,
      (b) => {
        b.add('in', 'test source', {}, ['h']);
        b.add('h', 'http request', httpRequest(`http://127.0.0.1:${port}/500`), ['o']);
        out(b, 'o', 100);
      },
      { delivered: 1 },
    );
    shape(
      'a status node starts nothing that a message waits for',
      'completed',
      0,
      (b) => {
        b.add('in', 'test source', {}, ['f']);
        b.add('f', 'function', functionNode('node.status({ text: "x" }); return null;'));
        b.add('t', 'status', { scope: null }, ['d']);
        b.add('d', 'debug', { active: false, complete: 'payload', targetType: 'msg' });
      },
      { delivered: 0 },
    );
    shape(
      'a chain of complete nodes',
      'completed',
      290,
      (b) => {
        b.add('in', 'test source', {}, ['f']);
        b.add('f', 'function', functionNode('return msg'));
        b.add('c', 'complete', { scope: [b.id('f')] }, ['g']);
        b.add('g', 'function', functionNode(`${pause} return msg;`));
        b.add('d', 'complete', { scope: [b.id('g')] }, ['o']);
        out(b, 'o', 100);
      },
      { delivered: 1 },
    );
  };
