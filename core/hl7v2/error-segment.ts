import type { Issue, Severity } from '../issue.ts';
import { escapeText } from './escape.ts';
import type { Delimiters } from './message.ts';
import { parsePath } from './parse-path.ts';
import type { Path } from './path.ts';

/**
 * HL7 table 0357 by our issue codes: everything that is the sender's to mend. Whatever is not here is
 * ours, and 207.
 */
const conditions: Readonly<Record<string, readonly [string, string]>> = {
  remark: ['0', 'Message accepted'],
  'segment-missing': ['100', 'Segment sequence error'],
  'segment-out-of-order': ['100', 'Segment sequence error'],
  'segment-unexpected': ['100', 'Segment sequence error'],
  'header-repeated': ['100', 'Segment sequence error'],
  'header-missing': ['100', 'Segment sequence error'],
  'message-empty': ['100', 'Segment sequence error'],
  'batch-unsplit': ['100', 'Segment sequence error'],
  'content-unexpected': ['100', 'Segment sequence error'],
  'segment-name-invalid': ['100', 'Segment sequence error'],
  'segment-expected': ['100', 'Segment sequence error'],
  'segment-unsupported': ['100', 'Segment sequence error'],
  'segments-too-few': ['100', 'Segment sequence error'],
  'segments-too-many': ['100', 'Segment sequence error'],
  'header-too-short': ['101', 'Required field missing'],
  'required-field-missing': ['101', 'Required field missing'],
  'value-expected': ['101', 'Required field missing'],
  'repetitions-too-few': ['101', 'Required field missing'],
  'value-invalid': ['102', 'Data type error'],
  'value-too-short': ['102', 'Data type error'],
  'value-unsupported': ['102', 'Data type error'],
  'values-contradictory': ['102', 'Data type error'],
  'character-invalid': ['102', 'Data type error'],
  'component-unexpected': ['102', 'Data type error'],
  'field-unexpected': ['102', 'Data type error'],
  'repetitions-too-many': ['102', 'Data type error'],
  'delimiter-invalid': ['102', 'Data type error'],
  'delimiters-not-distinct': ['102', 'Data type error'],
  'encoding-characters-count': ['102', 'Data type error'],
  'charset-mismatch': ['102', 'Data type error'],
  'code-not-in-table': ['103', 'Table value not found'],
  'value-not-fixed': ['103', 'Table value not found'],
  'charset-unknown': ['103', 'Table value not found'],
  'structure-mismatch': ['103', 'Table value not found'],
  'value-too-long': ['104', 'Value too long'],
  'message-type-unknown': ['200', 'Unsupported message type'],
  'event-unknown': ['201', 'Unsupported event code'],
  'processing-id-unknown': ['202', 'Unsupported processing id'],
  'version-unknown': ['203', 'Unsupported version id'],
  'version-later': ['203', 'Unsupported version id'],
  'message-type-not-accepted': ['200', 'Unsupported message type'],
  'event-not-accepted': ['201', 'Unsupported event code'],
  'processing-id-not-accepted': ['202', 'Unsupported processing id'],
  'version-not-accepted': ['203', 'Unsupported version id'],
  // MSH-3 to MSH-6 are coded by tables of the site (0361, 0362): the value is in none that is accepted.
  'sender-not-accepted': ['103', 'Table value not found'],
  'receiver-not-accepted': ['103', 'Table value not found'],
  'sequence-number-invalid': ['102', 'Data type error'],
  'sequence-link-with-content': ['102', 'Data type error'],
  'version-differs': ['203', 'Unsupported version id'],
  'control-id-reused': ['205', 'Duplicate key identifier'],
};

const otherCondition = ['207', 'Application internal error'] as const;

/** The code of HL7 table 0357 and its name for one of our codes that is the sender's to mend. */
export function findCondition(code: string): readonly [string, string] | undefined {
  return Object.hasOwn(conditions, code) ? conditions[code] : undefined;
}

/** HL7 table 0516. */
const severities: Readonly<Record<Severity, string>> = {
  fatal: 'F',
  error: 'E',
  warning: 'W',
  information: 'I',
};

/**
 * Findings as ERR segments, without segment ends. From 2.5 on one a finding (ERR-2, 3, 4, 5, 7 and 8);
 * before that one segment with a repetition of ERR-1 for each that refuses the message.
 */
export function buildErrorSegments(
  issues: readonly Issue[],
  delimiters: Delimiters,
  version: string,
): readonly string[] {
  if (isAtLeast(version, '2.5')) return issues.map((issue) => buildError(issue, delimiters));
  const refusing = issues.filter((each) => each.severity === 'fatal' || each.severity === 'error');
  if (refusing.length === 0) return [];
  const locations = refusing.map((issue) => buildLocationAndCode(issue, delimiters));
  return [`ERR${delimiters.field}${locations.join(delimiters.repetition)}`];
}

/** What is wrong as a code of table 0357, such as `101^Required field missing^HL70357`. */
export function buildCondition(issue: Issue, separator: string): string {
  const [code, display] = conditions[issue.code] ?? otherCondition;
  return separator === '' ? code : [code, display, 'HL70357'].join(separator);
}

/** Whether a version such as `2.5.1` is this one or a later one; an empty or strange one is taken as the latest. */
export function isAtLeast(version: string, wanted: string): boolean {
  if (version === wanted) return true;
  if (!/^\d+(\.\d+)*$/.test(version)) return true;
  const [found, least] = [version.split('.'), wanted.split('.')];
  for (const [index, part] of least.entries()) {
    const difference = Number(found[index] ?? -1) - Number(part);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

function buildError(issue: Issue, delimiters: Delimiters): string {
  const { component } = delimiters;
  const write = (text: string): string => escapeText(text, delimiters) ?? '';
  const path = toHl7Path(issue.location);
  const location =
    path === undefined
      ? ''
      : [path.segment, path.occurrence ?? 1, ...toNumbers(path)].join(component);
  return [
    'ERR',
    '',
    location,
    buildCondition(issue, component),
    severities[issue.severity],
    buildApplicationCode(write(issue.code), component),
    '',
    write(issue.location ?? ''),
    write(issue.message),
  ].join(delimiters.field);
}

/** Up to 2.6 the code of a CWE has twenty characters at most: a longer one is its text. */
function buildApplicationCode(code: string, component: string): string {
  return (code.length > 20 ? ['', code, '99HILUM'] : [code, '', '99HILUM']).join(component);
}

/** Field, repetition, component and sub-component as far as they are given; a repetition is 1 where it is not. */
function toNumbers(path: Path): readonly number[] {
  if (path.field === undefined) return [];
  const { field, repetition = 1, component, subcomponent } = path;
  return [field, repetition, component, subcomponent].filter((each) => each !== undefined);
}

/** ERR-1 as 2.1 to 2.4 have it: segment, sequence, field position, and the code in sub-components. */
function buildLocationAndCode(issue: Issue, delimiters: Delimiters): string {
  const path = toHl7Path(issue.location);
  return [
    path?.segment ?? '',
    path === undefined ? '' : (path.occurrence ?? 1),
    path?.field ?? '',
    buildCondition(issue, delimiters.subcomponent),
  ].join(delimiters.component);
}

function toHl7Path(location: string | undefined): Path | undefined {
  if (location === undefined) return undefined;
  const result = parsePath(location);
  return result.ok ? result.path : undefined;
}
