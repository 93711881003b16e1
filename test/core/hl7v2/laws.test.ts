import fc from 'fast-check';
import { openDefinitions } from '../../../connectors/file/definition-files.ts';
import { usualDelimiters } from '../../../core/hl7v2/delimiters.ts';
import { escapeText, unescapeText } from '../../../core/hl7v2/escape.ts';
import { readHeader, readKey } from '../../../core/hl7v2/header.ts';
import { HilumError } from '../../../core/errors.ts';
import type { Delimiters } from '../../../core/hl7v2/message.ts';
import { parseMessage } from '../../../core/hl7v2/parse.ts';
import { parsePath } from '../../../core/hl7v2/parse-path.ts';
import { formatPath, type Path } from '../../../core/hl7v2/path.ts';
import { splitBytes, splitMessages } from '../../../core/hl7v2/split.ts';
import { formatTree, toTree } from '../../../core/hl7v2/tree.ts';
import { validate } from '../../../core/hl7v2/validate.ts';
import { decodeMessage, encodeMessage } from '../../../core/hl7v2/charset.ts';
import { readAcknowledgment } from '../../../core/hl7v2/acknowledgment.ts';
import { build, parse } from './support.ts';

/** Text that looks like HL7: names, marks, escapes and line ends in any order. */
const scrap = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('|', '^', '~', '\\', '&', '\r', '\n', '\r\n', '""') },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      'PID',
      'OBX',
      'MSH',
      'MSH|^~\\&|',
      'BHS|',
      'ZZ1',
      'pid',
      '1',
      '20260312',
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom('\\F\\', '\\X0D\\', '\\XZZ\\', '\\.br\\', '\\.sp9999\\', '\\Zq\\'),
  },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 4 }) },
);
const scraps = fc.array(scrap, { maxLength: 60 }).map((parts) => parts.join(''));
const messages = scraps.map((body) => build('PID|1||A^B&C~D', 'OBX|1|NM|x||12', body));

const marks = fc
  .uniqueArray(fc.constantFrom(...Array.from('|^~\\&#!@$%*;:/')), { minLength: 6, maxLength: 6 })
  .map(([field, component, repetition, escape, subcomponent, truncation]): Delimiters => ({
    field: field!,
    component: component!,
    repetition: repetition!,
    escape: escape!,
    subcomponent: subcomponent!,
    truncation: truncation!,
  }));
const values = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
  scraps,
  fc.constantFrom('', '""', '\r\n', '\\', '\\F\\', '\u000b\u001c'),
);
const position = fc.integer({ min: 1, max: 12 });
const optional = fc.option(position, { nil: undefined });
const paths = fc
  .record({
    segment: fc.constantFrom('PID', 'OBX'),
    field: position,
    repetition: optional,
    component: optional,
    subcomponent: optional,
  })
  .map(({ component, subcomponent, ...rest }) =>
    // `subcomponent` without `component` is no path.
    formatPath(
      Object.fromEntries(
        Object.entries(
          component === undefined ? rest : { ...rest, component, subcomponent },
        ).filter(([, value]) => value !== undefined),
      ) as unknown as Path,
    ),
  );

