import fc from 'fast-check';
import { HilumError } from '../../../core/errors.ts';
import { decodeMessage, encodeMessage } from '../../../core/hl7v2/charset.ts';
import { splitBytes } from '../../../core/hl7v2/split.ts';
import { parse } from './support.ts';

function toText(set: string, value: string): string {
  return `MSH|^~\\&|A|B|C|D|2026||ADT^A01|1|P|2.5||||||${set}\rPID|1||||${value}\r`;
}

describe('a message is read by its MSH-18', () => {
  it.each([
    ['ASCII', 'Mueller', 'latin1', 'ASCII'],
    ['8859/1', 'Müller', 'latin1', '8859/1'],
    ['8859/1~UNICODE UTF-8', 'Müller', 'latin1', '8859/1'],
    ['UNICODE UTF-8', 'Müller 張', 'utf8', 'UNICODE UTF-8'],
    ['UTF-8', 'Müller 張', 'utf8', 'UNICODE UTF-8'],
    ['UNICODE UTF-16', 'Müller 張', 'utf16le', 'UTF-16LE'],
    ['', 'Mueller', 'latin1', 'UNICODE UTF-8'],
  ] as const)('%s: %s', (set, value, encoding, charset) => {
    const bytes = Buffer.from(toText(set, value), encoding);
    const decoded = decodeMessage(bytes);
    expect(decoded).toEqual({ text: toText(set, value), charset, issues: [] });
    expect(Buffer.from(encodeMessage(decoded.text, charset)).equals(bytes)).toBe(true);
  });

  it.each([
    ['8859/2', [0xb3, 0xf3, 0x64, 0xbc], 'łódź'],
    ['8859/5', [0xb8, 0xd2, 0xd0, 0xdd], 'Иван'],
    ['8859/7', [0xcd, 0xdf, 0xea, 0xef, 0xf2], 'Νίκος'],
    ['8859/15', [0xa4], '€'],
    ['WINDOWS-1252', [0x80, 0x93], '€“'],
    ['GB 18030-2000', [0xd5, 0xc5], '张'],
    ['BIG-5', [0xb1, 0x69], '張'],
    ['KS X 1001', [0xb1, 0xe8], '김'],
  ])('%s', (set, value, expected) => {
    const bytes = Buffer.concat([
      Buffer.from(toText(set, '').slice(0, -1)),
      Buffer.from(value),
      Buffer.from('\r'),
    ]);
    const { text, charset, issues } = decodeMessage(bytes);
    expect(parse(text).get('PID-5')).toBe(expected);
    expect(issues).toEqual([]);
    expect(Buffer.from(encodeMessage(text, charset)).equals(bytes)).toBe(true);
  });

  it.each([
    ['UTF-16LE with its mark', 'utf16le', '\ufeff'],
    ['UTF-16LE without', 'utf16le', ''],
  ] as const)('%s', (_name, encoding, mark) => {
    const text = mark + toText('UNICODE UTF-16', 'Müller 張');
    const bytes = Buffer.from(text, encoding);
    const swapped = Buffer.from(bytes).swap16();
    expect(decodeMessage(bytes)).toEqual({ text, charset: 'UTF-16LE', issues: [] });
    expect(decodeMessage(swapped)).toEqual({ text, charset: 'UTF-16BE', issues: [] });
    expect(Buffer.from(encodeMessage(text, 'UTF-16BE')).equals(swapped)).toBe(true);
    expect(parse(swapped).get('PID-5')).toBe('Müller 張');
  });

  it('keeps the byte order mark of UTF-8, which is stronger than MSH-18', () => {
    const text = `\ufeff${toText('8859/1', 'Müller')}`;
    expect(decodeMessage(Buffer.from(text))).toEqual({
      text,
      charset: 'UNICODE UTF-8',
      issues: [],
    });
  });

  it('reads it with delimiters of any kind', () => {
    const text = 'MSH#*@!%#A#B#C#D#2026##ADT*A01#1#P#2.5######8859/5@ASCII\rPID#1\r';
    expect(decodeMessage(Buffer.from(text)).charset).toBe('8859/5');
  });

  it('can be overruled for a sender that says something else than it sends', () => {
    const bytes = Buffer.from(toText('ASCII', 'Müller'), 'latin1');
    expect(decodeMessage(bytes, '8859/1')).toEqual({
      text: toText('ASCII', 'Müller'),
      charset: '8859/1',
      issues: [],
    });
  });
});

