import fc from 'fast-check';
import {
  findContinuation,
  joinAddenda,
  joinContinuation,
  joinContinuationBytes,
} from '../../../core/hl7v2/continuation.ts';

/** A message with these segments, MSH-14 `continues` and DSC-1 `pointer` where they are given. */
function part(continues: string, pointer: string, ...segments: readonly string[]): string {
  const header = `MSH|^~\\&|LAB||||2026||ORU^R01|${continues}${pointer}|P|2.5||${continues}`;
  const end = pointer === '' ? [] : [`DSC|${pointer}|F`];
  return [header, ...segments, ...end].map((line) => `${line}\r`).join('');
}

const header = 'MSH|^~\\&|LAB||||2026||ORU^R01|p1|P|2.5||\r';
const first = part('', 'p1', 'PID|1', 'OBX|1||a');
const middle = part('p1', 'p2', 'OBX|2||b');
const last = part('p2', '', 'OBX|3||c');
const whole = `${header}PID|1\rOBX|1||a\rOBX|2||b\rOBX|3||c\r`;

describe('a part of a message', () => {
  it.each([
    ['a first one', first, { continues: '', pointer: 'p1', style: 'F' }],
    ['one between', middle, { continues: 'p1', pointer: 'p2', style: 'F' }],
    ['a last one', last, { continues: 'p2', pointer: '', style: '' }],
    ['a whole message', part('', '', 'PID|1'), undefined],
    ['a whole message with an empty DSC', `${part('', '', 'PID|1')}DSC|\r`, undefined],
    ['no message', 'PID|1\r', undefined],
  ])('is known: %s', (_name, text, expected) => {
    expect(findContinuation(text)).toEqual(expected);
  });
});

