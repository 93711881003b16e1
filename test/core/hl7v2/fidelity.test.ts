import { openDefinitions } from '../../../connectors/file/definition-files.ts';
import { parseMessage } from '../../../core/hl7v2/parse.ts';
import { readSamples, build, parse } from './support.ts';
import { splitBytes } from '../../../core/hl7v2/split.ts';
import { decodeMessage, encodeMessage } from '../../../core/hl7v2/charset.ts';
import { formatTree, toTree } from '../../../core/hl7v2/tree.ts';
import { validate } from '../../../core/hl7v2/validate.ts';

const header = 'MSH|^~\\&|A|B|C|D|20260101||ADT^A01|1|P|2.5';

interface Case {
  readonly name: string;
  readonly text: string;
  /** Values by path, decoded. */
  readonly values?: Readonly<Record<string, string | undefined>>;
  /** Codes of what the parser reports. */
  readonly issues?: readonly string[];
}

const cases: readonly Case[] = [
  {
    name: 'delimiters of its own, with the usual ones as data',
    text: 'MSH*!@$%*A*B***2026**ADT!A01*1*P*2.5\rPID*1**7!!!H%1.2%ISO@8*|^~&\\$F$\r',
    values: {
      'MSH-1': '*',
      'MSH-2': '!@$%',
      'MSH-9.2': 'A01',
      'PID-3.4.2': '1.2',
      'PID-3[2]': '8',
      'PID-4': '|^~&\\*',
    },
  },
  {
    name: 'a truncation character',
    text: `${header.replace('&', '&#')}\rPID|1||Long#\\P\\\r`,
    values: { 'MSH-2': '^~\\&#', 'PID-3': 'Long##', 'MSH-3': 'A' },
  },
  {
    name: 'delimiter escapes',
    text: `${header}\rNTE|1||\\F\\ \\S\\ \\T\\ \\R\\ \\E\\\r`,
    values: { 'NTE-3': '| ^ & ~ \\' },
  },
  {
    name: 'an escaped escape character before what looks like an escape',
    text: `${header}\rNTE|1||\\E\\F\\E\\\r`,
    values: { 'NTE-3': '\\F\\' },
  },
  {
    name: 'hexadecimal data',
    text: `${header}\rNTE|1||\\X41\\\\X4243\\\r`,
    values: { 'NTE-3': 'ABC' },
  },
  {
    name: 'line breaks',
    text: `${header}\rNTE|1||one\\.br\\two\\.sp2\\three\r`,
    values: { 'NTE-3': 'one\ntwo\n\nthree' },
  },
  {
    name: 'highlighting',
    text: `${header}\rNTE|1||\\H\\loud\\N\\ soft\r`,
    values: { 'NTE-3': 'loud soft' },
  },
  {
    name: 'character set switches',
    text: `${header}\rNTE|1||\\C2842\\\\M2442FF\\\r`,
    values: { 'NTE-3': '\\C2842\\\\M2442FF\\' },
  },
  {
    name: 'local and unknown escapes',
    text: `${header}\rNTE|1||\\Zab\\a\\Q\\F\\T\\\r`,
    values: { 'NTE-3': '\\Zab\\a\\Q\\F&' },
  },
  {
    name: 'an escape character that starts nothing',
    text: `${header}\rNTE|1||C:\\temp\\F\\\rNTE|2||C:\\temp\r`,
    values: { 'NTE[1]-3': 'C:\\temp|', 'NTE[2]-3': 'C:\\temp' },
  },
  {
    name: 'sub-components, also where none are expected',
    text: `${header}\rPID|1||7^^^H&1.2.3&ISO||DOE^JOHN&X\r`,
    values: { 'PID-3.4.2': '1.2.3', 'PID-5.2.2': 'X', 'PID-5.2': 'JOHN&X', 'PID-5': 'DOE^JOHN&X' },
  },
  {
    name: 'empty repetitions',
    text: `${header}\rPID|1||A~~C~\r`,
    values: {
      'PID-3': 'A',
      'PID-3[2]': '',
      'PID-3[3]': 'C',
      'PID-3[4]': '',
      'PID-3[5]': undefined,
    },
  },
  {
    name: 'null, empty and absent',
    text: `${header}\rPID|""||\r`,
    values: { 'PID-1': '""', 'PID-2': '', 'PID-3': '', 'PID-4': undefined, 'PV1-1': undefined },
  },
  {
    name: 'trailing delimiters',
    text: `${header}\rPID|1||A^^^|||\r\r`,
    values: { 'PID-3.4': '', 'PID-3.5': undefined, 'PID-6': '', 'PID-7': undefined },
  },
  { name: 'LF as segment end', text: `${header}\nPID|1\n`, values: { 'PID-1': '1' } },
  { name: 'CRLF as segment end', text: `${header}\r\nPID|1\r\n`, values: { 'PID-1': '1' } },
  {
    name: 'a mixture of segment ends, and none at the end',
    text: `${header}\nPID|1\r\nPV1|2\r\r\nOBX|3`,
    values: { 'PID-1': '1', 'PV1-1': '2', 'OBX-1': '3', 'MSH-12': '2.5' },
  },
  {
    name: 'a byte order mark',
    text: `\ufeff${header}\rPID|1\r`,
    values: { 'MSH-3': 'A', 'PID-1': '1' },
  },
  {
    name: 'the framing of MLLP left in a file',
    text: `\u000b${header}\rPID|1\r\u001c\r`,
    values: { 'MSH-3': 'A', 'PID-1': '1' },
  },
  {
    name: 'Z segments',
    text: `${header}\rZPI|a^b&c|\\T\\\r`,
    values: { 'ZPI-1.2.2': 'c', 'ZPI-2': '&' },
  },
  {
    name: 'empty lines and a segment that is only its name',
    text: `${header}\r\r\rPV1\r\rPID|1\r`,
    values: { PV1: 'PV1', 'PV1-1': undefined, 'PID-1': '1' },
  },
  {
    name: 'lower-case segment names',
    text: `${header}\rpid|1\r`,
    values: { 'pid-1': '1', 'PID-1': undefined },
    issues: ['segment-name-invalid'],
  },
  {
    name: 'a line break inside a value',
    text: `${header}\rNTE|1||one\ntwo, and | three\r`,
    values: { 'NTE-3': 'one' },
    issues: ['segment-name-invalid'],
  },
  {
    name: 'a second header',
    text: `${header}\rPID|1\r${header}\rPID|2\r`,
    values: { 'PID[2]-1': '2', 'MSH[2]-3': 'A' },
    issues: ['header-repeated'],
  },
  {
    name: 'a segment of 200 kB',
    text: `${header}\rNTE|1||${'x'.repeat(200_000)}|end\r`,
    values: { 'NTE-4': 'end' },
  },
  {
    name: 'values that are wrong for their datatype',
    text: `${header}\rPID|one||||||20269999|\rOBX|1|NM|||12.50.\r`,
    values: { 'PID-1': 'one', 'PID-7': '20269999', 'OBX-5': '12.50.' },
  },
  {
    name: 'dates and times of every precision',
    text: `${header}\rOBR|0001||||||2024|202401|20240101120001-0500|20240101000000.1000+0100\r`,
    values: {
      'OBR-1': '0001',
      'OBR-7': '2024',
      'OBR-9': '20240101120001-0500',
      'OBR-10': '20240101000000.1000+0100',
    },
  },
  {
    name: 'an unknown version and type',
    text: header.replace('ADT^A01', 'XYZ^Z99').replace('2.5', '9.9^USA'),
    values: { 'MSH-12.1': '9.9', 'MSH-12.2': 'USA', 'MSH-9.1': 'XYZ' },
  },
  { name: 'no version', text: 'MSH|^~\\&|A\r', values: { 'MSH-12': undefined } },
  {
    name: 'a field separator directly behind the header name and nothing else',
    text: 'MSH|^~\\&',
    values: { 'MSH-2': '^~\\&', 'MSH-3': undefined },
  },
  {
    name: 'a header without escape character and sub-component separator',
    text: 'MSH|^~|A&B\\T\\\r',
    values: { 'MSH-3': 'A&B\\T\\' },
    issues: ['encoding-characters-count'],
  },
  {
    name: 'control characters',
    text: `${header}\rNTE|\t\u0000\u0085|\r`,
    values: { 'NTE-1': '\t\u0000\u0085' },
  },
];

