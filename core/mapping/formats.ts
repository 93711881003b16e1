/** How values are written in HL7 v2 and in FHIR: conversions of text to text, nothing of the message known. */

const dateTime =
  /^(\d{4})(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:\.(\d{1,4}))?)?)?)?)?)?([+-]\d{4})?$/;

/**
 * HL7 date-time (`YYYY[MM[DD[HH[MM[SS[.S…]]]]]][±ZZZZ]`) as FHIR dateTime, its precision kept as far as FHIR
 * has it: with an hour, minutes and seconds are written and a zone is required. HL7 v2 chapter 2A, DTM.
 *
 * @param zone what to write where the value has none: `+01:00` or `Z`.
 * @returns undefined for what is no date-time.
 */
export function toFhirDateTime(text: string, zone: string): string | undefined {
  const parts = dateTime.exec(text.trim());
  if (parts === null) return undefined;
  const [, year = '', month, day, hour, minute = '00', second = '00', fraction, offset] = parts;
  if (year === '0000') return undefined;
  if (month === undefined) return year;
  if (!isBetween(month, 1, 12)) return undefined;
  if (day === undefined) return `${year}-${month}`;
  if (!isBetween(day, 1, daysIn(Number(year), Number(month)))) return undefined;
  const date = `${year}-${month}-${day}`;
  if (hour === undefined) return date;
  if (!isBetween(hour, 0, 23) || !isBetween(minute, 0, 59) || !isBetween(second, 0, 59)) {
    return undefined;
  }
  const tail = fraction === undefined ? '' : `.${fraction}`;
  const written = offset === undefined ? zone : toFhirZone(offset);
  return written === undefined ? undefined : `${date}T${hour}:${minute}:${second}${tail}${written}`;
}

/** The day of an HL7 date-time as FHIR date: a year, a month or a day. */
export function toFhirDate(text: string): string | undefined {
  return toFhirDateTime(text, 'Z')?.slice(0, 10);
}

/** HL7 time (`HH[MM[SS[.S…]]][±ZZZZ]`) as FHIR time, which has no zone. */
export function toFhirTime(text: string): string | undefined {
  const parts = /^(\d\d)(?:(\d\d)(?:(\d\d)(\.\d{1,4})?)?)?(?:[+-]\d{4})?$/.exec(text.trim());
  if (parts === null) return undefined;
  const [, hour = '', minute = '00', second = '00', fraction = ''] = parts;
  if (!isBetween(hour, 0, 23) || !isBetween(minute, 0, 59) || !isBetween(second, 0, 59)) {
    return undefined;
  }
  return `${hour}:${minute}:${second}${fraction}`;
}

/** `±ZZZZ` as `±ZZ:ZZ`; undefined beyond what FHIR takes (14:00). */
export function toFhirZone(offset: string): string | undefined {
  const [, sign = '', hours = '', minutes = ''] = /^([+-])(\d\d)(\d\d)$/.exec(offset) ?? [];
  if (sign === '' || Number(minutes) > 59) return undefined;
  if (Number(hours) > 14 || (Number(hours) === 14 && minutes !== '00')) return undefined;
  return `${sign}${hours}:${minutes}`;
}

/** Whether an HL7 date-time has an hour and no zone of its own. */
export function lacksZone(text: string): boolean {
  const parts = dateTime.exec(text.trim());
  return parts?.[4] !== undefined && parts[8] === undefined;
}

/** The zone that an HL7 date-time states, as FHIR writes it. */
export function findZone(text: string): string | undefined {
  const offset = dateTime.exec(text.trim())?.[8];
  return offset === undefined ? undefined : toFhirZone(offset);
}

const number = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)$/;

/** Whether it is a number as HL7 NM writes it. HL7 v2 chapter 2A, NM. */
export function isNumber(text: string): boolean {
  return number.test(text.trim());
}

/** A comparator and a number, as `<0.5`. */
export const comparison = /^\s*(<=|>=|<|>)\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+))\s*$/;

/** Whether it is a comparator and a number. */
export function isComparedNumber(text: string): boolean {
  return comparison.test(text);
}

/** Whether it converts to a FHIR dateTime. */
export function isDateTime(text: string): boolean {
  return toFhirDateTime(text, 'Z') !== undefined;
}

/** Whether it converts to a FHIR time. */
export function isTime(text: string): boolean {
  return toFhirTime(text) !== undefined;
}

/** What a FHIR code allows: no white space around it and single spaces within. */
export function toCode(text: string): string {
  return text.trim().replace(/\s+/g, ' ');
}

/** A name as the last part of a URN: everything but unreserved characters percent-encoded. */
export function toUrnPart(text: string): string {
  return encodeURIComponent(text.trim()).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function isBetween(text: string, low: number, high: number): boolean {
  const value = Number(text);
  return value >= low && value <= high;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
