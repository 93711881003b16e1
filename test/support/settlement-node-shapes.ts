import {
  addOutput as out,
  delay,
  functionNode,
  httpRequest,
  pause,
  through,
  trigger,
  type AddShape,
} from './settlement-builder.ts';

/** The other nodes of Node-RED, and other ways to wire them. */
export const addNodeShapes =
  (port: number) =>
  (shape: AddShape): void => {
    shape('a delay that the message names', 'completed', 290, through('delay', delay('delayv')), {
      more: () => ({ delay: 200 }),
      delivered: 1,
    });
    shape('a random delay', 'completed', 190, through('delay', delay('random')), { delivered: 1 });
    shape(
      'a rate limit that drops',
      'completed',
      0,
      through('delay', delay('rate', { drop: true })),
      { messages: 5, delivered: 1 },
    );
    shape(
      'a rate limit that sends on what is too much',
      'completed',
      95,
      (b) => {
        b.add('in', 'test source', {}, ['d']);
        b.add('d', 'delay', delay('rate', { drop: true, outputs: 2 }), ['o'], ['p']);
        out(b, 'o', 100);
        out(b, 'p', 100);
      },
      { messages: 5, delivered: 5 },
    );
    shape('a rate limit that is reset: what it forgets is retried', 'timed-out', 0, (b) => {
      const func = 'return [[msg, { payload: 2 }], { reset: true }];';
      b.add('in', 'test source', {}, ['f']);
      b.add('f', 'function', functionNode(func, 2), ['d'], ['d']);
      b.add('d', 'delay', delay('rate', { rate: '1' }), ['o']);
      out(b, 'o', 0);
    });
    shape('a fair queue of topics', 'completed', 95, through('delay', delay('queue')), {
      messages: 3,
      more: (index) => ({ topic: `t${index}` }),
      delivered: 3,
    });
    shape('the newest of a topic', 'completed', 0, through('delay', delay('timed')), {
      messages: 3,
      more: () => ({ topic: 'same' }),
      delivered: 1,
    });
    shape('a burst limit', 'completed', 0, through('delay', delay('burst', { rate: '2' })), {
      messages: 3,
      delivered: 2,
    });
    shape(
      'a trigger that sends once',
      'completed',
      95,
      through('trigger', trigger({ op2type: 'nul' })),
      { delivered: 1 },
    );
    shape(
      'a trigger that waits to be reset',
      'completed',
      95,
      through('trigger', trigger({ duration: '0' })),
      { delivered: 1 },
    );
    shape(
      'a trigger that sends again',
      'completed',
      190,
      through('trigger', trigger({ duration: '300' })),
      {
        refused: 'trigger-sends-later',
      },
    );
    shape(
      'a trigger that sends again and again',
      'completed',
      190,
      through('trigger', trigger({ duration: '-100', op2type: 'nul' })),
      { refused: 'trigger-sends-later' },
    );
    const range = { minin: '0', maxin: '10', minout: '0', maxout: '100', action: 'scale' };
    shape(
      'a range',
      'completed',
      95,
      through('range', { ...range, round: false, property: 'payload' }),
      { payload: 5, delivered: 1 },
    );
    shape(
      'xml to an object',
      'completed',
      95,
      through('xml', { property: 'payload', attr: '', chr: '' }),
      { payload: '<a><b>1</b></a>', delivered: 1 },
    );
    shape('xml that is none', 'failed', 0, through('xml', { property: 'payload' }), {
      payload: '<a',
    });
    shape('yaml to an object', 'completed', 95, through('yaml', { property: 'payload' }), {
      payload: 'a: 1',
      delivered: 1,
    });
    shape('yaml that is none', 'failed', 0, through('yaml', { property: 'payload' }), {
      payload: 'a: [',
    });
    const html = { property: 'payload', outproperty: 'payload', tag: 'p', ret: 'html' };
    shape('html, a message for each', 'completed', 95, through('html', { ...html, as: 'multi' }), {
      payload: '<p>1</p><p>2</p>',
      delivered: 2,
    });
    const csv = { spec: 'rfc', sep: ',', hdrin: true, hdrout: 'none', ret: '\\n', temp: '' };
    shape(
      'csv, a message for each row',
      'completed',
      95,
      through('csv', { ...csv, multi: 'one' }),
      {
        payload: 'a,b\n1,2\n3,4',
        delivered: 2,
      },
    );
    shape('csv as one list', 'completed', 95, through('csv', { ...csv, multi: 'mult' }), {
      payload: 'a,b\n1,2\n3,4',
      delivered: 1,
    });
    const rules = [{ t: 'set', p: 'payload', pt: 'msg', to: 'payload & "x"', tot: 'jsonata' }];
    shape('a change by an expression', 'completed', 95, through('change', { rules }), {
      messages: 20,
      delivered: 20,
    });
    const wrong = [{ t: 'set', p: 'payload', pt: 'msg', to: '$number("x")', tot: 'jsonata' }];
    shape('a change whose expression fails', 'failed', 0, through('change', { rules: wrong }));
    shape(
      'an http answer that is no JSON',
      'completed',
      190,
      through('http request', httpRequest(`http://127.0.0.1:${port}/`, { ret: 'obj' })),
      { delivered: 1 },
    );
    shape(
      'a filter by deadband',
      'completed',
      95,
      through('rbe', {
        func: 'deadband',
        gap: '1',
        start: '',
        inout: 'out',
        septopics: true,
        property: 'payload',
        topi: 'topic',
      }),
      { payload: 5, delivered: 1 },
    );
    shape(
      'a subflow with two outputs in a subflow',
      'completed',
      490,
      (b) => {
        const [inner, outer, f, i] = ['inner', 'outer', 'f', 'i'].map(b.id);
        if (inner === undefined || outer === undefined || f === undefined || i === undefined)
          return;
        const two = [{ wires: [{ id: f, port: 0 }] }, { wires: [{ id: f, port: 1 }] }];
        b.addRaw({ id: inner, type: 'subflow', in: [{ wires: [{ id: f }] }], out: two });
        const func = functionNode(`${pause} return [msg, {payload: 2}];`, 2);
        b.addRaw({ id: f, z: inner, type: 'function', x: 0, y: 0, ...func, wires: [[], []] });
        const outs = [{ wires: [{ id: i, port: 0 }] }, { wires: [{ id: i, port: 1 }] }];
        b.addRaw({ id: outer, type: 'subflow', in: [{ wires: [{ id: i }] }], out: outs });
        b.addRaw({ id: i, z: outer, type: `subflow:${inner}`, x: 0, y: 0, wires: [[], []] });
        b.add('in', 'test source', {}, ['s']);
        b.add('s', `subflow:${outer}`, {}, ['o'], ['p']);
        out(b, 'o', 100);
        out(b, 'p', 300);
      },
      { delivered: 2 },
    );
    shape(
      'a link call by name',
      'completed',
      290,
      (b) => {
        const name = b.id('called');
        b.add('in', 'test source', {}, ['f']);
        b.add('f', 'function', functionNode(`msg.target = "${name}"; return msg;`), ['lc']);
        b.add('lc', 'link call', { links: [], linkType: 'dynamic', timeout: '30' }, ['o']);
        b.add('li', 'link in', { links: [], name }, ['g']);
        b.add('g', 'function', functionNode(`${pause} return msg;`), ['lo']);
        b.add('lo', 'link out', { mode: 'return', links: [] });
        out(b, 'o', 100);
      },
      { messages: 5, delivered: 5 },
    );
    shape(
      'one link to two places',
      'completed',
      290,
      (b) => {
        b.add('in', 'test source', {}, ['lo']);
        b.add('lo', 'link out', { mode: 'link', links: [b.id('li'), b.id('mi')] });
        b.add('li', 'link in', { links: [b.id('lo')] }, ['o']);
        b.add('mi', 'link in', { links: [b.id('lo')] }, ['p']);
        out(b, 'o', 100);
        out(b, 'p', 300);
      },
      { delivered: 2 },
    );
    shape(
      'a link to a disabled tab',
      'completed',
      95,
      (b) => {
        const off = b.id('off');
        b.add('in', 'test source', {}, ['lo', 'o']);
        b.add('lo', 'link out', { mode: 'link', links: [b.id('li')] });
        b.addRaw({ id: off, type: 'tab', label: 'off', disabled: true });
        b.addRaw({ id: b.id('li'), z: off, type: 'link in', links: [b.id('lo')], wires: [[]] });
        out(b, 'o', 100);
      },
      { delivered: 1 },
    );
    shape(
      'a wire to a node that is not there',
      'completed',
      95,
      (b) => {
        b.add('in', 'test source', {}, ['nowhere', 'o']);
        out(b, 'o', 100);
      },
      { delivered: 1 },
    );
    shape(
      'three times around a loop',
      'completed',
      690,
      (b) => {
        const func =
          'msg.turn = (msg.turn ?? 0) + 1; return msg.turn > 2 ? [msg, null] : [null, msg];';
        b.add('in', 'test source', {}, ['f']);
        b.add('f', 'function', functionNode(func, 2), ['o'], ['d']);
        b.add('d', 'delay', delay('delay'), ['f']);
        out(b, 'o', 100);
      },
      { delivered: 1 },
    );
    shape(
      'an inject node beside',
      'completed',
      290,
      (b) => {
        const props = [{ p: 'beside', v: 'true', vt: 'bool' }];
        const inject = { props, repeat: '0.05', crontab: '', once: true, onceDelay: 0.01 };
        b.add('i', 'inject', inject, ['f']);
        b.add('in', 'test source', {}, ['f']);
        b.add('f', 'function', functionNode(`${pause} return msg;`), ['o']);
        out(b, 'o', 100);
      },
      { delivered: 1 },
    );
    shape(
      'an inject node on the way',
      'completed',
      95,
      (b) => {
        const props = [{ p: 'payload', v: 'x', vt: 'str' }];
        b.add('in', 'test source', {}, ['i']);
        b.add('i', 'inject', { props, repeat: '', crontab: '', once: false }, ['o']);
        out(b, 'o', 100);
      },
      { delivered: 1 },
    );
  };