describe('parsing keeps every byte', () => {
  it.each(cases.map((each) => [each.name, each] as const))('of %s', (_name, each) => {
    const { text, values = {}, issues = [] } = each;
    const parsed = parseMessage(text);
    expect(parsed.issues.map((issue) => issue.code)).toEqual(issues);
    for (const { location } of parsed.issues) expect(location).toMatch(/^[A-Z][A-Z0-9]{2}/);
    const message = parse(text);
    expect(message.text).toBe(text);
    const found = Object.keys(values).map((path) => [path, message.get(path)]);
    expect(Object.fromEntries(found)).toEqual(values);
  });
});

describe('what is no message', () => {
  it.each([
    ['nothing', '', 'message-empty', 'MSH'],
    ['line ends', '\r\n\r\n', 'message-empty', 'MSH'],
    ['no header', 'PID|1', 'header-missing', 'MSH'],
    ['a lower-case header', 'msh|^~\\&|', 'header-missing', 'MSH'],
    ['another format', '{"resourceType":"Patient"}', 'header-missing', 'MSH'],
    ['a batch', 'FHS|^~\\&|\rMSH|^~\\&|\r', 'batch-unsplit', 'MSH'],
    ['a header without separator', 'MSH', 'header-too-short', 'MSH-1'],
    ['a header cut off by a line end', 'MSH\r|^~\\&', 'header-too-short', 'MSH-1'],
    ['a header without encoding characters', 'MSH|', 'header-too-short', 'MSH-2'],
    ['empty encoding characters', 'MSH||A|B', 'header-too-short', 'MSH-2'],
    ['one encoding character', 'MSH|^|A', 'header-too-short', 'MSH-2'],
    ['a letter as separator', 'MSHELLO WORLD', 'delimiter-invalid', 'MSH-1'],
    ['letters as encoding characters', 'MSH|LAB|', 'delimiter-invalid', 'MSH-2'],
    ['one mark for two things', 'MSH|^~\\^|A', 'delimiters-not-distinct', 'MSH-2'],
    [
      'the separator among the encoding characters is the end of them',
      'MSH^~^',
      'header-too-short',
      'MSH-2',
    ],
  ])('is refused: %s', (_name, text, code, location) => {
    const parsed = parseMessage(text);
    expect(parsed.ok).toBe(false);
    expect(parsed.issues).toEqual([expect.objectContaining({ code, severity: 'fatal', location })]);
  });
});

