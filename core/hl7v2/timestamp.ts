/** How much of a timestamp is given. */
type TimestampPrecision = 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second' | 'fraction';

/**
 * An HL7 date, date-time or timestamp with exactly what the sender gave: digits as written, no default
 * for what is missing.
 */
export interface Timestamp {
  readonly precision: TimestampPrecision;
  readonly year: string;
  readonly month?: string;
  readonly day?: string;
  readonly hour?: string;
  readonly minute?: string;
  readonly second?: string;
  /** The digits behind the dot: one to four in HL7, any number in FHIR. */
  readonly fraction?: string;
  /** `+01:00`, as FHIR writes it; absent where the sender gave none. */
  readonly offset?: string;
}

const shape =
  /^(\d{4})(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:\.(\d{1,4}))?)?)?)?)?)?([+-]\d{4})?$/;

/**
 * Reads `YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ]` (DT, DTM, and TS.1). Undefined for anything else,
 * for a day that the calendar has not, and for an offset on a date alone. HL7 v2 chapter 2, DTM.
 */
export function parseTimestamp(text: string): Timestamp | undefined {
  const match = shape.exec(text);
  if (match === null) return undefined;
  const [, year = '', month, day, hour, minute, second, fraction, zone] = match;
  if (!isDate(year, month, day) || !isTime(hour, minute, second)) return undefined;
  if (zone !== undefined && (hour === undefined || !isZone(zone))) return undefined;
  // Part by part: a message holds many times.
  const timestamp: { -readonly [Part in keyof Timestamp]: Timestamp[Part] } = {
    precision: 'year',
    year,
  };
  if (month !== undefined) {
    timestamp.precision = 'month';
    timestamp.month = month;
  }
  if (day !== undefined) {
    timestamp.precision = 'day';
    timestamp.day = day;
  }
  if (hour !== undefined) {
    timestamp.precision = 'hour';
    timestamp.hour = hour;
  }
  if (minute !== undefined) {
    timestamp.precision = 'minute';
    timestamp.minute = minute;
  }
  if (second !== undefined) {
    timestamp.precision = 'second';
    timestamp.second = second;
  }
  if (fraction !== undefined) {
    timestamp.precision = 'fraction';
    timestamp.fraction = fraction;
  }
  if (zone !== undefined) timestamp.offset = `${zone.slice(0, 3)}:${zone.slice(3)}`;
  return timestamp;
}

/**
 * A TS whose second component says how precise it is (Y, L for month, D, H, M, S): digits behind that
 * were only filled in and are dropped. Never more precise than before. HL7 v2 chapter 2 up to 2.5, TS.2.
 */
export function limitPrecision(timestamp: Timestamp, degree: string): Timestamp {
  const position = 'YLDHMS'.indexOf(degree);
  if (degree.length !== 1 || position === -1) return timestamp;
  const parts = (['year', 'month', 'day', 'hour', 'minute', 'second'] as const).slice(
    0,
    position + 1,
  );
  const given = parts.filter((part) => timestamp[part] !== undefined);
  if (given.length <= position) return timestamp;
  const precision = given.at(-1) ?? 'year';
  // Seconds may have been given with a fraction: that is precise to the second, and more.
  if (precision === 'second') return timestamp;
  const kept = given.map((part) => [part, timestamp[part]] as const);
  const hasOffset = position >= 3 && timestamp.offset !== undefined;
  return {
    year: timestamp.year,
    ...Object.fromEntries(kept),
    precision,
    ...(hasOffset ? { offset: timestamp.offset } : {}),
  };
}

/** Whether the calendar has that year, month or day; there is no year 0. */
export function isDate(year: string, month: string | undefined, day: string | undefined): boolean {
  if (year === '0000') return false;
  if (month === undefined) return true;
  if (month < '01' || month > '12') return false;
  if (day === undefined) return true;
  return day >= '01' && Number(day) <= findLastDay(Number(year), month);
}

function findLastDay(year: number, month: string): number {
  if (month === '02') return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return /0[469]|11/.test(month) ? 30 : 31;
}

/** Whether a clock shows that time. */
export function isTime(hour = '00', minute = '00', second = '00'): boolean {
  return hour <= '23' && minute <= '59' && second <= '59';
}

/** From -1200 to +1400, as far as zones go on earth. */
function isZone(zone: string): boolean {
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3));
  const limit = zone.startsWith('+') ? 14 * 60 : 12 * 60;
  return Number(zone.slice(3)) <= 59 && minutes <= limit;
}