describe('bytes that are not what MSH-18 says', () => {
  it.each([
    ['ASCII', 'Müller', 'latin1', '8859/1', 'charset-mismatch'],
    ['ASCII', 'Müller', 'utf8', 'UNICODE UTF-8', 'charset-mismatch'],
    ['UNICODE UTF-8', 'Müller', 'latin1', '8859/1', 'charset-mismatch'],
    ['UNICODE UTF-16', 'Muller', 'latin1', 'UNICODE UTF-8', 'charset-mismatch'],
    ['UNICODE UTF-16', 'Mullers', 'latin1', 'UNICODE UTF-8', 'charset-mismatch'],
    ['GB 18030-2000', '\xff\xff', 'latin1', '8859/1', 'charset-mismatch'],
    ['ISO IR87', 'Müller', 'latin1', '8859/1', 'charset-mismatch'],
    ['ISO IR87', '張', 'utf8', 'UNICODE UTF-8', 'charset-mismatch'],
    ['ISO IR87', '\x1b$B;3ED', 'latin1', 'UNICODE UTF-8', 'charset-mismatch'],
    ['CNS 11643-1992', 'Müller', 'latin1', '8859/1', 'charset-unsupported'],
    ['no such set', 'Müller', 'latin1', '8859/1', 'charset-unknown'],
  ] as const)('are reported and survive: %s, %s in %s', (set, value, encoding, charset, code) => {
    const bytes = Buffer.from(toText(set, value), encoding);
    const decoded = decodeMessage(bytes);
    expect(decoded.charset).toBe(charset);
    expect(decoded.issues).toEqual([
      expect.objectContaining({ code, severity: 'warning', location: 'MSH-18' }),
    ]);
    expect(Buffer.from(encodeMessage(decoded.text, charset)).equals(bytes)).toBe(true);
  });
});

/** The bytes of a message with this value, given as Latin-1, in PID-5. */
function toBytes(set: string, value: string): Buffer {
  return Buffer.from(toText(set, value), 'latin1');
}

const names = '\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B~\x1b$B%d%^%@\x1b(B';
const read = '山田^太郎~ヤマダ';

