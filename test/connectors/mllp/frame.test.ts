import fc from 'fast-check';
import { buildFrame, createFrameDecoder } from '../../../connectors/mllp/frame.ts';
import type { FrameEvent } from '../../../connectors/mllp/frame.ts';
import { measureProcessorMs } from '../../support/processor.ts';

const limits = { maxFrameBytes: 1000, maxGarbageBytes: 100 };

function decode(chunks: readonly Buffer[], given = limits): FrameEvent[] {
  const decoder = createFrameDecoder(given);
  const events: FrameEvent[] = [];
  for (const chunk of chunks) {
    decoder.write(chunk);
    for (let event = decoder.next(); event !== undefined; event = decoder.next())
      events.push(event);
  }
  const last = decoder.end();
  return last === undefined ? events : [...events, last];
}

/** Short words for events: `"M1"`, `garbage 3`. */
function describeEvents(events: readonly FrameEvent[]): string[] {
  return events.map((event) =>
    event.kind === 'message'
      ? JSON.stringify(Buffer.from(event.bytes).toString('latin1'))
      : `${event.code} ${event.bytes}`,
  );
}

/** The bytes cut into pieces whose lengths are taken from `lengths` in turn. */
function cut(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  let at = 0;
  for (let turn = 0; at < bytes.length; turn += 1) {
    const length = lengths[turn % lengths.length] ?? 1;
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return pieces;
}

const VT = '\x0b';
const FS = '\x1c';
const CR = '\r';

describe('MLLP frame decoder', () => {
  it.each<[string, string, string[]]>([
    ['one frame', `${VT}M1${FS}${CR}`, ['"M1"']],
    ['two frames in a row', `${VT}M1${FS}${CR}${VT}M2${FS}${CR}`, ['"M1"', '"M2"']],
    ['no CR at the end', `${VT}M1${FS}${VT}M2${FS}`, ['"M1"', '"M2"']],
    ['CR LF behind the end', `${VT}M1${FS}${CR}\n${VT}M2${FS}${CR}`, ['"M1"', '"M2"']],
    ['garbage in front', `junk${VT}M1${FS}${CR}`, ['garbage 4', '"M1"']],
    ['garbage between', `${VT}M1${FS}${CR}ab\rc${VT}M2${FS}${CR}`, ['"M1"', 'garbage 4', '"M2"']],
    ['garbage at the end', `${VT}M1${FS}${CR}abc`, ['"M1"', 'garbage 3']],
    ['a frame that never ended', `${VT}M1${CR}${VT}M2${FS}${CR}`, ['frame-not-ended 3', '"M2"']],
    ['half a frame at the end', `${VT}M1${FS}${CR}${VT}M`, ['"M1"', 'frame-not-ended 1']],
    ['an empty frame', `${VT}${FS}${CR}${VT}M1${FS}${CR}`, ['empty-frame 0', '"M1"']],
    ['end blocks alone', `${FS}${CR}${VT}M1${FS}${CR}`, ['garbage 2', '"M1"']],
    ['nothing', '', []],
    ['line ends alone', '\r\n\r\n', []],
    ['a frame of the largest size', `${VT}${'x'.repeat(1000)}${FS}`, [`"${'x'.repeat(1000)}"`]],
    ['a frame too large', `${VT}${'x'.repeat(1001)}${FS}${VT}M2${FS}`, ['frame-too-large 1001']],
    ['too much garbage', `${'x'.repeat(200)}${VT}M1${FS}`, ['no-frame 101']],
  ])('reads %s, in one piece and byte by byte', (_name, text, expected) => {
    const bytes = Buffer.from(text, 'latin1');
    expect(describeEvents(decode([bytes]))).toEqual(expected);
    expect(describeEvents(decode(cut(bytes, [1])))).toEqual(expected);
  });

  const content = fc
    .uint8Array({ minLength: 1, maxLength: 300 })
    .map((bytes) => bytes.map((byte) => (byte === 0x0b || byte === 0x1c ? 0x20 : byte)));
  const lengths = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 8 });

  it('gives the same messages however a sequence of frames is cut', () => {
    fc.assert(
      fc.property(fc.array(content, { maxLength: 12 }), lengths, (messages, sizes) => {
        const bytes = Buffer.concat(messages.map(buildFrame));
        const found = decode(cut(bytes, sizes)).map((event) =>
          event.kind === 'message' ? [...event.bytes] : event,
        );
        expect(found).toEqual(messages.map((message) => [...message]));
      }),
      { seed: 11 },
    );
  });

  it('gives the same events however any bytes are cut', () => {
    const any = fc
      .array(fc.constantFrom(0x0b, 0x1c, 0x0d, 0x0a, ...Buffer.from('abcdefghijkl')), {
        maxLength: 200,
        size: 'max',
      })
      .map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(any, lengths, (bytes, sizes) => {
        const small = { maxFrameBytes: 15, maxGarbageBytes: 10 };
        expect(describeEvents(decode(cut(bytes, sizes), small))).toEqual(
          describeEvents(decode([bytes], small)),
        );
      }),
      { seed: 12, numRuns: 5000 },
    );
  });

  it('takes time in proportion to the size, in large chunks and in small ones', () => {
    const given = { maxFrameBytes: 64_000_000, maxGarbageBytes: 100 };
    const time = (chunks: readonly Buffer[]) =>
      measureProcessorMs(() => expect(decode(chunks, given)).toHaveLength(1));
    const frame = buildFrame(Buffer.alloc(20_000_000, 'x'));
    time(cut(frame.subarray(0, 1_000_000), [65_536]));
    // Quadratic cost would be minutes here; the bounds leave room for a busy machine.
    expect(time(cut(frame, [65_536]))).toBeLessThan(2_000);
    expect(time(cut(frame, [100]))).toBeLessThan(4_000);
  });

  it('takes no longer for a chunk of nothing but start bytes', () => {
    const chunk = Buffer.alloc(1_000_000, 0x0b);
    const milliseconds = measureProcessorMs(() => expect(decode([chunk])).toHaveLength(1_000_000));
    expect(milliseconds).toBeLessThan(5_000);
  });
});
