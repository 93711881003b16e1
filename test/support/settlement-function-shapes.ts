import {
  addOutput as out,
  functionNode,
  pause,
  scripted,
  switchNode,
  through,
  type AddShape,
} from './settlement-builder.ts';

/** What people write into function nodes, and what comes of a switch. */
export function addFunctionShapes(shape: AddShape): void {
  shape(
    'a function with two outputs',
    'completed',
    290,
    (b) => {
      b.add('in', 'test source', {}, ['f']);
      b.add('f', 'function', functionNode('return [msg, {payload: 2}];', 2), ['o'], ['p']);
      out(b, 'o', 100);
      out(b, 'p', 300);
    },
    { delivered: 2 },
  );
  shape(
    'a function returns several messages for one output',
    'completed',
    95,
    scripted('return [[msg, {payload: 2}, null, {payload: 3}]];'),
    { delivered: 3 },
  );
  shape(
    'a function sends the same message twice',
    'completed',
    95,
    scripted('node.send(msg); node.send(msg);'),
    { delivered: 2 },
  );
  shape(
    'a function sends the very same object twice',
    'completed',
    95,
    scripted('node.send(msg, false); node.send(msg, false);'),
    { delivered: 2 },
  );
  shape(
    'a function sends for each entry',
    'completed',
    95,
    scripted('msg.payload.forEach((payload) => node.send({ payload }));'),
    { payload: [1, 2, 3], delivered: 3 },
  );
  shape(
    'a function sends between two pauses',
    'completed',
    490,
    scripted(`${pause} node.send({payload: 1}); ${pause} return {payload: 2};`),
    { delivered: 2 },
  );
  shape(
    'a function sends a copy',
    'completed',
    95,
    scripted('return JSON.parse(JSON.stringify(msg));'),
    { delivered: 1 },
  );
  shape(
    'a function sends a clone',
    'completed',
    95,
    scripted('node.send(RED.util.cloneMessage(msg));'),
    { delivered: 1 },
  );
  shape(
    'a function says it is done, then sends',
    'completed',
    190,
    scripted('node.done(); node.send(msg);', 200),
    { delivered: 1 },
  );
  shape(
    'a function says it is done twice',
    'completed',
    290,
    scripted('setTimeout(() => { node.send(msg); node.done(); node.done(); }, 200);'),
    { delivered: 1 },
  );
  shape(
    'a function waits for all of its promises',
    'completed',
    290,
    scripted(
      'await Promise.all([1, 2].map(async (payload) => { await new Promise(r => setTimeout(r, 100 * payload)); node.send({payload}); }));',
    ),
    { delivered: 2 },
  );
  shape(
    'a function sends what an earlier message left',
    'completed',
    0,
    scripted(
      'const earlier = flow.get("earlier"); flow.set("earlier", msg); return earlier ?? null;',
      200,
    ),
    { messages: 2, delivered: 1 },
  );
  shape(
    'a function rejects after a pause',
    'failed',
    190,
    scripted(`${pause} throw new Error("late");`),
  );
  shape('a function throws a text', 'failed', 0, scripted('throw "only text";'));
  shape(
    'a function sends, then throws: what it sent is waited for',
    'failed',
    290,
    scripted('node.send(msg); throw new Error("after");', 300),
    { delivered: 1 },
  );
  shape('a function sends text instead of a message', 'failed', 0, scripted('return "text";'));
  shape(
    'a function calls a link and waits for its return',
    'completed',
    290,
    (b) => {
      const func = `const back = await node.linkcall("${b.id('li')}", msg); return {payload: back.payload};`;
      b.add('in', 'test source', {}, ['c']);
      b.add('c', 'function', functionNode(func), ['o']);
      b.add('li', 'link in', { links: [] }, ['f']);
      b.add('f', 'function', functionNode(`${pause} return msg;`), ['lo']);
      b.add('lo', 'link out', { mode: 'return', links: [] });
      out(b, 'o', 100);
    },
    { delivered: 1 },
  );
  shape('a function calls a link that never returns', 'failed', 190, (b) => {
    const func = `return node.linkcall("${b.id('li')}", msg, { timeout: 200 });`;
    b.add('in', 'test source', {}, ['c']);
    b.add('c', 'function', functionNode(func), ['o']);
    b.add('li', 'link in', { links: [] }, ['f']);
    b.add('f', 'function', functionNode('return null;'));
    out(b, 'o', 0);
  });
  for (const [what, func] of [
    ['by a timer', 'setTimeout(() => { node.send({payload: 3}) }, 200);'],
    ['when a promise is there', 'new Promise(r => setTimeout(r, 100)).then(() => node.send(msg));'],
    [
      'in a function that is not waited for',
      `async function f() { ${pause} node.send(msg); } f();`,
    ],
  ] as const) {
    shape(`a function sends ${what}`, 'completed', 290, scripted(func), {
      refused: 'function-sends-later',
    });
  }

  shape(
    'a switch that lets nothing through',
    'completed',
    0,
    (b) => {
      b.add('in', 'test source', {}, ['w']);
      b.add('w', 'switch', switchNode([{ t: 'eq', v: 'A', vt: 'str' }]), ['o']);
      out(b, 'o', 100);
    },
    { delivered: 0 },
  );
  const switches: readonly [string, object][] = [
    ['a switch', switchNode([{ t: 'eq', v: 'A', vt: 'str' }])],
    [
      'a switch with an expression',
      switchNode([
        { t: 'jsonata_exp', v: '$flowContext("x") = 1 or payload = "A"', vt: 'jsonata' },
      ]),
    ],
    [
      'a switch on an expression',
      switchNode([{ t: 'eq', v: 'A', vt: 'str' }], {
        property: 'payload & ""',
        propertyType: 'jsonata',
      }),
    ],
  ];
  for (const [name, config] of switches) {
    shape(`a burst of twenty to ${name}`, 'completed', 95, through('switch', config), {
      messages: 20,
      payload: 'A',
      delivered: 20,
    });
  }
  const faulty = [{ t: 'jsonata_exp', v: '$number(payload) > 1', vt: 'jsonata' }];
  shape('a switch whose expression fails', 'failed', 0, (b) => {
    b.add('in', 'test source', {}, ['w']);
    b.add('w', 'switch', switchNode(faulty), ['o']);
    out(b, 'o', 0);
  });
  shape(
    'a switch whose error is caught',
    'completed',
    190,
    (b) => {
      b.add('in', 'test source', {}, ['w']);
      b.add('w', 'switch', switchNode(faulty), []);
      b.add('c', 'catch', { scope: null, uncaught: false }, ['o']);
      out(b, 'o', 200);
    },
    { delivered: 1 },
  );
}