describe('Japanese, by the escape sequences of ISO 2022', () => {
  it.each([
    ['ASCII~ISO IR87', names, read, 'ASCII~ISO IR87'],
    ['~ISO IR87', names, read, 'ASCII~ISO IR87'],
    ['ISO IR87', names, read, 'ASCII~ISO IR87'],
    ['ISO IR87', 'Yamada', 'Yamada', 'ASCII~ISO IR87'],
    ['ISO IR14~ISO IR87', names.replaceAll('(B', '(J'), read, 'ISO IR14~ISO IR87~ISO IR13'],
    ['ASCII~ISO IR87', names.replaceAll('(B', '(J'), read, 'ISO IR14~ISO IR87'],
    ['~ISO IR87', names.replaceAll('$B', '$@'), read, 'ASCII~ISO IR42~ISO IR87'],
    ['~ISO IR87~ISO IR159', '\x1b$(D0!\x1b(B', '丂', 'ASCII~ISO IR159~ISO IR87'],
    ['ISO IR87', '\x1b(I\x54\x4f\x1b(B', 'ﾔﾏ', 'ASCII~ISO IR13 in G0~ISO IR87'],
    ['ISO IR14', '\xd4\xcf\xc0\xde', 'ﾔﾏﾀﾞ', 'ISO IR14~ISO IR13~ISO IR87'],
    ['SHIFT_JIS', '\x8e\x52\x93\x63\\', '山田\\', 'SHIFT_JIS'],
    ['EUC-JP', '\xbb\xb3\xc5\xc4', '山田', 'EUC-JP'],
  ])('%s: %j', (set, value, expected, charset) => {
    const bytes = toBytes(set, value);
    const decoded = decodeMessage(bytes);
    expect(decoded).toEqual({ text: toText(set, expected), charset, issues: [] });
    expect(Buffer.from(encodeMessage(decoded.text, charset)).equals(bytes)).toBe(true);
  });

  it.each([
    ['8859/1~8859/5', 'M\xfcller^\x1b-L\xb8\xd2\xd0\xdd', 'Müller^Иван', '8859/1~8859/5'],
    ['ASCII~KS X 1001', '\x1b$)C\xb1\xe8^\xb1\xe8', '김^김', 'ASCII~KS X 1001'],
    ['ASCII~GB 2312', '\x1b$)A\xd5\xc5', '张', 'ASCII~GB 2312'],
  ])('and other sets likewise: %s', (set, value, expected, charset) => {
    const bytes = toBytes(set, value);
    const decoded = decodeMessage(bytes);
    expect(decoded).toEqual({ text: toText(set, expected), charset, issues: [] });
    expect(Buffer.from(encodeMessage(decoded.text, charset)).equals(bytes)).toBe(true);
  });

  it('is switched where MSH-20 says so, without alternates in MSH-18', () => {
    const text = toText('ASCII||ISO 2022-1994', names);
    expect(decodeMessage(Buffer.from(text, 'latin1')).text).toContain(read);
    const bare = toText('ASCII', names);
    expect(decodeMessage(Buffer.from(bare, 'latin1')).text).toBe(bare);
  });

  it('gives back the bytes of a switch to the set that alone is declared', () => {
    const bytes = Buffer.from(
      'MSH|^~\\&|A|B|C|D|2026||ACK|3|P|2.5||||||~IS\x1b(B\rZZZ|\xf0\r',
      'latin1',
    );
    const { text, charset } = decodeMessage(bytes);
    expect(Buffer.from(encodeMessage(text, charset)).equals(bytes)).toBe(true);
  });

  it('keeps an escape sequence that nothing needs as it stands', () => {
    const bytes = toBytes('ISO IR87', `\x1b(B\x1b(B${names}`);
    const { text, charset, issues } = decodeMessage(bytes);
    expect(text).toContain(`\x1b(B\x1b(B${read}`);
    expect(issues).toEqual([]);
    expect(Buffer.from(encodeMessage(text, charset)).equals(bytes)).toBe(true);
  });
});

describe('a few bytes that the set has not', () => {
  it.each([
    ['UNICODE UTF-8', 'M\xc3\xbcller \xfc', 'Müller \udcfc', 8],
    ['UNICODE UTF-8', 'M\xc3\xbcller \xe5\xbc', 'Müller \udce5\udcbc', 8],
    ['WINDOWS-1252', '\x80 \x81', '€ \udc81', 2],
    ['GB 18030-2000', '\xd5\xc5\xff', '张\udcff', 2],
    ['8859/7', '\xcd\xff', '\u039d\udcff', 1],
    ['ISO IR87', '\x1b$B;3\x7e\x7e\x1b(B', '山\udc7e\udc7e', 5],
  ])('leave the rest as declared and are told by place: %s %j', (set, value, expected, offset) => {
    const bytes = toBytes(set, value);
    const place = bytes.indexOf('PID') + 'PID|1||||'.length + offset;
    const { text, charset, issues } = decodeMessage(bytes);
    expect(parse(text).get('PID-5')).toBe(expected);
    expect(issues.map(({ code }) => code)).toEqual(['charset-mismatch']);
    expect(issues[0]?.message).toContain(`byte ${place} (line 2)`);
    expect(Buffer.from(encodeMessage(text, charset)).equals(bytes)).toBe(true);
  });

  it('but a thousand of them say that the set is another', () => {
    const bytes = toBytes('WINDOWS-1252', `\x80${'\x81'.repeat(1_001)}`);
    const { text, charset, issues } = decodeMessage(bytes);
    expect(charset).toBe('8859/1');
    expect(issues.map(({ code }) => code)).toEqual(['charset-mismatch']);
    expect(Buffer.from(encodeMessage(text, charset)).equals(bytes)).toBe(true);
  });

  it('are left alone by an edit beside them', () => {
    const bytes = toBytes('UNICODE UTF-8', 'M\xc3\xbcller \xfc');
    const { text, charset } = decodeMessage(bytes);
    const edited = encodeMessage(parse(text).set('PID-1', '張').text, charset);
    const expected = bytes.toString('latin1').replace('PID|1|', 'PID|\xe5\xbc\xb5|');
    expect(Buffer.from(edited).toString('latin1')).toBe(expected);
  });
});

