import {
  addOutput as out,
  batch,
  delay,
  functionNode,
  join,
  scripted,
  split,
  type AddShape,
} from './settlement-builder.ts';

/** Functions, pauses, and messages taken apart and put together. */
export function addBasicShapes(shape: AddShape): void {
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
      b.add('j', 'batch', batch('count'), ['o']);
      out(b, 'o', 200);
    },
    { messages: 3 },
  );
}
