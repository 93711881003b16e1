import {
  addOutput as out,
  batch,
  functionNode,
  join,
  pause,
  split,
  switchNode,
  through,
  type AddShape,
  type Wire,
} from './settlement-builder.ts';

/** source ▸ split ▸ the node ▸ a slow output */
const splitThrough =
  (type: string, config: object, outputMs = 100): Wire =>
  (b) => {
    b.add('in', 'test source', {}, ['s']);
    b.add('s', 'split', split, ['n']);
    b.add('n', type, config, ['o']);
    out(b, 'o', outputMs);
  };
/** Every message one part of the same sequence. */
const partOf = (count: number) => (index: number) => ({ parts: { id: 'all', index, count } });
const sum = { reduceExp: '$A + payload', reduceInit: '0', reduceInitType: 'num', reduceFixup: '' };
const faulty = { ...sum, reduceExp: '$number("x") + payload' };
const sort = (more: object) => ({
  order: 'ascending',
  as_num: false,
  target: 'payload',
  targetType: 'msg',
  msgKey: 'payload',
  msgKeyType: 'elem',
  seqKey: 'payload',
  seqKeyType: 'msg',
  ...more,
});

/** Messages taken apart, put together, sorted and counted. */
export function addSequenceShapes(shape: AddShape): void {
  shape('split by lines', 'completed', 95, through('split', split), {
    payload: 'a\nb\nc',
    delivered: 3,
  });
  shape('split of an object', 'completed', 95, through('split', split), {
    payload: { a: 1, b: 2 },
    delivered: 2,
  });
  shape('split of bytes', 'completed', 95, through('split', split), {
    payload: Buffer.from('a\nb'),
    delivered: 2,
  });
  shape('split of an empty list', 'completed', 0, through('split', split), {
    payload: [],
    delivered: 0,
  });
  shape(
    'split of what is not there is retried',
    'timed-out',
    0,
    through('split', { ...split, property: 'nothing' }),
  );
  shape('split of a stream', 'completed', 95, through('split', { ...split, stream: true }), {
    payload: 'a\nb\nc',
    refused: 'split-streams',
  });
  shape(
    'a switch on the last part of a message',
    'completed',
    95,
    splitThrough('switch', switchNode([{ t: 'tail', v: '1', vt: 'num' }])),
    { payload: [1, 2, 3], delivered: 1 },
  );
  shape(
    'a switch on the last of three messages holds them all',
    'completed',
    95,
    through('switch', switchNode([{ t: 'tail', v: '3', vt: 'num' }])),
    { messages: 3, more: partOf(3), delivered: 3 },
  );
  shape(
    'a switch that waits for a part that never comes is retried',
    'timed-out',
    0,
    through('switch', switchNode([{ t: 'tail', v: '1', vt: 'num' }])),
    { messages: 2, more: partOf(3) },
  );
  shape(
    'a switch makes a sequence anew, and it is joined',
    'completed',
    190,
    (b) => {
      const rules = switchNode([{ t: 'neq', v: '2', vt: 'num' }], { repair: true });
      b.add('in', 'test source', {}, ['s']);
      b.add('s', 'split', split, ['w']);
      b.add('w', 'switch', rules, ['j']);
      b.add('j', 'join', join('auto'), ['o']);
      out(b, 'o', 200);
    },
    { payload: [1, 2, 3], delivered: 1 },
  );
  shape(
    'split, split again, join, join again',
    'completed',
    190,
    (b) => {
      b.add('in', 'test source', {}, ['s']);
      b.add('s', 'split', split, ['s2']);
      b.add('s2', 'split', split, ['j2']);
      b.add('j2', 'join', join('auto'), ['j']);
      b.add('j', 'join', join('auto'), ['o']);
      out(b, 'o', 200);
    },
    {
      payload: [
        [1, 2],
        [3, 4],
      ],
      delivered: 1,
    },
  );
  shape(
    'what was joined fails',
    'failed',
    190,
    (b) => {
      b.add('in', 'test source', {}, ['j']);
      b.add('j', 'join', join('custom', '3'), ['o']);
      out(b, 'o', 200, { fail: true });
    },
    { messages: 3 },
  );
  shape(
    'what was joined is rejected: each of its messages is',
    'rejected',
    190,
    (b) => {
      b.add('in', 'test source', {}, ['j']);
      b.add('j', 'join', join('custom', '3'), ['r']);
      b.add('r', 'test rejects', {}, ['o']);
      out(b, 'o', 200);
    },
    { messages: 3 },
  );
  shape(
    'a join that gives up waiting for the third',
    'completed',
    690,
    through('join', join('custom', '3', { timeout: '0.5' }), 200),
    { messages: 2, delivered: 1 },
  );
  shape(
    'a join that waits for a third message is retried',
    'timed-out',
    0,
    through('join', join('custom', '3')),
    { messages: 2 },
  );
  shape(
    'a join into an object, ended by a message',
    'completed',
    190,
    through('join', join('custom', '', { build: 'object' }), 200),
    {
      messages: 3,
      more: (index) => ({ topic: `t${index}`, ...(index === 2 ? { complete: true } : {}) }),
      delivered: 1,
    },
  );
  shape(
    'a join that goes on adding',
    'completed',
    190,
    through('join', join('custom', '2', { build: 'object', accumulate: true }), 200),
    { messages: 3, more: (index) => ({ topic: `t${index}` }), delivered: 2 },
  );
  shape(
    'three messages reduced to one',
    'completed',
    190,
    through('join', join('reduce', '', sum), 200),
    { messages: 3, payload: 1, more: partOf(3), delivered: 1 },
  );
  shape(
    'a reduction that fails: all of its messages do',
    'failed',
    0,
    through('join', join('reduce', '', faulty)),
    { messages: 3, payload: 1, more: partOf(3) },
  );
  shape(
    'a reduction of one message that was split',
    'completed',
    190,
    splitThrough('join', join('reduce', '', sum), 200),
    { payload: [1, 2, 3], delivered: 1 },
  );
  shape(
    'a batch every half second',
    'completed',
    95,
    through('batch', batch('interval', { interval: 0.5 })),
    { messages: 3, delivered: 3 },
  );
  shape('a batch that never fills is retried', 'timed-out', 0, through('batch', batch('count')), {
    messages: 2,
  });
  shape(
    'batches of two topics, one after the other',
    'completed',
    95,
    through('batch', batch('concat', { topics: [{ topic: 'a' }, { topic: 'b' }] })),
    {
      messages: 2,
      more: (index) => ({
        topic: index === 0 ? 'a' : 'b',
        parts: { id: `p${index}`, index: 0, count: 1 },
      }),
      delivered: 2,
    },
  );
  shape('sorting a list', 'completed', 95, through('sort', sort({})), {
    payload: [3, 1, 2],
    delivered: 1,
  });
  shape(
    'sorting the parts of a message',
    'completed',
    95,
    splitThrough('sort', sort({ target: '', targetType: 'seq' })),
    { payload: [3, 1, 2], delivered: 3 },
  );
  shape(
    'sorting three messages',
    'completed',
    95,
    through('sort', sort({ target: '', targetType: 'seq' })),
    { messages: 3, more: partOf(3), delivered: 3 },
  );
  shape(
    'sorting three messages by what fails: all of them do',
    'failed',
    0,
    through(
      'sort',
      sort({ target: '', targetType: 'seq', seqKey: '$number("x")', seqKeyType: 'jsonata' }),
    ),
    { messages: 3, more: partOf(3) },
  );
  shape(
    'parts that one node works on at different paces',
    'completed',
    390,
    (b) => {
      const func = `await new Promise(r => setTimeout(r, 100 * msg.payload)); return msg;`;
      b.add('in', 'test source', {}, ['s']);
      b.add('s', 'split', split, ['f']);
      b.add('f', 'function', functionNode(func), ['o']);
      out(b, 'o', 100);
    },
    { payload: [1, 3, 2], delivered: 3 },
  );
  shape(
    'a part that fails after the others were joined',
    'failed',
    290,
    (b) => {
      b.add('in', 'test source', {}, ['s']);
      b.add('s', 'split', split, ['j', 'f']);
      b.add('j', 'join', join('auto'), ['o']);
      b.add('f', 'function', functionNode(`${pause} throw new Error("part");`));
      out(b, 'o', 300);
    },
    { payload: [1, 2], delivered: 1 },
  );
}
