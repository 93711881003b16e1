import type { Segment } from '../hl7v2/message.ts';
import { encodeBase64 } from './base64.ts';
import { toFhirTime } from './formats.ts';
import type { Frame } from './run.ts';
import { type SourceValue, toText } from './source.ts';
import type { Group } from './structure.ts';
import { findOwn } from '../own.ts';

/** As MappingFunction, which this is handed on to. */
type Composed = (source: SourceValue, frame: Frame) => unknown;

/** Conversions that put several values together. They say themselves what they took. */
export const composedFunctions: Readonly<Record<string, Composed>> = {
  base64OfLines: (source, frame) => toLines(source, frame),
  errorLocation: (source) => toErrorLocation(source),
  placeText: (source) => toPlaceText(source),
  structuredText: (source, frame) => toStructuredText(source, frame),
  limitsText: (source) => takeParts(source, [1, 2]).join('-') || undefined,
  daysOfWeek: (source) => toDaysOfWeek(source),
  intervalDuration: (source) => toIntervalDuration(source),
  timesOfDay: (source) => toTimesOfDay(source),
};

const isText = (type: string): boolean => ['TX', 'FT', 'ST', ''].includes(type);

/**
 * The text of an OBX-5 and of all OBX behind it that go on with it (the same OBX-3, text as it is), a repetition or
 * segment a line, as base64. Null for an OBX that goes on with another.
 */
function toLines(source: SourceValue, frame: Frame): string | null {
  const { run, group } = frame;
  const read = (segment: SourceValue['segment'], field: number): string =>
    segment.field(field).raw.trim();
  const texts = findLike(source.segment, group);
  const at = texts.indexOf(source.segment);
  const goesOn = (index: number): boolean => {
    const [before, here] = [texts[index - 1], texts[index]];
    return (
      before !== undefined &&
      here !== undefined &&
      isText(read(before, 2)) &&
      isText(read(here, 2)) &&
      read(before, 3) === read(here, 3)
    );
  };
  if (goesOn(at)) return null;
  const lines: string[] = [];
  for (let index = at; index === at || goesOn(index); index++) {
    const segment = texts[index];
    if (segment === undefined) break;
    for (const value of run.fields(segment).repetitions(source.field)) {
      value.isTaken = true;
      lines.push(value.valued ? value.text.toWellFormed().trimEnd() : '');
    }
  }
  return encodeBase64(lines.join('\n')) || null;
}

/** The segments of that name in the group; of the one that opened it, those of the groups beside it too. */
function findLike({ name }: Segment, group: Group): readonly Segment[] {
  const opened = group.document.opens.includes(name) ? group.parent : undefined;
  const groups = opened?.groups.filter((beside) => beside.name === group.name) ?? [group];
  return groups.flatMap(({ segments }) => segments.filter((segment) => segment.name === name));
}

/** ERL as a path: `PID-3[2].4.1`, `OBX[3]-5`; of the ELD in ERR-1, which goes on with a code, the place. HL7 v2 chapter 2A, ERL. */
function toErrorLocation(source: SourceValue): string | undefined {
  const places = source.field === 1 ? [1, 2, 3] : [1, 2, 3, 4, 5, 6];
  const [segment = '', sequence = '', field = '', repetition = '', component = '', part = ''] =
    places.map((n) => {
      const child = source.part(n);
      child.isTaken = true;
      return toText(child).trim();
    });
  if (segment === '') return undefined;
  const index = (text: string): string => (text === '' || text === '1' ? '' : `[${text}]`);
  const place = `${segment}${index(sequence)}`;
  if (field === '') return place;
  const inner = [component, part].filter((text) => text !== '').join('.');
  return `${place}-${field}${index(repetition)}${inner === '' ? '' : `.${inner}`}`;
}

/** What stands between the parts of a place. */
export const placeSeparator = '--';

/** The names of a PL with more than one of them, in their order: `4E--136--B--HOSPITAL`. HL7 v2 chapter 2A, PL. */
function toPlaceText(source: SourceValue): string | null {
  const names = [1, 2, 3, 4, 7, 8].filter((n) => toPlaceName(source.part(n)) !== '');
  if (names.length < 2) return null;
  const type = source.part(6);
  type.isTaken = true;
  const parts = [1, 2, 3, 4, 6, 7, 8].map((n) => toPlaceName(source.part(n)));
  return parts.filter((part) => part !== '').join(placeSeparator);
}

/** Of an HD the name space, else the universal id. */
function toPlaceName(part: SourceValue): string {
  return toText(part.part(1)).trim() || toText(part.part(2)).trim();
}

const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

/** The days from RPT.3 to RPT.4, of a week that begins with Monday; it may go on with the next week. HL7 v2 table 0527. */
function toDaysOfWeek(source: SourceValue): readonly string[] | undefined {
  const [first, last] = [3, 4].map((n) => toText(source.part(n)).trim());
  const [from, to] = [first, last === '' ? first : last].map((text) => Number(text) - 1);
  if (from === undefined || to === undefined) return undefined;
  if (days[from] === undefined || days[to] === undefined) return undefined;
  for (const n of [2, 3, 4]) source.part(n).isTaken = true;
  return Array.from({ length: ((to - from + 7) % 7) + 1 }, (_, n) => days[(from + n) % 7] ?? '');
}

/** The times of RI.2, `0800,2000`; some senders write them with colons. HL7 v2 chapter 4, RI. */
function toTimesOfDay(source: SourceValue): readonly string[] | undefined {
  const times = toText(source)
    .split(',')
    .map((text) => toFhirTime(text.replaceAll(':', '')));
  if (!times.every((time) => time !== undefined)) return undefined;
  source.isTaken = true;
  return times;
}

/** The letters of TQ.3 by the units of UCUM. HL7 v2 chapter 4, TQ duration. */
const intervalUnits: Readonly<Record<string, string>> = {
  S: 's',
  M: 'min',
  H: 'h',
  D: 'd',
  W: 'wk',
  L: 'mo',
};

/** `D7` as a Duration; null for what is no time, as X3, three times. */
function toIntervalDuration(source: SourceValue): Readonly<Record<string, unknown>> | null {
  const [, letter = '', count] = /^([SMHDWL])(\d{1,6})$/i.exec(toText(source).trim()) ?? [];
  const code = findOwn(intervalUnits, letter.toUpperCase());
  if (code === undefined) return null;
  source.isTaken = true;
  return { value: Number(count), unit: code, system: 'http://unitsofmeasure.org', code };
}

/** The parts of a value that are there, as they read. */
function takeParts(source: SourceValue, numbers: readonly number[]): readonly string[] {
  return numbers.flatMap((n) => {
    const part = source.part(n);
    part.isTaken = true;
    return toText(part).trim() || [];
  });
}

/** An SN that is neither quantity nor ratio nor range, with its unit, which stands in OBX-6. HL7 v2 chapter 7. */
function toStructuredText(source: SourceValue, frame: Frame): string | undefined {
  const parts = takeParts(source, [1, 2, 3, 4]);
  if (parts.length === 0) return undefined;
  const unit = frame.run.fields(source.segment).repetition(6, 1).part(1);
  unit.isTaken = true;
  return [...parts, toText(unit).trim()].filter((part) => part !== '').join(' ');
}