describe('parts are joined', () => {
  it.each([
    ['in order', [first, middle, last], whole],
    ['two of them', [first, part('p1', '', 'NTE|1')], `${header}PID|1\rOBX|1||a\rNTE|1\r`],
    ['a whole message alone', [part('', '', 'PID|1')], `${header.replace('p1', '')}PID|1\r`],
    [
      'with a segment that was cut',
      [part('', 'p1', 'OBX|1||a lo', 'ADD|'), part('p1', '', 'ADD|ng text|mg', 'NTE|1')],
      `${header}OBX|1||a long text|mg\rNTE|1\r`,
    ],
    [
      'with a segment that was cut twice',
      [
        part('', 'p1', 'OBX|1||a', 'ADD'),
        part('p1', 'p2', 'ADD|b', 'ADD|'),
        part('p2', '', 'ADD|c|mg'),
      ],
      `${header}OBX|1||abc|mg\r`,
    ],
    [
      'with a segment that was cut at a separator',
      [part('', 'p1', 'OBX|1', 'ADD|'), part('p1', '', 'ADD||a')],
      `${header}OBX|1|a\r`,
    ],
    [
      'with what an answer repeats taken once',
      [
        part('', 'p1', 'MSA|AA|1', 'QRD|1', 'DSP|1||a'),
        part('p1', '', 'MSA|AA|2', 'QRD|1', 'QRF|1', 'DSP|2||b'),
      ],
      `${header}MSA|AA|1\rQRD|1\rDSP|1||a\rQRF|1\rDSP|2||b\r`,
    ],
    [
      'with line ends as they were',
      [first.replaceAll('\r', '\n'), middle.replaceAll('\r', '\r\n'), last.slice(0, -1)],
      `${whole.slice(0, whole.indexOf('OBX|2')).replaceAll('\r', '\n')}OBX|2||b\r\nOBX|3||c`,
    ],
  ])('%s', (_name, texts, expected) => {
    expect(joinContinuation(texts)).toEqual({ ok: true, text: expected, issues: [] });
  });

  it('by their pointers, whatever order they come in, which is said', () => {
    const joined = joinContinuation([last, first, middle]);
    expect(joined).toMatchObject({ ok: true, text: whole });
    expect(joined.issues.map(({ code }) => code)).toEqual(['continuation-out-of-order']);
  });

  it('as bytes where a character was cut in two', () => {
    const cut = Buffer.from(part('', 'p1', 'OBX|1||\u5f35', 'ADD|'));
    const at = cut.indexOf(Buffer.from('\u5f35')) + 1;
    const rest = Buffer.from(part('p1', '', 'ADD|#|mg'));
    const mark = rest.indexOf('#');
    const one = Buffer.concat([cut.subarray(0, at), cut.subarray(at + 2)]);
    const two = Buffer.concat([
      rest.subarray(0, mark),
      cut.subarray(at, at + 2),
      rest.subarray(mark + 1),
    ]);
    const joined = joinContinuationBytes([one, two]);
    expect(joined.ok && Buffer.from(joined.bytes).toString()).toBe(`${header}OBX|1||\u5f35|mg\r`);
  });

  it.each([
    ['none', [], 'continuation-message-invalid'],
    ['what is no message', [first, 'PID|1\r'], 'continuation-message-invalid'],
    ['the first missing', [middle, last], 'continuation-first-missing'],
    ['two first ones', [first, first], 'continuation-first-missing'],
    ['one missing between', [first, last], 'continuation-missing'],
    ['the last missing', [first, middle], 'continuation-missing'],
    ['one twice', [first, middle, middle, last], 'continuation-repeated'],
    [
      'one of another message',
      [first, middle, last, part('x', '', 'OBX|9')],
      'continuation-unrelated',
    ],
    ['a circle', [first, part('p1', 'p1', 'OBX|2')], 'continuation-missing'],
    [
      'other delimiters',
      [first, part('p1', '', 'OBX|2').replace('~', '@')],
      'continuation-delimiters',
    ],
    [
      'the rest of a segment missing',
      [part('', 'p1', 'OBX|1', 'ADD|'), part('p1', '', 'OBX|2')],
      'addendum-missing',
    ],
    [
      'a segment that may not be cut',
      [part('', 'p1', 'PID|1', 'ADD|'), part('p1', '', 'ADD|2')],
      'addendum-unexpected',
    ],
  ])('but not with %s', (_name, texts, code) => {
    const joined = joinContinuation(texts);
    expect(joined.ok).toBe(false);
    expect(joined.issues.map((issue) => issue.code)).toContain(code);
    expect(joinContinuationBytes(texts.map((text) => Buffer.from(text))).ok).toBe(false);
  });

  it('wherever the message was cut', () => {
    const text = 'OBX|1|TX|A^B||a line \\.br\\ of text|mg|1-2||||F';
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 4, max: text.length - 1 })), (places) => {
        const cuts = [0, ...places.sort((a, b) => a - b), text.length];
        const parts = cuts.slice(1).map((end, index) => {
          const piece = text.slice(cuts[index], end);
          const isLast = end === text.length;
          const segments = [index === 0 ? piece : `ADD|${piece}`, ...(isLast ? [] : ['ADD|'])];
          return part(index === 0 ? '' : `p${index}`, isLast ? '' : `p${index + 1}`, ...segments);
        });
        const joined = joinContinuation(parts);
        return joined.ok && joined.text.endsWith(`||\r${text}\r`);
      }),
      { seed: 10 },
    );
  });
});

describe('segments that are continued in their own message', () => {
  it.each([
    [
      'are whole again',
      part('', '', 'OBX|1||a', 'ADD|b|mg', 'NTE|1'),
      part('', '', 'OBX|1||ab|mg', 'NTE|1'),
      [],
    ],
    [
      'over several ADD',
      part('', '', 'OBX|1||a', 'ADD|b', 'ADD|c'),
      part('', '', 'OBX|1||abc'),
      [],
    ],
    [
      'wait for the next message',
      part('', 'p', 'OBX|1||a', 'ADD|'),
      part('', 'p', 'OBX|1||a', 'ADD|'),
      [],
    ],
    [
      'lack their rest',
      part('', '', 'OBX|1||a', 'ADD'),
      part('', '', 'OBX|1||a', 'ADD'),
      ['addendum-missing'],
    ],
    ['may not be', part('', '', 'ADD|b'), part('', '', 'ADD|b'), ['addendum-unexpected']],
    ['are none', part('', '', 'OBX|1', 'ADX|1'), part('', '', 'OBX|1', 'ADX|1'), []],
  ])('%s', (_name, text, expected, codes) => {
    const joined = joinAddenda(text);
    expect(joined.text).toBe(expected);
    expect(joined.issues.map(({ code }) => code)).toEqual(codes);
  });
});
