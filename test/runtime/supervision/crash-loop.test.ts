import { isCrashLoop, type QuickEnd } from '../../../runtime/supervision/crash-loop.ts';

const end = (of: Partial<QuickEnd> = {}): QuickEnd => ({
  reason: 'it was killed',
  wasReady: true,
  ...of,
});
const many = (count: number, of: Partial<QuickEnd> = {}): QuickEnd[] =>
  Array.from({ length: count }, () => end(of));

it.each([
  ['one end', many(1), false],
  ['as many as one message needs until it is given up', many(5), false],
  ['more than any message explains', many(8), true],
  ['several at the start', many(4, { wasReady: false }), true],
  ['some at the start and one later', [...many(3, { wasReady: false }), end()], false],
  ['one node again and again, without a message', many(3, { nodeId: 'a' }), true],
  [
    'one node again and again, each with a message',
    many(3, { nodeId: 'a', messageId: 'm' }),
    false,
  ],
  ['different nodes', [...many(2, { nodeId: 'a' }), end({ nodeId: 'b' })], false],
])('%s', (_, ends, wanted) => {
  expect(isCrashLoop(ends)).toBe(wanted);
});

it('is one where each message ends the worker as soon as it is up', () => {
  expect(isCrashLoop(many(1), 9)).toBe(false);
  expect(isCrashLoop(many(1), 10)).toBe(true);
});
