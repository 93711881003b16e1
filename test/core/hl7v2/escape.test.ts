import fc from 'fast-check';
import { usualDelimiters } from '../../../core/hl7v2/delimiters.ts';
import { escapeText, isTruncated, unescapeText } from '../../../core/hl7v2/escape.ts';
import type { Delimiters } from '../../../core/hl7v2/message.ts';

const withTruncation: Delimiters = { ...usualDelimiters, truncation: '#' };
const utf8 = 'UNICODE UTF-8';

describe('a value is decoded', () => {
  it.each([
    ['delimiters', '\\F\\\\S\\\\T\\\\R\\\\E\\', '|^&~\\'],
    ['what looks like a sequence after that', '\\E\\F\\E\\', '\\F\\'],
    ['no truncation character where there is none', 'a\\P\\', 'a\\P\\'],
    ['bytes', '\\X4142\\c', 'ABc'],
    ['small digits', '\\X4a\\', 'J'],
    ['half a byte not', '\\X4\\', '\\X4\\'],
    ['no bytes not', '\\X\\', '\\X\\'],
    ['a character over several sequences', '\\XE5\\\\XBC\\\\XB5\\', '張'],
    ['each sequence for itself where they are no text together', '\\X41\\\\XFC\\', 'A\\XFC\\'],
    ['a line break', 'a\\.br\\b', 'a\nb'],
    ['skipped lines', 'a\\.sp\\b\\.sp2\\c\\.sp 1\\d', 'a\nb\n\nc\nd'],
    ['skipped spaces', 'a\\.sk3\\b', 'a   b'],
    ['too many of them not', '\\.sp9999\\\\.sk201\\', '\\.sp9999\\\\.sk201\\'],
    ['fill, indents and centring', '\\.nf\\a\\.fi\\\\.in+4\\b\\.ti-4\\c\\.ce\\d', 'abc\nd'],
    ['highlighting', '\\H\\a\\N\\b', 'ab'],
    [
      'switches, local and unknown sequences not',
      '\\C2842\\\\M2442\\\\Zab\\\\Q\\',
      '\\C2842\\\\M2442\\\\Zab\\\\Q\\',
    ],
    ['a stray escape character not', 'C:\\temp\\F\\', 'C:\\temp|'],
    ['what nothing ends not', 'a\\F', 'a\\F'],
    ['escape characters alone not', '\\\\\\', '\\\\\\'],
  ])('%s', (_name, raw, expected) => {
    expect(unescapeText(raw, usualDelimiters, utf8)).toBe(expected);
  });

  it('with the truncation character of the message', () => {
    expect(unescapeText('a\\P\\', withTruncation)).toBe('a#');
  });

  it('with formatting kept as it stands', () => {
    const raw = '\\H\\a\\N\\\\.br\\b\\.in+4\\\\F\\\\Zq\\';
    expect(unescapeText(raw, usualDelimiters, { formatting: 'keep' })).toBe(
      '\\H\\a\\N\\\\.br\\b\\.in+4\\|\\Zq\\',
    );
  });
});

describe('character set switches are decoded where asked', () => {
  it.each([
    ['to kanji and back', 'a\\M2442\\;3ED\\C2842\\b', 'ASCII', 'a山田b'],
    ['to kanji until the end', '\\M2442\\;3ED', undefined, '山田'],
    ['to supplementary kanji', '\\M242844\\0!', 'ASCII', '丂'],
    ['to katakana', '\\C2949\\\u00d4\u00cf', '8859/1', 'ﾔﾏ'],
    ['to Cyrillic', '\\C2D4C\\¸ÒÐÝ\\C2D41\\ü', '8859/1', 'Иванü'],
    ['with delimiters among the bytes', '\\M2442\\!\\T\\', 'ASCII', '・'],
    ['with a highlighted run', '\\M2442\\\\H\\;3\\N\\ED', 'ASCII', '山田'],
    ['to a set that we do not know', '\\M2447\\;3', 'ASCII', '\\M2447\\;3'],
    ['with what the set has not', '\\M2442\\~~', 'ASCII', '\\M2442\\~~'],
    ['with nothing behind', '\\C2842\\', 'ASCII', ''],
  ])('%s', (_name, raw, charset, expected) => {
    expect(unescapeText(raw, usualDelimiters, { charset, switches: 'decode' })).toBe(expected);
  });
});

describe('a truncated value', () => {
  it.each([
    ['cut#', withTruncation, true],
    ['#', withTruncation, true],
    ['whole\\P\\', withTruncation, false],
    ['whole', withTruncation, false],
    ['', withTruncation, false],
    ['cut#', usualDelimiters, false],
  ])('is told by its end: %s', (raw, delimiters, expected) => {
    expect(isTruncated(raw, delimiters)).toBe(expected);
  });
});

describe('a text is encoded', () => {
  it.each([
    ['delimiters', '|^&~\\', '\\F\\\\S\\\\T\\\\R\\\\E\\'],
    ['line ends', 'a\nb\rc\r\nd', 'a\\.br\\b\\X0D\\c\\X0D\\\\.br\\d'],
    ['framing', '\u000b\u001c', '\\X0B\\\\X1C\\'],
    ['other control characters', '\0\u001b\t', '\\X00\\\\X1B\\\t'],
    ['what is no truncation character here', '#', '#'],
    ['nothing else', 'Müller 張 𠮷', 'Müller 張 𠮷'],
  ])('%s', (_name, text, expected) => {
    expect(escapeText(text, usualDelimiters)).toBe(expected);
  });

  it('with the truncation character of the message', () => {
    expect(escapeText('a#', withTruncation)).toBe('a\\P\\');
  });

  it('or not at all without an escape character, where it needs one', () => {
    const without = { ...usualDelimiters, escape: '' };
    expect(escapeText('a|b', without)).toBeUndefined();
    expect(escapeText('a\\b', without)).toBe('a\\b');
  });

  const marks = fc
    .uniqueArray(fc.constantFrom(...Array.from('|^~\\&#!@$%*;:/.-+(,"\'§')), {
      minLength: 6,
      maxLength: 6,
    })
    .map(([field = '', component = '', repetition = '', escape = '', subcomponent = '', last]) => ({
      ...{ field, component, repetition, escape, subcomponent },
      ...(last === '#' || last === undefined ? {} : { truncation: last }),
    }));
  const texts = fc
    .array(
      fc.oneof(
        fc.string({ unit: 'binary', maxLength: 6 }),
        fc.constantFrom('\r\n', '\r', '\n', '\\F\\', '\\X0D\\', '.br', 'X41', '\\.br\\', '"', '.'),
        fc.constantFrom('𠮷', '\u001b$B', '\0', '|', '^', '~', '\\', '&', '#'),
      ),
    )
    .map((parts) => parts.join(''));

  it('so that it is read as the same text, whatever it is, in any set and with any delimiters', () => {
    const sets = fc.constantFrom('ASCII', '8859/1', utf8, 'UNICODE UTF-16', 'ISO IR87', '');
    fc.assert(
      fc.property(texts, marks, sets, (text, delimiters, set) => {
        const escaped = escapeText(text, delimiters) ?? '';
        expect(unescapeText(escaped, delimiters, set)).toBe(text);
        for (const mark of [delimiters.field, delimiters.component, '\r', '\n', '\u000b', '\0']) {
          expect(escaped).not.toContain(mark);
        }
      }),
      { numRuns: 2_000, seed: 27 },
    );
  });
});
