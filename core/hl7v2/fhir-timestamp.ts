import { isDate, isTime, type Timestamp } from './timestamp.ts';

/** HL7 text for a value of FHIR, and what it could not take over. */
export interface Hl7Time {
  readonly text: string;
  /** `fraction-cut`: HL7 has four digits behind the seconds; the others are cut off, not rounded. */
  readonly loss: 'fraction-cut' | undefined;
}

const dateTime =
  /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:\d\d))?)?)?$/;

/**
 * A FHIR `date`, `dateTime` or `instant` as a timestamp of the same precision. Undefined for anything else:
 * a time without an offset, a day that the calendar has not, and a leap second, which HL7 cannot write.
 */
export function parseFhirDateTime(text: string): Timestamp | undefined {
  const match = dateTime.exec(text);
  if (match === null) return undefined;
  const [, year = '', month, day, hour, minute, second, fraction, zone] = match;
  if (!isDate(year, month, day) || !isTime(hour, minute, second)) return undefined;
  if (zone !== undefined && zone !== 'Z' && !isOffset(zone)) return undefined;
  const parts = { month, day, hour, minute, second, fraction };
  const given = Object.entries(parts).filter(([, digits]) => digits !== undefined);
  const precision = (given.at(-1)?.[0] ?? 'year') as Timestamp['precision'];
  const offset = zone === undefined ? {} : { offset: zone === 'Z' ? '+00:00' : zone };
  return { precision, year, ...Object.fromEntries(given), ...offset };
}

/** As far as FHIR lets zones go. */
function isOffset(zone: string): boolean {
  const [hours = 0, minutes = 0] = zone.slice(1).split(':').map(Number);
  return minutes <= 59 && (hours < 14 || (hours === 14 && minutes === 0));
}

/**
 * A FHIR `date`, `dateTime` or `instant` as HL7 DT, DTM or TS.1: `2024-01-01T12:00:00.123-05:00` as
 * `20240101120000.123-0500`, `Z` as `+0000`, a year as a year. Undefined as in {@link parseFhirDateTime}.
 */
export function fromFhirDateTime(text: string): Hl7Time | undefined {
  const timestamp = parseFhirDateTime(text);
  return timestamp === undefined ? undefined : formatTimestamp(timestamp);
}

/** A FHIR `time` (`HH:MM:SS[.S…]`) as HL7 TM. Undefined for anything else. */
export function fromFhirTime(text: string): Hl7Time | undefined {
  const match = /^(\d\d):(\d\d):(\d\d)(?:\.(\d+))?$/.exec(text);
  if (match === null) return undefined;
  const [, hour = '', minute = '', second = '', fraction] = match;
  if (!isTime(hour, minute, second)) return undefined;
  return withFraction(`${hour}${minute}${second}`, fraction, '');
}

/** A timestamp as HL7 writes it, its precision kept. */
export function formatTimestamp(timestamp: Timestamp): Hl7Time {
  const { year, month, day, hour, minute, second, fraction, offset = '' } = timestamp;
  const digits = [year, month, day, hour, minute, second].join('');
  return withFraction(digits, fraction, offset.replace(':', ''));
}

function withFraction(digits: string, fraction: string | undefined, offset: string): Hl7Time {
  const kept = fraction === undefined ? '' : `.${fraction.slice(0, 4)}`;
  const isCut = fraction !== undefined && fraction.length > 4;
  return { text: `${digits}${kept}${offset}`, loss: isCut ? 'fraction-cut' : undefined };
}
