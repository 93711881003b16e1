import { isWithin, type Version } from '../definitions/versions.ts';

/** How the values of a primitive datatype are written. Looks at characters only: most values are checked so. */
export interface Form {
  /** For people: `a number`. */
  readonly expected: string;
  /** Whether `text` has the form in `[start, end)`, which is not empty. */
  readonly test: (text: string, start: number, end: number) => boolean;
}

/** The form that a primitive datatype prescribes in a version; undefined where any text will do. */
export function findForm(datatype: string, version: Version): Form | undefined {
  const own = isWithin(version, { from: '2.1', to: '2.2' }) ? earlyForms[datatype] : undefined;
  return own ?? forms[datatype];
}

/** HL7 v2 chapter 2A (before 2.5 in chapter 2), by datatype. */
const forms: Readonly<Record<string, Form>> = {
  NM: { expected: 'a number', test: isNumber },
  SI: { expected: 'a whole number of up to four digits', test: isSequenceId },
  SNM: { expected: 'digits, and + in front at most', test: isDigits },
  DT: { expected: 'a date as YYYY[MM[DD]]', test: isDate },
  TM: { expected: 'a time as HH[MM[SS[.SSSS]]][+ZZZZ]', test: isTime },
  DTM: {
    expected: 'a date or time as YYYYMMDDHHMMSS.SSSS+ZZZZ or its beginning',
    test: isTimestamp,
  },
};

/** Up to 2.2 dates were always written to the day and times to the minute. */
const earlyForms: Readonly<Record<string, Form>> = {
  DT: {
    expected: 'a date as YYYYMMDD',
    test: (text, start, end) => end - start === 8 && isDate(text, start, end),
  },
  TM: {
    expected: 'a time as HHMM[SS[.SSSS]][+ZZZZ]',
    test: (text, start, end) => countDigits(text, start, end) >= 4 && isTime(text, start, end),
  },
  DTM: {
    expected: 'a date or time as YYYYMMDD[HHMM[SS[.SSSS]]][+ZZZZ]',
    test: (text, start, end) => {
      const digits = countDigits(text, start, end);
      return digits >= 8 && digits !== 10 && isTimestamp(text, start, end);
    },
  },
};

const zero = 48;
const plus = 43;
const minus = 45;
const dot = 46;

function countDigits(text: string, start: number, end: number): number {
  let at = start;
  while (at < end && isDigit(text.charCodeAt(at))) at++;
  return at - start;
}

function isDigit(code: number): boolean {
  return code >= zero && code <= zero + 9;
}

/** `[+-]digits[.digits]`, one of both sides of the point at least. */
function isNumber(text: string, start: number, end: number): boolean {
  const sign = text.charCodeAt(start);
  const from = sign === plus || sign === minus ? start + 1 : start;
  const whole = countDigits(text, from, end);
  const at = from + whole;
  if (at === end) return whole > 0;
  if (text.charCodeAt(at) !== dot) return false;
  const fraction = countDigits(text, at + 1, end);
  return at + 1 + fraction === end && whole + fraction > 0;
}

function isSequenceId(text: string, start: number, end: number): boolean {
  return end - start <= 4 && isDigits(text, start, end) && isDigit(text.charCodeAt(start));
}

function isDigits(text: string, start: number, end: number): boolean {
  const from = text.charCodeAt(start) === plus ? start + 1 : start;
  return from < end && from + countDigits(text, from, end) === end;
}

function isDate(text: string, start: number, end: number): boolean {
  const digits = end - start;
  return countDigits(text, start, end) === digits && isCalendarDate(text, start, digits);
}

/** YYYY, YYYYMM or YYYYMMDD that the calendar has. */
function isCalendarDate(text: string, start: number, digits: number): boolean {
  if (digits !== 4 && digits !== 6 && digits !== 8) return false;
  if (digits === 4) return true;
  const month = readPair(text, start + 4);
  if (month < 1 || month > 12) return false;
  if (digits === 6) return true;
  const day = readPair(text, start + 6);
  return day >= 1 && day <= countDays(text, start, month);
}

function countDays(text: string, start: number, month: number): number {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
  const year = readPair(text, start) * 100 + readPair(text, start + 2);
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
}

function readPair(text: string, at: number): number {
  return (text.charCodeAt(at) - zero) * 10 + text.charCodeAt(at + 1) - zero;
}

/** `YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ]`. */
function isTimestamp(text: string, start: number, end: number): boolean {
  const digits = countDigits(text, start, end);
  if (digits <= 8) {
    return isCalendarDate(text, start, digits) && isZone(text, start + digits, end);
  }
  return isCalendarDate(text, start, 8) && isTimeOfDay(text, start + 8, digits - 8, end);
}

function isTime(text: string, start: number, end: number): boolean {
  return isTimeOfDay(text, start, countDigits(text, start, end), end);
}

/** `HH[MM[SS[.S[S[S[S]]]]]][+/-ZZZZ]`, of which the first `digits` are digits. */
function isTimeOfDay(text: string, start: number, digits: number, end: number): boolean {
  if (digits !== 2 && digits !== 4 && digits !== 6) return false;
  if (readPair(text, start) > 23) return false;
  if (digits >= 4 && readPair(text, start + 2) > 59) return false;
  if (digits === 6 && readPair(text, start + 4) > 59) return false;
  let at = start + digits;
  if (at < end && text.charCodeAt(at) === dot) {
    const fraction = countDigits(text, at + 1, end);
    if (digits !== 6 || fraction < 1 || fraction > 4) return false;
    at += 1 + fraction;
  }
  return isZone(text, at, end);
}

/** Nothing, or an offset from -1200 to +1400, as far as zones go on earth. */
function isZone(text: string, start: number, end: number): boolean {
  if (start === end) return true;
  const sign = text.charCodeAt(start);
  if ((sign !== plus && sign !== minus) || end - start !== 5) return false;
  if (countDigits(text, start + 1, end) !== 4) return false;
  const minutes = readPair(text, start + 3);
  const limit = sign === plus ? 14 : 12;
  return minutes <= 59 && readPair(text, start + 1) * 60 + minutes <= limit * 60;
}
