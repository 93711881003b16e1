import { parseTimestamp, toFhirDateTime } from '../hl7v2/timestamp.ts';
import type { Frame } from './run.ts';
import { type SourceValue, toText } from './source.ts';
import { findOwn } from '../own.ts';

/** In which field a segment says how long what it starts will take; the unit stands beside it. HL7 v2 chapters 4 and 10. */
const durations: Readonly<Record<string, number>> = {
  SCH: 9,
  AIS: 7,
  AIG: 11,
  AIL: 9,
  AIP: 9,
  TQ1: 6,
  PR1: 7,
};

/** Segments whose duration is in minutes without saying so. HL7 v2 chapter 6. */
const inMinutes: ReadonlySet<string> = new Set(['PR1']);

/** The units of UCUM whose length does not vary. */
const secondsOf: Readonly<Record<string, number>> = {
  s: 1,
  min: 60,
  h: 3600,
  d: 86_400,
  wk: 604_800,
};

/**
 * The start, as a FHIR instant, of what takes as long as its segment says; null where `toEndTime` is, since FHIR
 * has no start without an end.
 */
export function toStartTime(source: SourceValue, frame: Frame): string | null | undefined {
  const period = toPeriod(source, frame);
  return period ? period.start : period;
}

/**
 * The end, as a FHIR instant, of what starts at `source` and takes as long as its segment says. Null where the
 * segment says no duration, or one in a unit that is not known, or the start is no instant.
 */
export function toEndTime(source: SourceValue, frame: Frame): string | null | undefined {
  const period = toPeriod(source, frame);
  return period ? period.end : period;
}

interface Period {
  readonly start: string;
  readonly end: string;
}

function toPeriod(source: SourceValue, frame: Frame): Period | null | undefined {
  const timestamp = parseTimestamp(toText(source).trim());
  if (timestamp === undefined) return undefined;
  const field = durations[source.segment.name];
  if (field === undefined) return null;
  const amount = readField(source, field, frame);
  const unit = inMinutes.has(source.segment.name) ? undefined : findUnit(amount, frame);
  const seconds = unit === undefined ? toNumber(amount, 60) : toSeconds(amount, unit, frame);
  const zone = timestamp.offset === undefined ? frame.run.zone() : undefined;
  const start = toFhirDateTime(timestamp, zone);
  if (seconds === undefined || !start.includes('T')) return null;
  for (const taken of [amount.part(1), unit]) if (taken !== undefined) taken.isTaken = true;
  return { start, end: addSeconds(start, seconds) };
}

/**
 * Whole minutes of an amount whose unit stands beside it: in the second component (CQ), the next component or the
 * next field. Null where they are none, or the unit is not known.
 */
export function toMinutes(source: SourceValue, frame: Frame): number | null {
  const unit = findUnit(source, frame);
  const seconds = toSeconds(source, unit, frame);
  if (seconds === undefined || seconds <= 0 || seconds % 60 !== 0) return null;
  unit.isTaken = true;
  return seconds / 60;
}

/** Whether the unit that stands beside an amount is known as one of time. */
export const hasTimeUnit = (source: SourceValue, frame: Frame): boolean =>
  toUcum(findUnit(source, frame), frame) !== undefined;

function findUnit(source: SourceValue, frame: Frame): SourceValue {
  const { segment, field, repetition, component } = source;
  const whole = frame.run.fields(segment).repetition(field, repetition);
  if (component > 0) return whole.part(component + 1);
  const second = whole.part(2);
  return second.valued ? second : readField(source, field + 1, frame);
}

function readField(source: SourceValue, field: number, frame: Frame): SourceValue {
  return frame.run.fields(source.segment).repetition(field, 1);
}

function toSeconds(amount: SourceValue, unit: SourceValue, frame: Frame): number | undefined {
  const ucum = toUcum(unit, frame);
  const length = ucum === undefined ? undefined : findOwn(secondsOf, ucum);
  return length === undefined ? undefined : toNumber(amount, length);
}

function toUcum(unit: SourceValue, frame: Frame): string | undefined {
  const text = toText(unit).trim();
  return text === '' ? undefined : frame.run.table('duration-unit')?.translate(text)?.code;
}

function toNumber(amount: SourceValue, secondsEach: number): number | undefined {
  const text = toText(amount).trim();
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) * secondsEach : undefined;
}

/** In the offset of the start, so that the day reads as the sender means it. */
function addSeconds(start: string, seconds: number): string {
  const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)$/.exec(start) ?? [];
  const offset =
    (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * (sign === '-' ? -60_000 : 60_000);
  const end = new Date(Date.parse(start) + seconds * 1000 + offset).toISOString();
  return `${end.slice(0, 19)}${start.slice(-6)}`;
}
