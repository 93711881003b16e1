import { usualDelimiters } from '../../../core/hl7v2/delimiters.ts';
import { formatLines, renderText } from '../../../core/hl7v2/text-lines.ts';

const show = (raw: string, width?: number): string =>
  formatLines(renderText(raw, usualDelimiters), width);

describe('formatted text is laid out', () => {
  it.each([
    ['text alone', 'a b', 'a b'],
    ['nothing', '', ''],
    ['breaks', 'a\\.br\\b\\.sp2\\c', 'a\nb\n\nc'],
    ['line ends in the text', 'a\\X0D0A\\b\\X0D\\c', 'a\nb\nc'],
    ['a margin until it is moved again', '\\.in+4\\a\\.br\\b\\.in-2\\\\.br\\c', '    a\n  b\n  c'],
    ['a margin by its place', '\\.in4\\a\\.br\\\\.in2\\b\\.br\\\\.in\\c', '    a\n  b\nc'],
    ['an indent of one line', '\\.in+4\\\\.ti-4\\1. a\\.br\\b', '1. a\n    b'],
    ['no line left of the edge', '\\.in-9\\\\.ti-4\\a', 'a'],
    ['spaces', 'a\\.sk3\\b', 'a   b'],
    ['a centred line', 'a\\.ce\\b\\.br\\c', 'a\n     b\nc'],
    ['delimiters and unknown sequences as text', '\\F\\\\Zq\\\\Q\\', '|\\Zq\\\\Q\\'],
    ['character set switches', '\\M2442\\;3ED', '山田'],
  ])('%s', (_name, raw, expected) => {
    expect(show(raw, 11)).toBe(expected);
  });

  it('centres only where it knows the width', () => {
    expect(show('a\\.ce\\b')).toBe('a\nb');
  });

  it('in runs that are highlighted or not, and lines that wrap or not', () => {
    const raw = 'is \\H\\HIGH\\.br\\now\\N\\, call\\.nf\\\\.br\\as it stands';
    expect(renderText(raw, usualDelimiters)).toEqual([
      {
        indent: 0,
        centred: false,
        wraps: true,
        runs: [
          { text: 'is ', highlighted: false },
          { text: 'HIGH', highlighted: true },
        ],
      },
      {
        indent: 0,
        centred: false,
        wraps: false,
        runs: [
          { text: 'now', highlighted: true },
          { text: ', call', highlighted: false },
        ],
      },
      {
        indent: 0,
        centred: false,
        wraps: false,
        runs: [{ text: 'as it stands', highlighted: false }],
      },
    ]);
  });

  it('without bound neither in lines nor in spaces', () => {
    expect(show('\\.sp9999\\a').length).toBeLessThan(10);
    expect(show('\\.in+9999\\'.repeat(100) + 'a')).toBe(`${' '.repeat(200)}a`);
  });
});
