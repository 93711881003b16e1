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
    ['', 'Müller 張', 'utf8', 'UNICODE UTF-8'],
    ['', 'Müller', 'latin1', '8859/1'],
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
    ['GB 18030-2000', '\xff\xff', 'latin1', '8859/1', 'charset-mismatch'],
    ['ISO IR87', 'Muller', 'latin1', 'UNICODE UTF-8', 'charset-unknown'],
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

describe('encoding', () => {
  it.each([
    ['ü', 'ASCII', 'character-not-in-charset'],
    ['€', '8859/1', 'character-not-in-charset'],
    ['張', 'WINDOWS-1252', 'character-not-in-charset'],
    ['\ud800', 'UNICODE UTF-8', 'character-not-in-charset'],
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
