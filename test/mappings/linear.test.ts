import { measureProcessorMs } from '../support/processor.ts';
import { openShippedMapper, toParsed } from './support.ts';

const mapper = openShippedMapper();

const header = 'MSH|^~\\&|APP|LAB|EHR|EHR|20260102093000+0100||ORU^R01|M1|P|2.5.1';
const patient = 'PID|1||1^^^ALPHA^MR||Low^Al';
const order = 'OBR|1|P1|F1|T^Test^L|||20260102';
const result = (type: string, value: string): string => `OBX|1|${type}|A^B^L||${value}||||||F`;

/** Messages with much of one thing; `n` so that each takes some tenths of a second at 4n at most. */
const shapes: readonly (readonly [string, number, (n: number) => readonly string[]])[] = [
  ['repetitions of OBX-5', 5000, (n) => [patient, order, result('ST', 'a~'.repeat(n))]],
  ['components of OBX-5', 20_000, (n) => [patient, order, result('TX', 'a^'.repeat(n))]],
  ['sub-components of OBX-5', 20_000, (n) => [patient, order, result('ED', 'a^b&'.repeat(n))]],
  ['repetitions of PID-5', 10_000, (n) => [`PID|1||1^^^ALPHA^MR||${'a~'.repeat(n)}`]],
  ['empty parts of PID-5', 20_000, (n) => [`PID|1||1^^^ALPHA^MR||${'^&'.repeat(n)}`]],
  ['empty parts of an order number', 20_000, (n) => [patient, `OBR|1|${'^&'.repeat(n)}x|F1|T`]],
  ['notes', 5000, (n) => [patient, order, ...Array<string>(n).fill('NTE|1||x')]],
  ['observations', 1000, (n) => [patient, order, ...Array<string>(n).fill(result('NM', '1'))]],
  ['orders', 500, (n) => [patient, ...Array<string>(n).fill(order)]],
  [
    'names of a patient who is named twice',
    2000,
    (n) => {
      const names = Array.from({ length: n }, (_, index) => `Low${index}^Al`).join('~');
      const again = `PID|1||1^^^ALPHA^MR||${names}`;
      return [again, order, again, order];
    },
  ],
  ['patients without identifier', 500, (n) => Array<string>(n).fill('PID|1||||Low^Al')],
];

/** Milliseconds of processor, the best of six: the collector is at work in some, and in the first the code is not compiled. */
function measure(segments: readonly string[]): number {
  const text = [header, ...segments].join('\r');
  const times = Array.from({ length: 6 }, () => {
    const message = toParsed(text);
    return measureProcessorMs(() => mapper.map(message));
  });
  return Math.min(...times);
}

test.each(shapes)('four times the %s take about four times as long', (_name, n, toSegments) => {
  const small = measure(toSegments(n));
  const large = measure(toSegments(4 * n));
  // Quadratic would be sixteen times; what takes a few milliseconds says nothing.
  expect(large).toBeLessThan(Math.max(10 * small, 60));
});

test('more unused values than a call takes arguments are all named', () => {
  const field = `x${'~^^^^^^^^^a'.repeat(200_000)}`;
  const message = toParsed([header, `PID|1||1^^^ALPHA^MR||${field}`, order].join('\r'));
  expect(mapper.map(message).unconsumed).toHaveLength(200_000);
});

test('a component beyond the 255th is not taken for another', () => {
  const field = `Low^Al${'^'.repeat(254)}^x`;
  const message = toParsed([header, `PID|1||1^^^ALPHA^MR||${field}`, order].join('\r'));
  expect(mapper.map(message).unconsumed).toEqual(['PID-5[1].257']);
});
