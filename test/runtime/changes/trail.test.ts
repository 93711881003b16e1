import { randomUUID } from 'node:crypto';
import type { EnvelopeHeader } from '../../../core/envelope.ts';
import { unpackChanges, type PayloadChanges } from '../../../core/payload-changes.ts';
import { Trail } from '../../../runtime/changes/trail.ts';
import type { RuntimeNode } from '../../../runtime/node-red.ts';

const node: RuntimeNode = { id: 'n', type: 'function', receive: () => undefined };
const header = { id: randomUUID(), attempt: 3 } as EnvelopeHeader;

/** What is kept of a node that makes `after` of `before`: `make` gets what came in. */
function changesOf<T>(before: T, make: (payload: T) => unknown, maxBytes = 16_384) {
  const trail = new Trail(maxBytes);
  const visit = trail.arrive(node, trail.begin(before));
  trail.leave(visit, make(before), {});
  return read(trail);
}

function read(trail: Trail): PayloadChanges | undefined {
  const [entry] = trail.toEntries(header);
  return entry?.type === 'changes' ? unpackChanges(entry.changes) : undefined;
}

it('keeps nothing where nothing was changed, also where it was made anew', () => {
  expect(changesOf('text', (text) => Buffer.from(text).toString())).toBeUndefined();
  expect(changesOf({ a: [1] }, (payload) => structuredClone(payload))).toBeUndefined();
  expect(changesOf(Buffer.from('a'), (bytes) => Uint8Array.from(bytes))).toBeUndefined();
  expect(changesOf(undefined, (payload) => payload)).toBeUndefined();
});

it.each<[string, unknown, unknown, object]>([
  ['text by text', 'abcd', 'abXd', { sizes: [4, 4], excerpt: { at: 2, before: 'c', after: 'X' } }],
  [
    'text by a number',
    'a',
    12,
    { forms: ['text', 'value'], sizes: [1, 2], excerpt: { at: 0, before: 'a', after: '12' } },
  ],
  [
    'nothing by text',
    null,
    'a',
    { forms: ['value', 'text'], excerpt: { at: 0, before: 'null', after: 'a' } },
  ],
  [
    'bytes by others',
    Buffer.from([1, 0xff, 3]),
    Buffer.from([1, 2, 3]),
    { forms: ['bytes', 'bytes'], excerpt: { at: 1, before: 'ÿ', after: '\u0002' } },
  ],
  [
    'an object by one with more',
    { a: 1 },
    { a: 1, b: 2 },
    { forms: ['object', 'object'], excerpt: { at: 6, before: '', after: ',"b":2' } },
  ],
])('tells %s', (_, before, after, step) => {
  expect(changesOf(before, () => after)).toMatchObject({ attempt: 3, steps: [step] });
});

it('finds the same beginning and end of long texts, wherever the change is', () => {
  const long = 'ab'.repeat(10_000);
  for (const at of [0, 1, 4_095, 4_096, 9_999, 15_903, 15_904, 19_999]) {
    const changed = `${long.slice(0, at)}#${long.slice(at + 1)}`;
    expect(changesOf(long, () => changed)?.steps[0]?.excerpt).toEqual({
      at,
      before: long.charAt(at),
      after: '#',
    });
  }
});

it('says of an object without JSON only that it became another', () => {
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  expect(changesOf(cycle, (payload) => Object.assign(payload, { more: 1 }))).toBeUndefined();
  const [step] = changesOf('text', () => cycle)?.steps ?? [];
  expect(step).toMatchObject({ forms: ['text', 'object'], sizes: [4, 0] });
  expect(step?.excerpt).toBeUndefined();
});

it('does not copy large objects and bytes: they are told apart by identity', () => {
  const large = { text: 'x'.repeat(300_000) };
  expect(changesOf(large, (payload) => Object.assign(payload, { more: 1 }))).toBeUndefined();
  const bytes = Buffer.alloc(300_000);
  expect(changesOf(bytes, (payload) => payload.fill(1))).toBeUndefined();
  const [step] = changesOf(bytes, () => Buffer.alloc(300_000))?.steps ?? [];
  expect(step).toMatchObject({ sizes: [300_000, 300_000] });
  expect(step?.excerpt).toBeUndefined();
});

it('makes one step of what a node sends again and again', () => {
  const trail = new Trail(16_384);
  const visit = trail.arrive(node, trail.begin('a'));
  const passed = ['b', 'a', 'b', 'c', 'b'].map((payload) => trail.leave(visit, payload, {}).step);
  expect(passed).toEqual([1, 0, 1, 2, 1]);
  expect(read(trail)?.steps).toHaveLength(2);
});

it.each([
  ['segments', (text: string) => text.replaceAll('|x', `|${'ä'.repeat(40)}`)],
  ['text', () => '€'.repeat(3_000)],
])('keeps no more than its bytes of %s, and counts what it leaves out', (_, make) => {
  const before = `MSH|^~\\&|A|B|C|D|20260101\r${'OBX|1|x\rNTE|1|x\r'.repeat(100)}`;
  const whole = changesOf(before, make, 1024 * 1024)?.steps[0];
  const changes = changesOf(before, make, 2_000);
  expect(Buffer.byteLength(JSON.stringify(changes?.steps))).toBeLessThan(3_000);
  const bytesOf = (step: typeof whole): number =>
    [
      ...(step?.segments ?? []).flatMap(([, , , one, other]) => [one, other]),
      ...[step?.excerpt?.before, step?.excerpt?.after],
    ].reduce((sum, text) => sum + Buffer.byteLength(text ?? ''), step?.cut ?? 0);
  const [step] = changes?.steps ?? [];
  expect(step?.cut).toBeGreaterThan(0);
  expect(bytesOf(step)).toBe(bytesOf(whole));
});

it('counts the steps that it has no room for', () => {
  const trail = new Trail(1_024);
  let passed = trail.begin('0');
  for (let step = 1; step <= 20; step += 1) {
    passed = trail.leave(trail.arrive(node, passed), String(step).repeat(50), {});
  }
  const changes = read(trail);
  expect(changes?.steps.length).toBeGreaterThan(1);
  expect((changes?.steps.length ?? 0) + (changes?.cut ?? 0)).toBe(20);
});

it('keeps every character: quotation marks, DEL, escapes, and halves of pairs', () => {
  const hostile = '"\u007f\\u007f\\"\\\u0000\r\n€\u{1f600}\ud83d';
  expect(changesOf('', () => hostile)?.steps[0]?.excerpt?.after).toBe(hostile);
});
