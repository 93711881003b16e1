import fc from 'fast-check';
import { decodeMessage } from '../../../core/hl7v2/charset.ts';
import { toByteRanges } from '../../../core/hl7v2/byte-range.ts';
import type { Hl7Message } from '../../../core/hl7v2/message.ts';
import { parseMessage } from '../../../core/hl7v2/parse.ts';
import { rewriteMessage } from '../../../core/hl7v2/rewrite.ts';
import { readSamples } from './support.ts';

/** A message that says which set it is in, and in which it is. */
function build(charset: string, encoding: BufferEncoding, name = 'Testperson'): Buffer {
  const header = `MSH|^~\\&|A|B|C|D|20260312||ADT^A01^ADT_A01|1|P|2.5.1||||||${charset}`;
  return Buffer.from(`${header}\rPID|1||4711||${name}^Am\u00e9lie\rZZZ|\u00fc\r`, encoding);
}

describe('rewriting', () => {
  it.each([
    ['8859/1', 'latin1'],
    ['UNICODE UTF-8', 'utf8'],
    ['', 'utf8'],
    ['', 'latin1'],
    // What MSH-18 says is not true: the bytes stay what they were.
    ['ASCII', 'latin1'],
    ['UNICODE UTF-8', 'latin1'],
  ] as const)('keeps every other byte: MSH-18 %j, bytes %s', (charset, encoding) => {
    const bytes = build(charset, encoding);
    const result = rewriteMessage(bytes, (message) => message.set('PID-5.1', 'M\u00fcller'));
    expect(result).toMatchObject({ ok: true });
    const expected = build(charset, encoding, 'M\u00fcller');
    expect(result.ok && Buffer.from(result.bytes).equals(expected)).toBe(true);
  });

  it.each([
    ['ASCII', 'M\u00fcller'],
    ['', 'M\u00fcller'],
    ['8859/1', 'Wa\u0142\u0119sa'],
    ['WINDOWS-1252', 'Wa\u0142\u0119sa'],
  ])('refuses what the set does not have: %j', (charset, value) => {
    const header = `MSH|^~\\&|A|B|C|D|20260312||ADT^A01|1|P|2.5.1||||||${charset}`;
    const bytes = Buffer.from(`${header}\rPID|1||||Testperson\r`);
    const result = rewriteMessage(bytes, (message) => message.set('PID-5.1', value));
    expect(result).toMatchObject({ ok: false, issues: [{ code: 'character-not-in-charset' }] });
  });

  it('writes the whole message in the set that MSH-18 is changed to', () => {
    const result = rewriteMessage(build('8859/1', 'latin1'), (message) =>
      message.set('MSH-18', 'UNICODE UTF-8'),
    );
    const expected = build('UNICODE UTF-8', 'utf8');
    expect(result.ok && Buffer.from(result.bytes).equals(expected)).toBe(true);
  });

  it.each([
    ['ASCII~ISO IR87', 'ASCII~ISO IR87'],
    ['~ISO IR87', '~ISO IR87'],
    ['', 'ASCII~ISO IR87'],
    ['ASCII', 'ASCII~ISO IR87'],
  ])(
    'writes in the alternates of MSH-18, also where none was used: %j, then %j',
    (before, after) => {
      const header = `MSH|^~\\&|A|B|C|D|20260312||ADT^A01|1|P|2.5.1||||||${before}`;
      const bytes = Buffer.from(`${header}\rPID|1||||Testperson\r`);
      const [first = '', second = ''] = after.split('~');
      const edited = rewriteMessage(bytes, (message) =>
        message.set('MSH-18[1]', first).set('MSH-18[2]', second).set('PID-5.1', '\u5c71'),
      );
      const text = edited.ok ? Buffer.from(edited.bytes).toString('latin1') : '';
      expect(text.endsWith('|\x1b$B;3\x1b(B\r')).toBe(true);
    },
  );

  it('leaves the byte order mark behind where the new set is not of Unicode', () => {
    const bytes = Buffer.from(`\ufeff${build('', 'utf8').toString()}`);
    const result = rewriteMessage(bytes, (message) => message.set('MSH-18', '8859/1'));
    const expected = build('8859/1', 'latin1');
    expect(result.ok && Buffer.from(result.bytes).equals(expected)).toBe(true);
  });

  it('gives the reasons of what cannot be read or edited', () => {
    expect(rewriteMessage(Buffer.from('hello'), (message) => message)).toMatchObject({
      ok: false,
      issues: [{ code: 'header-missing' }],
    });
    expect(rewriteMessage(build('', 'utf8'), (message) => message.set('OBX-5', 'x'))).toMatchObject(
      { ok: false, issues: [{ code: 'segment-missing', location: 'OBX' }] },
    );
  });
});

