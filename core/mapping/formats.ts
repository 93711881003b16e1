import { parseTimestamp } from '../hl7v2/timestamp.ts';

/** How values are written in HL7 v2 and in FHIR: conversions of text to text, nothing of the message known. */

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

/** Whether it is an HL7 date or date-time. */
export function isDateTime(text: string): boolean {
  const timestamp = parseTimestamp(text.trim());
  return timestamp !== undefined && timestamp.year !== '0000';
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
