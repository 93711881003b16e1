import fc from 'fast-check';
import { FrameReader, toFrame, type FrameContent } from '../../../connectors/sqlite/frames.ts';
import { Heap } from '../../../connectors/sqlite/heap.ts';
import { compareInstants } from '../../../core/ledger/instants.ts';
import { matchesTopic } from '../../../connectors/sqlite/topics.ts';

it('reads the frames of a stream, however it was cut', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          text: fc.string({ unit: 'grapheme' }),
          attachments: fc.array(fc.uint8Array({ maxLength: 300 })),
        }),
      ),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
      (values, sizes) => {
        const stream = Buffer.concat(values.map((value) => toFrame(value)));
        const reader = new FrameReader();
        const read: FrameContent[] = [];
        for (let at = 0, cut = 0; at < stream.length; cut += 1) {
          const size = sizes[cut % sizes.length]!;
          read.push(...reader.read(stream.subarray(at, at + size)));
          at += size;
        }
        const plain = ({ text, attachments }: FrameContent) => [
          text,
          attachments.map((each) => [...each]),
        ];
        expect(read.map(plain)).toEqual(values.map(plain));
      },
    ),
  );
});

it('refuses a frame that is longer than any of ours before it is there', () => {
  const head = Buffer.alloc(4, 0xff);
  expect(() => [...new FrameReader().read(head)]).toThrow('A frame of at most');
});

it('gives the items of a heap by rank', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), (ranks) => {
      const heap = new Heap<number>((rank) => rank);
      for (const rank of ranks) heap.push(rank);
      const popped: (number | undefined)[] = [];
      while (heap.peek() !== undefined) popped.push(heap.pop());
      expect(popped).toEqual([...ranks].sort((left, right) => left - right));
    }),
  );
});

it('matches topics as a regular expression made of the pattern does', () => {
  const word = fc.constantFrom('a', 'b', 'c');
  const words = (each: fc.Arbitrary<string>): fc.Arbitrary<string> =>
    fc.array(each, { minLength: 1, maxLength: 6 }).map((list) => list.join('.'));
  fc.assert(
    fc.property(words(fc.oneof(word, fc.constantFrom('*', '#'))), words(word), (pattern, topic) => {
      const parts = pattern
        .split('.')
        .map((part) => (part === '#' ? '(\\.[^.]+)*' : part === '*' ? '\\.[^.]+' : `\\.${part}`));
      const expected = new RegExp(`^${parts.join('')}$`).test(`.${topic}`);
      expect(matchesTopic(pattern, topic)).toBe(expected);
    }),
    { numRuns: 1000 },
  );
});

it('orders instants whatever their precision', () => {
  expect(compareInstants('2026-01-01T00:00:00Z', '2026-01-01T00:00:00.001Z')).toBeLessThan(0);
  expect(compareInstants('2026-01-01T00:00:01Z', '2026-01-01T00:00:00.999Z')).toBeGreaterThan(0);
  expect(compareInstants('2026-01-01T00:00:00Z', '2026-01-01T00:00:00.000Z')).toBe(0);
  expect(compareInstants('', '2026-01-01T00:00:00.000Z')).toBeLessThan(0);
});