describe('the framing of MLLP that was left in', () => {
  const frame = (last: string) => Buffer.from(`\vMSH|^~\\&|A||||||ADT^A01\r${last}\x1c\r`);
  it.each<[string, (message: Hl7Message) => Hl7Message, string]>([
    ['set at the end', (message) => message.set('PID-4', 'x'), 'PID|1||7|x'],
    ['set in the last field', (message) => message.set('PID-3', 'x'), 'PID|1||x'],
    ['append', (message) => message.append('NTE', 'NTE|1'), 'PID|1||7\rNTE|1'],
    ['remove', (message) => message.remove('PID'), ''],
  ])('is no part of a value where the last segment has no end: %s', (_, edit, last) => {
    const result = rewriteMessage(frame('PID|1||7'), edit);
    expect(result.ok && Buffer.from(result.bytes).equals(frame(last))).toBe(true);
  });
});

describe('byte ranges', () => {
  it('count what ISO 2022 switches between, in force from value to value', () => {
    const header = 'MSH|^~\\&|A|B|C|D|20260312||ADT^A01|1|P|2.5.1||||||8859/1~8859/2';
    const bytes = Buffer.from(`${header}\rPID|1||||\x1b-B\xb1^\xb1^\x1b-A\xe4\r`, 'latin1');
    const { text, charset } = decodeMessage(bytes);
    const parsed = parseMessage(text);
    const places = parsed.ok ? [1, 2, 3].flatMap((at) => parsed.message.places(`PID-5.${at}`)) : [];
    const ranges = toByteRanges(
      text,
      charset,
      places.map(({ range }) => range),
    );
    expect(ranges.map(({ start, end }) => bytes.toString('latin1', start, end))).toEqual([
      '\x1b-B\xb1',
      '\xb1',
      '\x1b-A\xe4',
    ]);
  });

  it.each([
    ['8859/1', 'latin1'],
    ['UNICODE UTF-8', 'utf8'],
    ['UNICODE UTF-16', 'utf16le'],
  ] as const)('is where the value stands among the bytes: %s', (declared, encoding) => {
    const bytes = build(declared, encoding);
    const { text, charset } = decodeMessage(bytes);
    const parsed = parseMessage(text);
    const [place] = parsed.ok ? parsed.message.places('PID-5.2') : [];
    const [{ start, end } = place!.range] = toByteRanges(text, charset, [place!.range]);
    expect(bytes.subarray(start, end).toString(encoding)).toBe('Am\u00e9lie');
  });
});

describe('many repetitions', () => {
  const count = 100_000;
  const text = `MSH|^~\\&|A||||||ADT^A01\rPID|1||${Array(count).fill('1^^^H').join('~')}\r`;

  it('are all edited, and all found among the bytes, in one pass', () => {
    const parsed = parseMessage(text);
    if (!parsed.ok) throw new Error('Expected a message.');
    const { message } = parsed;
    const edited = message.set('PID-3[*].5', 'MR');
    expect(edited.text).toBe(text.replaceAll('1^^^H', '1^^^H^MR'));
    const ranges = message.places('PID-3[*].1').map(({ range }) => range);
    expect(toByteRanges(text, 'ASCII', ranges)).toEqual(ranges);
  }, 10_000);
});

const samples = readSamples();
if (samples.length === 0) {
  console.warn('SKIPPED: published sample messages (../shared/data/hl7v2) are not here.');
}
(samples.length === 0 ? describe.skip : describe)('published sample messages', () => {
  it('differ after an edit in the edited component alone', () => {
    fc.assert(
      fc.property(fc.constantFrom(...samples), fc.nat(), ([, bytes], choice) => {
        const { text, charset } = decodeMessage(bytes);
        const parsed = parseMessage(text);
        if (!parsed.ok) return;
        const { segments, delimiters } = parsed.message;
        if (delimiters.escape === '') return;
        const segment = segments[1 + (choice % Math.max(1, segments.length - 1))];
        const field = 1 + (choice % 9);
        const repetition = segment?.field(field).repetitions[0];
        if (segment === undefined || repetition === undefined) return;
        if (segment.isHeader || !/^[A-Z][A-Z0-9]{2}$/.test(segment.name)) return;
        const path = `${segment.name}[${segment.occurrence}]-${field}[1].1`;
        const { start, end } = repetition.component(1).range;
        const result = rewriteMessage(bytes, (message) => message.set(path, 'x|y'));
        expect(result.ok).toBe(true);
        const [{ start: before, end: after } = { start: 0, end: 0 }] = toByteRanges(text, charset, [
          { start, end },
        ]);
        const escaped = `x${delimiters.escape}F${delimiters.escape}y`;
        const value = delimiters.field === '|' ? escaped : 'x|y';
        const expected = [bytes.subarray(0, before), Buffer.from(value), bytes.subarray(after)];
        expect(result.ok && Buffer.from(result.bytes).equals(Buffer.concat(expected))).toBe(true);
      }),
      { seed: 3, numRuns: 2_000 },
    );
  });
});