describe('a set that is not declared', () => {
  it.each([
    ['Müller 張', 'utf8', 'UNICODE UTF-8'],
    ['Müller', 'latin1', '8859/1'],
  ] as const)('is guessed, and that is said: %s in %s', (value, encoding, charset) => {
    const bytes = Buffer.from(toText('', value), encoding);
    const decoded = decodeMessage(bytes);
    expect(decoded).toEqual({
      text: toText('', value),
      charset,
      issues: [
        expect.objectContaining({
          code: 'charset-undeclared',
          severity: 'information',
          location: 'MSH-18',
          message: expect.stringContaining('byte 55 (line 2)') as unknown,
        }),
      ],
    });
    expect(Buffer.from(encodeMessage(decoded.text, charset)).equals(bytes)).toBe(true);
  });
});

describe('UTF-32', () => {
  it.each([
    ['UTF-32LE', '\ufeff'],
    ['UTF-32LE', ''],
    ['UTF-32BE', '\ufeff'],
    ['UTF-32BE', ''],
  ])('%s, mark %j', (charset, mark) => {
    const text = mark + toText('UNICODE UTF-32', '張 𠮷');
    const bytes = encodeMessage(text, charset);
    expect(decodeMessage(bytes)).toEqual({ text, charset, issues: [] });
    expect(parse(bytes).get('PID-5')).toBe('張 𠮷');
  });
});

describe('every set of table 0211', () => {
  const sets = [
    ...Array.from({ length: 16 }, (_, at) => `8859/${at + 1}`).filter((set) => set !== '8859/12'),
    ...['ASCII', 'UNICODE', 'UNICODE UTF-8', 'ISO IR6', 'ISO IR14', 'ISO IR87', 'ISO IR159'],
    ...['GB 18030-2000', 'KS X 1001', 'BIG-5', 'JIS X 0202', 'JAS2020', 'WINDOWS-1252'],
  ];

  it.each(sets)('reads %s', (set) => {
    const { issues } = decodeMessage(Buffer.from(toText(set, 'a')));
    expect(issues).toEqual([]);
  });

  it('gives back any bytes, also beside an edit', () => {
    const scraps = fc.constantFrom(
      ...[
        '\x1b(B',
        '\x1b(J',
        '\x1b$B',
        '\x1b$@',
        '\x1b(I',
        '\x1b)I',
        '\x1b$(D',
        '\x1b-L',
        '\x1b-A',
      ],
      ...['\x1b$)C', '\x1b', ';3', 'ED', '|', '^', '\\', '\r', '\n', ' ', 'a', '\x81', '\xff'],
      ...['\xb8\xd2', '\xd5\xc5', '\xc3\xbc', '\xed\xb0\x80'],
    );
    const chosen = fc.constantFrom(
      ...sets,
      ...[
        '~ISO IR87~ISO IR159',
        'ISO IR14~ISO IR13',
        '8859/1~8859/5~KS X 1001',
        'SHIFT_JIS',
        '',
        'x',
      ],
    );
    fc.assert(
      fc.property(chosen, fc.array(scraps, { maxLength: 12 }), (set, parts) => {
        const bytes = toBytes(set, parts.join(''));
        const { text, charset } = decodeMessage(bytes);
        expect(Buffer.from(encodeMessage(text, charset)).equals(bytes)).toBe(true);
        const edited = encodeMessage(text.replace('PID|1|', 'PID|22|'), charset);
        const expected = bytes.toString('latin1').replace('PID|1|', 'PID|22|');
        expect(Buffer.from(edited).toString('latin1')).toBe(expected);
      }),
      { numRuns: 3_000, seed: 211 },
    );
  });
});