/** A FHIR `date`: as precise as the timestamp, without its time. */
export function toFhirDate({ year, month, day }: Timestamp): string {
  if (month === undefined) return year;
  return day === undefined ? `${year}-${month}` : `${year}-${month}-${day}`;
}

/**
 * What FHIR cannot say of a timestamp, or says beyond it:
 * `minutes-missing`: an hour alone is left out; `offset-missing`: a time without an offset is left out;
 * `offset-ambiguous`: the clock of the zone shows that time twice or never, so it is left out;
 * `seconds-filled`: seconds, which FHIR asks for, are `00` though not known.
 */
export type TimestampLoss =
  'minutes-missing' | 'offset-missing' | 'offset-ambiguous' | 'seconds-filled';

/**
 * A FHIR `dateTime`. A time needs minutes and an offset there: its own, or that of `zone` (`+01:00`, or
 * an IANA name such as `Europe/Berlin`). Without them, and where the clock of the zone shows that time
 * twice or never, it falls back to the date. FHIR asks for seconds and allows `00` where none are known.
 */
export function toFhirDateTime(timestamp: Timestamp, zone?: string): string {
  return convertDateTime(timestamp, zone).text;
}

/** As {@link toFhirDateTime}, with what that loses or fills in; undefined where it is the same. */
export function convertDateTime(
  timestamp: Timestamp,
  zone?: string,
): { readonly text: string; readonly loss: TimestampLoss | undefined } {
  const date = toFhirDate(timestamp);
  const { hour, minute, second, fraction } = timestamp;
  if (hour === undefined) return { text: date, loss: undefined };
  if (minute === undefined) return { text: date, loss: 'minutes-missing' };
  if (timestamp.offset === undefined && zone === undefined) {
    return { text: date, loss: 'offset-missing' };
  }
  const offset = timestamp.offset ?? (zone === undefined ? undefined : findOffset(timestamp, zone));
  if (offset === undefined) return { text: date, loss: 'offset-ambiguous' };
  const seconds = `${second ?? '00'}${fraction === undefined ? '' : `.${fraction}`}`;
  return {
    text: `${date}T${hour}:${minute}:${seconds}${offset}`,
    loss: second === undefined ? 'seconds-filled' : undefined,
  };
}

/** A FHIR `instant`, which needs seconds and an offset; undefined where they are not known. */
export function toFhirInstant(timestamp: Timestamp, zone?: string): string | undefined {
  if (timestamp.second === undefined) return undefined;
  const text = toFhirDateTime(timestamp, zone);
  return text.includes('T') ? text : undefined;
}

/** A point in time (milliseconds since 1970) as an HL7 timestamp in UTC: `20260102030405.678+0000`. */
export function toHl7Timestamp(epochMs: number): string {
  return `${new Date(epochMs).toISOString().replaceAll(/[-:TZ]/g, '')}+0000`;
}

/** The offset that a place's clock has at a local time; undefined where it shows that time twice or never. */
function findOffset(timestamp: Timestamp, zone: string): string | undefined {
  if (/^[+-]\d\d:\d\d$/.test(zone)) return zone;
  const { year, month, day, hour, minute, second } = timestamp;
  const wanted = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second ?? 0),
  );
  // The offset is one of those in force a day before and a day after; the right one leads back to it.
  const dayMs = 86_400_000;
  const candidates = new Set([offsetAt(wanted - dayMs, zone), offsetAt(wanted + dayMs, zone)]);
  const right = [...candidates].filter(
    (minutes) => offsetAt(wanted - minutes * 60_000, zone) === minutes,
  );
  const [minutes] = right;
  return right.length !== 1 || minutes === undefined ? undefined : formatOffset(minutes);
}

/** The minutes that the zone's clock is ahead of UTC at a point in time. Throws RangeError on an unknown zone. */
function offsetAt(epochMs: number, zone: string): number {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
    formats.set(zone, format);
  }
  const name = format.formatToParts(epochMs).find((part) => part.type === 'timeZoneName')?.value;
  const match = /([+-])(\d\d):(\d\d)/.exec(name ?? '');
  if (match === null) return 0;
  const minutes = Number(match[2]) * 60 + Number(match[3]);
  return match[1] === '-' ? -minutes : minutes;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOffset(minutes: number): string {
  const digits = (number: number): string => String(number).padStart(2, '0');
  const ahead = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${digits(Math.floor(ahead / 60))}:${digits(ahead % 60)}`;
}