describe('laws', () => {
  it('parse then text is identity, and nothing throws, whatever the input', () => {
    fc.assert(
      fc.property(fc.oneof(scraps, messages, fc.string({ unit: 'binary' })), (text) => {
        const parsed = parseMessage(text);
        readHeader(text);
        readAcknowledgment(text);
        if (!parsed.ok) return parsed.issues.length > 0;
        toTree(parsed.message);
        formatTree(parsed.message);
        validate(parsed.message, openDefinitions());
        readKey(parsed.message);
        return parsed.message.text === text;
      }),
      { numRuns: 2_000 },
    );
  });

  it('bytes decode and encode to the same bytes, whatever they are', () => {
    const sets = fc.constantFrom(
      '',
      'ASCII',
      '8859/1',
      '8859/7',
      '8859/15',
      'UNICODE UTF-8',
      'UNICODE UTF-16',
      'GB 18030-2000',
      'WINDOWS-1252',
      'ISO IR87',
      'BIG-5',
      'xyz',
    );
    fc.assert(
      fc.property(sets, fc.uint8Array({ maxLength: 40 }), fc.boolean(), (set, tail, bare) => {
        const head = Buffer.from(`MSH|^~\\&|A|B|C|D|2026||ACK|1|P|2.5||||||${set}|`);
        const bytes = bare ? tail : Buffer.concat([head, tail]);
        const { text, charset } = decodeMessage(bytes);
        parseMessage(bytes);
        readHeader(bytes);
        return Buffer.from(encodeMessage(text, charset)).equals(bytes);
      }),
      { numRuns: 2_000 },
    );
  });

  it('a split text joined is the text again, and so are bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(messages, scraps), { maxLength: 4 }), (parts) => {
        const text = parts.join('');
        const { pieces } = splitMessages(text);
        if (pieces.length > 0) expect(pieces.map((piece) => piece.text).join('')).toBe(text);
        const bytes = Buffer.from(text);
        const split = splitBytes(bytes).pieces;
        if (split.length > 0) {
          expect(Buffer.concat(split.map((piece) => piece.bytes)).equals(bytes)).toBe(true);
        }
      }),
    );
  });

  it('escape then unescape is identity, for any delimiters, and leaves no mark behind', () => {
    fc.assert(
      fc.property(values, marks, (value, delimiters) => {
        const escaped = escapeText(value, delimiters)!;
        expect(unescapeText(escaped, delimiters)).toBe(value);
        const { field, component, repetition, subcomponent } = delimiters;
        for (const mark of [
          field,
          component,
          repetition,
          subcomponent,
          '\r',
          '\n',
          '\u000b',
          '\u001c',
        ]) {
          expect(escaped).not.toContain(mark);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('unescaping never throws and never grows a text without bound', () => {
    fc.assert(
      fc.property(
        scraps,
        (raw) => unescapeText(raw, usualDelimiters).length <= raw.length * 40 + 40,
      ),
    );
  });

  it('set then get gives the value, and set changes nothing else', () => {
    fc.assert(
      fc.property(messages, paths, values, (text, path, value) => {
        const message = parse(text);
        const edited = message.set(path, value);
        expect(edited.get(path)).toBe(value);
        expect(message.text).toBe(text);
        const [name] = path.split('-');
        const target = message.segmentsNamed(name!)[0]!;
        const { start, end } = target.range;
        expect(edited.text.slice(0, start)).toBe(text.slice(0, start));
        expect(edited.text.slice(edited.text.length - (text.length - end))).toBe(text.slice(end));
        expect(edited.set(path, value).text).toBe(edited.text);
        // Every other field that was there is still what it was.
        const field = Number(/-(\d+)/.exec(path)![1]);
        const after = edited.segmentsNamed(name!)[0]!;
        for (let at = 1; at <= target.fieldCount; at++) {
          if (at !== field) expect(after.field(at).raw).toBe(target.field(at).raw);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('an edited message is the one that its text is parsed to', () => {
    const edit = fc.record({
      how: fc.constantFrom('set', 'append', 'remove', 'append a segment', 'remove a segment'),
      segment: fc.constantFrom('MSH', 'PID', 'OBX', 'ZZ1'),
      field: fc.integer({ min: 3, max: 14 }),
      value: fc.constantFrom('', 'X', 'a longer value'),
      // How far is looked at before: what was found already is not looked for again.
      looksAt: fc.constantFrom('MSH-3', 'PID-3', 'OBX-5', 'ZZ1-1', 'NTE-1'),
    });
    fc.assert(
      fc.property(
        messages,
        fc.array(edit, { maxLength: 6 }),
        fc.boolean(),
        (text, edits, framed) => {
          let message = parse(framed ? `\u000b\r\n${text}\u001c\r` : text);
          for (const { how, segment, field, value, looksAt } of edits) {
            message.get(looksAt);
            try {
              if (how === 'set') message = message.set(`${segment}-${field}`, value);
              else if (how === 'append') message = message.append(`${segment}-${field}`, value);
              else if (how === 'remove') message = message.remove(`${segment}-${field}`);
              else if (how === 'append a segment')
                message = message.append(segment, `${segment}|${value}`);
              else message = message.remove(segment);
            } catch (error) {
              if (!(error instanceof HilumError)) throw error;
            }
            const fresh = parse(message.text);
            const places = (of: typeof fresh) =>
              of.segments.map(({ name, line, range, occurrence }) => ({
                name,
                line,
                range,
                occurrence,
              }));
            expect(places(message)).toEqual(places(fresh));
            expect(message.get(looksAt)).toBe(fresh.get(looksAt));
          }
        },
      ),
    );
  });

  it('an edit of every segment has no greatest number of them', () => {
    const count = 200_000;
    const message = parse(build('OBX|1|NM\r'.repeat(count)));
    const edited = message.set('OBX[*]-2', 'ST');
    expect(edited.text).not.toContain('NM');
    expect(edited.segments).toHaveLength(count + 1);
  });

  it('a path written and read is the same path', () => {
    fc.assert(
      fc.property(paths, (text) => {
        const parsed = parsePath(text);
        return parsed.ok && formatPath(parsed.path) === text;
      }),
    );
  });

  it('a path is read or refused, never thrown at', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          paths.chain((path) => fc.string().map((end) => path + end)),
        ),
        (text) => {
          const parsed = parsePath(text);
          return parsed.ok || parsed.issue.code === 'path-invalid';
        },
      ),
    );
  });
});

describe('time', () => {
  it.each([
    ['separators only', '|'.repeat(1_000_000)],
    ['repetitions only', `PID|${'~'.repeat(1_000_000)}`],
    ['components only', `PID|${'^'.repeat(1_000_000)}`],
    ['escape characters only', `PID|${'\\'.repeat(1_000_000)}`],
    ['lines of one character', 'x\r'.repeat(300_000)],
    ['bare segments', 'ZZZ\r'.repeat(200_000)],
    ['short segments', 'OBX|\r'.repeat(100_000)],
  ])(
    'grows with the size alone: %s',
    (_name, body) => {
      const started = process.cpuUsage();
      const message = parse(build(body));
      expect(message.segments.every((segment) => segment.occurrence > 0)).toBe(true);
      toTree(message);
      validate(message, openDefinitions());
      splitMessages(message.text);
      message.get('PID-1[2].3');
      message.all('PID-1');
      const { user } = process.cpuUsage(started);
      expect(user / 1e6).toBeLessThan(8);
    },
    60_000,
  );
});