describe('encoding', () => {
  it.each([
    ['ü', 'ASCII', 'character-not-in-charset'],
    ['€', '8859/1', 'character-not-in-charset'],
    ['張', 'WINDOWS-1252', 'character-not-in-charset'],
    ['\ud800', 'UNICODE UTF-8', 'character-not-in-charset'],
    ['\udcc3\udcbc', 'UNICODE UTF-8', 'character-not-in-charset'],
    ['ü', 'ISO IR87', 'character-not-in-charset'],
    ['𠮷', 'ISO IR87', 'character-not-in-charset'],
    ['a', 'CNS 11643-1992', 'charset-unknown'],
    ['a', 'no such set', 'charset-unknown'],
  ])('never replaces a character: %j in %s', (text, charset, code) => {
    expect(() => encodeMessage(text, charset)).toThrow(HilumError);
    expect(() => encodeMessage(text, charset)).toThrow(code);
  });
});

describe('hexadecimal escapes', () => {
  it.each([
    ['8859/1', '\\XFC\\', 'ü'],
    ['UNICODE UTF-8', '\\XC3BC\\', 'ü'],
    ['UNICODE UTF-8', '\\XFC\\', '\\XFC\\'],
    ['8859/5', '\\XB8D2\\', 'Ив'],
    ['', '\\XC3BC\\', 'ü'],
    ['ASCII', '\\X0D0A\\', '\r\n'],
    ['ASCII', '\\X0\\', '\\X0\\'],
    ['ASCII', '\\X\\', '\\X\\'],
  ])('are bytes of the message’s set: %s %s', (set, raw, expected) => {
    expect(parse(toText(set, raw)).get('PID-5')).toBe(expected);
  });
});

describe('a file', () => {
  it('may hold messages in different sets', () => {
    const one = Buffer.from(toText('8859/1', 'Müller'), 'latin1');
    const two = Buffer.from(toText('UNICODE UTF-8', '張'));
    const { pieces } = splitBytes(Buffer.concat([one, two]));
    expect(pieces.map((piece) => parse(piece.text).get('PID-5'))).toEqual(['Müller', '張']);
    expect(pieces.map((piece) => Buffer.from(piece.bytes))).toEqual([one, two]);
  });

  it('may be UTF-16', () => {
    const text = `\ufeff${toText('UNICODE UTF-16', 'a')}${toText('UNICODE UTF-16', 'b')}`;
    const bytes = Buffer.from(text, 'utf16le');
    const { pieces } = splitBytes(bytes);
    expect(pieces).toHaveLength(2);
    expect(Buffer.concat(pieces.map((piece) => piece.bytes)).equals(bytes)).toBe(true);
  });
});

it.each([
  ['a return to ASCII where no other set is known', '7c7c7c7c7c7e49534f20495238244224221b28420d'],
  ['the same with a byte that no set has', '9d7a7c7c7c7c7c7c7e49534f20495238244224221b28420d'],
])('keeps the bytes of a header with alternates: %s', (_what, rest) => {
  const head = Buffer.from('MSH|^~\\&#|A|B|C|D|2026||ORU^R01|3|P|2.7.1||', 'latin1');
  const bytes = Buffer.concat([
    head,
    Buffer.from(rest, 'hex'),
    Buffer.from('ADD|\x9d\r', 'latin1'),
  ]);
  const { text, charset } = decodeMessage(bytes);
  expect(Buffer.from(encodeMessage(text, charset)).equals(bytes)).toBe(true);
});