describe('segments', () => {
  const message = parse(build('PID|1|', '', 'OBX|1', 'OBX|2|a|b', 'ZZZ'));

  it('know their line, their occurrence and how many fields they have', () => {
    const rows = message.segments.map(({ name, line, occurrence, fieldCount }) => [
      name,
      line,
      occurrence,
      fieldCount,
    ]);
    expect(rows).toEqual([
      ['MSH', 1, 1, 12],
      ['PID', 2, 1, 2],
      ['OBX', 4, 1, 1],
      ['OBX', 5, 2, 3],
      ['ZZZ', 6, 1, 0],
    ]);
  });

  it('give absent fields beyond their end', () => {
    const field = message.segments[1]!.field(3);
    expect([field.present, field.raw, field.text, field.valued, field.repetitions]).toEqual([
      false,
      '',
      '',
      false,
      [],
    ]);
  });

  it('tell present from valued', () => {
    const [segment] = parse(build('PID||""|x|')).segmentsNamed('PID');
    const state = [1, 2, 3, 4, 5].map((at) => {
      const { present, valued } = segment!.field(at);
      return `${present} ${valued}`;
    });
    expect(state).toEqual(['true false', 'true false', 'true true', 'true false', 'false false']);
  });

  it('give values with the place where they stand', () => {
    const text = build('PID|||A~B^C&D');
    const value = parse(text)
      .segmentsNamed('PID')[0]!
      .field(3)
      .repetitions[1]!.component(2)
      .subcomponent(2);
    expect(text.slice(value.range.start, value.range.end)).toBe('D');
  });
});

describe('all', () => {
  const message = parse(build('OBX|1|ST|c||a~b', 'OBX|2|ST|c', 'OBX|3|ST|c||d^e&f'));

  it.each([
    ['OBX-1', ['1', '2', '3']],
    ['OBX-5', ['a', 'b', 'd^e&f']],
    ['OBX-5.1', ['a', 'b', 'd']],
    ['OBX-5.2.2', ['f']],
    ['OBX[1]-5', ['a', 'b']],
    ['OBX-5[2]', ['b']],
    ['OBX[9]-5', []],
    ['ZZZ-1', []],
    ['MSH-2', ['^~\\&']],
  ])('gives every value at %s', (path, values) => {
    expect(message.all(path)).toEqual(values);
  });
});

const samples = readSamples();
if (samples.length === 0) {
  console.warn('SKIPPED: published sample messages (../shared/data/hl7v2) are not here.');
}
(samples.length === 0 ? describe.skip : describe)('published sample messages', () => {
  it('come back byte for byte, each message and all of a file', () => {
    const changed: string[] = [];
    for (const [name, bytes] of samples) {
      const { pieces } = splitBytes(bytes);
      const whole = Buffer.concat(pieces.map((piece) => piece.bytes));
      if (pieces.length > 0 && !whole.equals(bytes)) changed.push(name);
      for (const piece of pieces) {
        const { text, charset } = decodeMessage(piece.bytes);
        const parsed = parseMessage(text);
        const again = parsed.ok ? encodeMessage(parsed.message.text, charset) : piece.bytes;
        if (!Buffer.from(again).equals(piece.bytes)) changed.push(name);
      }
    }
    expect(changed).toEqual([]);
  });

  it('can be shown, validated and edited without a fault, the rest unchanged', () => {
    let edited = 0;
    for (const [, bytes] of samples) {
      for (const piece of splitBytes(bytes).pieces) {
        const parsed = parseMessage(piece.bytes);
        if (!parsed.ok) continue;
        const { message } = parsed;
        expect(toTree(message)).toHaveLength(message.segments.length);
        expect(formatTree(message)).toContain('MSH-2');
        expect(Array.isArray(validate(message, openDefinitions()))).toBe(true);
        // Without an escape character only plain text can be written.
        const id = message.delimiters.escape === '' ? 'another' : 'another|id';
        const again = message.set('MSH-10', id);
        expect(again.get('MSH-10')).toBe(id);
        expect(again.set('MSH-10', message.get('MSH-10') ?? '').segments.length).toBe(
          message.segments.length,
        );
        expect(again.text.endsWith(message.text.slice(message.segments[0]!.range.end))).toBe(true);
        edited++;
      }
    }
    expect(edited).toBeGreaterThan(400);
  });
});
