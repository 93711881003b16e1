import { findSeparator, readCsv } from '../../../core/mapping/csv.ts';

const toCells = (text: string, separator?: ',' | ';' | '\t'): (readonly string[])[] =>
  readCsv(text, separator).rows.map(({ cells }) => cells);

test.each([
  [
    'keeps leading zeros and blanks',
    'a,b\n007, x',
    [
      ['a', 'b'],
      ['007', ' x'],
    ],
  ],
  [
    'knows a BOM',
    '\uFEFFa,b\n1,2\n',
    [
      ['a', 'b'],
      ['1', '2'],
    ],
  ],
  ['ends lines with CR, LF or both', 'a\r\nb\rc\nd', [['a'], ['b'], ['c'], ['d']]],
  [
    'keeps empty cells, at the end too',
    'a,,b,\n,c',
    [
      ['a', '', 'b', ''],
      ['', 'c'],
    ],
  ],
  ['keeps an empty cell at the end of the text', 'a,', [['a', '']]],
  ['opens quotes', '"a,""b""",c', [['a,"b"', 'c']]],
  ['keeps lines within quotes', '"a\r\nb",c', [['a\r\nb', 'c']]],
  ['leaves out rows without content', 'a\n\n,,\nb', [['a'], ['b']]],
])('%s', (_, text, expected) => {
  expect(toCells(text)).toEqual(expected);
});

test('numbers rows by the line on which they begin', () => {
  const { rows } = readCsv('head\n"two\nlines"\n\nlast');
  expect(rows.map(({ line }) => line)).toEqual([1, 2, 5]);
});

test.each([
  ['a\nb,"c', 2, 'never closed'],
  ['a\n"b"c', 2, 'closing quote'],
])('says on which line %j is broken', (text, line, message) => {
  const { problems } = readCsv(text);
  expect(problems).toEqual([{ line, message: expect.stringContaining(message) as string }]);
});

test.each([
  ['code,target', ','],
  ['code;target;"a,b,c"', ';'],
  ['code\ttarget', '\t'],
  ['code', ','],
])('finds the separator of %j', (text, separator) => {
  expect(findSeparator(text)).toBe(separator);
});
