import type { Issue } from '../issue.ts';
import { findResultStatus, valueTypes } from './definitions/fields.ts';
import { isWithin, type Version } from './definitions/versions.ts';
import { toLocation } from './location.ts';
import type { Hl7Message, Repetition, Segment } from './message.ts';
import { parseTimestamp } from './timestamp.ts';

/**
 * OBX-2 against table 0125, each repetition of OBX-5 against what OBX-2 says it is, and OBX-11 against
 * table 0085: a code that only a later version has is a warning, since it can be understood.
 */
export function validateObservation(
  message: Hl7Message,
  segment: Segment,
  version: Version,
): readonly Issue[] {
  return [...validateValue(message, segment), ...validateStatus(message, segment, version)];
}

function validateStatus(message: Hl7Message, segment: Segment, version: Version): readonly Issue[] {
  const status = segment.field(11);
  const code = status.repetitions[0]?.component(1).text ?? '';
  // An empty one is missing and reported as such; the HL7 null is a value of its own.
  if (code === '' || status.raw === '""') return [];
  const from = findResultStatus(code);
  if (from !== undefined && isWithin(version, { from })) return [];
  const location = toLocation(message, segment, 11);
  if (from === undefined) {
    const text = 'Expected a result status of table 0085, such as F or P, found another code';
    return [buildError('code-not-in-table', location, text)];
  }
  const text = `Expected a result status that table 0085 has in version ${version}, found one that it has from ${from} on; it is understood as that`;
  return [{ code: 'code-not-in-table', severity: 'warning', location, message: text }];
}

function validateValue(message: Hl7Message, segment: Segment): readonly Issue[] {
  // Some senders name the table too (`CWE^^HL70125`); receivers ignore components they do not expect.
  const type = segment.field(2).repetitions[0]?.component(1).text ?? '';
  const values = segment.field(5).repetitions;
  if (type === '') {
    if (!values.some((value) => value.valued)) return [];
    const text = 'Expected the type of the value in OBX-5, found none';
    return [buildError('required-field-missing', toLocation(message, segment, 2), text)];
  }
  if (!valueTypes.has(type)) {
    const text = 'Expected a datatype of table 0125, such as NM or CWE, found another code';
    return [buildError('code-not-in-table', toLocation(message, segment, 2), text)];
  }
  const check = checks[type];
  if (check === undefined) return [];
  return values.flatMap((value, index) => {
    if (!value.valued) return [];
    const expected = check(value);
    if (expected === undefined) return [];
    const location = toLocation(message, segment, `5[${index + 1}]`);
    return [
      buildError(
        'value-invalid',
        location,
        `Expected ${expected}, as OBX-2 says ${type}, found other text`,
      ),
    ];
  });
}

/** What was expected where a value is not of its type; undefined where it is. */
type Check = (value: Repetition) => string | undefined;

const checks: Readonly<Record<string, Check>> = {
  NM: (value) => (isNumber(value.text) ? undefined : 'a number'),
  SI: (value) => (/^\d{1,4}$/.test(value.text) ? undefined : 'a whole number of up to four digits'),
  DT: (value) => (isDate(value.text) ? undefined : 'a date as YYYY[MM[DD]]'),
  TM: (value) => (isTime(value.text) ? undefined : 'a time as HH[MM[SS[.SSSS]]][+ZZZZ]'),
  TS: checkTimestamp,
  DTM: checkTimestamp,
  SN: (value) => {
    const numbers = [value.component(2), value.component(4)].filter((part) => part.valued);
    return numbers.every((part) => isNumber(part.text))
      ? undefined
      : 'numbers in the second and fourth component';
  },
};

function checkTimestamp(value: Repetition): string | undefined {
  const text = value.component(1).text;
  return text === '' || parseTimestamp(text) !== undefined
    ? undefined
    : 'a date or time as YYYYMMDDHHMMSS.SSSS+ZZZZ or its beginning';
}

function isNumber(text: string): boolean {
  return /^[+-]?(?:\d+\.?\d*|\.\d+)$/.test(text);
}

function isDate(text: string): boolean {
  return text.length <= 8 && parseTimestamp(text) !== undefined;
}

/** A time of day is the end of a timestamp. */
function isTime(text: string): boolean {
  return parseTimestamp(`20000101${text}`) !== undefined && text !== '';
}

function buildError(code: string, location: string, message: string): Issue {
  return { code, severity: 'error', location, message };
}
