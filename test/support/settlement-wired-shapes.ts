import {
  addOutput as out,
  functionNode,
  httpRequest,
  type AddShape,
} from './settlement-builder.ts';

/** Links, partners, errors and what takes them; `port` is that of an HTTP partner which answers after 100 ms. */
export const addWiredShapes =
  (port: number) =>
  (shape: AddShape): void => {
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
      b.add(
        'f',
        'function',
        functionNode('await new Promise(r => setTimeout(r, 200)); return msg'),
        ['lo'],
      );
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
    shape('http request', 'completed', 190, (b) => {
      b.add('in', 'test source', {}, ['h']);
      b.add('h', 'http request', httpRequest(`http://127.0.0.1:${port}/`), ['o']);
      out(b, 'o', 100);
    });
    shape('http request to nobody', 'failed', 0, (b) => {
      b.add('in', 'test source', {}, ['h']);
      b.add('h', 'http request', httpRequest('http://127.0.0.1:1/'), ['o']);
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
    shape('a node whose handler cannot say that it is done', 'completed', 0, (b) => {
      b.add('in', 'test source', {}, ['n']);
      b.add('n', 'test unknown');
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
  };
