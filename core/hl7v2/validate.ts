import type { Issue } from '../issue.ts';
import { findRequiredFields, findTimestampFields } from './definitions/fields.ts';
import { findStructureName, isStructure } from './definitions/structures.ts';
import { findVersion, isLaterVersion, versions, type Version } from './definitions/versions.ts';
import { toLocation } from './location.ts';
import { matchStructure } from './match-structure.ts';
import type { Delimiters, Hl7Message, Segment } from './message.ts';
import { buildNameIssue, isSegmentName } from './segment-name.ts';
import { findStructure } from './structure.ts';
import { parseTimestamp } from './timestamp.ts';
import { validateObservation } from './validate-observation.ts';

/**
 * Checks a message against its version: structure, required fields, timestamps, OBX-5 by OBX-2, and
 * OBX-11. All findings at once, in the order of the message's parts, each with a location that starts with a
 * segment. Codes: `version-unknown`, `version-later` (a warning: checked as the newest that is described
 * here), `message-type-unknown`
 * (a warning: its structure is not checked), `structure-mismatch` (a warning), `segment-missing`,
 * `segment-out-of-order`, `segment-unexpected` (a warning), `segment-name-invalid`,
 * `required-field-missing`, `value-invalid`, `code-not-in-table`.
 */
export function validate(message: Hl7Message): readonly Issue[] {
  const version = findVersion(message.version);
  return [
    ...validateVersion(message, version),
    ...validateType(message),
    ...validateStructure(message, version),
    // A later or unknown version is read as the newest we know: fields are only ever added.
    ...validateSegments(message, version ?? newest),
  ];
}

const newest: Version = '2.8.2';

function validateVersion(message: Hl7Message, version: Version | undefined): readonly Issue[] {
  if (version !== undefined || message.version === '') return [];
  if (isLaterVersion(message.version)) {
    return [
      {
        code: 'version-later',
        severity: 'warning',
        location: 'MSH-12',
        message: `Expected a version from ${versions[0]} to ${newest}, found a later one; checked as ${newest}`,
      },
    ];
  }
  return [
    {
      code: 'version-unknown',
      severity: 'error',
      location: 'MSH-12',
      message: `Expected a version from ${versions[0]} to ${newest}, found another`,
    },
  ];
}

/** MSH-9 and MSH-11, as far as they are there at all. */
function validateType(message: Hl7Message): readonly Issue[] {
  const issues: Issue[] = [];
  const type = message.get('MSH-9.1') ?? '';
  if (type !== '' && type !== 'ACK' && (message.get('MSH-9.2') ?? '') === '') {
    const text = 'Expected the trigger event, such as R01, found none';
    issues.push(buildError('required-field-missing', 'MSH-9.2', text));
  }
  const processing = message.get('MSH-11.1') ?? '';
  if (processing !== '' && !['P', 'T', 'D'].includes(processing)) {
    issues.push(
      buildError(
        'code-not-in-table',
        'MSH-11',
        'Expected P, T or D (table 0103), found another code',
      ),
    );
  }
  return issues;
}

function validateStructure(message: Hl7Message, version: Version | undefined): readonly Issue[] {
  const type = message.get('MSH-9.1') ?? '';
  const event = message.get('MSH-9.2') ?? '';
  if (type === '' || (event === '' && type !== 'ACK')) return [];
  const declared = message.get('MSH-9.3') ?? '';
  const expected = findStructureName(type, event);
  const name = expected ?? (isStructure(declared) ? declared : undefined);
  const structure = name === undefined ? undefined : findStructure(name, version ?? newest);
  if (name === undefined || structure === undefined) {
    return [
      {
        code: 'message-type-unknown',
        severity: 'warning',
        location: 'MSH-9',
        message:
          'Expected a message type and event whose structure is known here in this version, found another; the order of its segments is not checked',
      },
    ];
  }
  const mismatch: readonly Issue[] =
    expected === undefined || declared === '' || declared === expected
      ? []
      : [
          {
            code: 'structure-mismatch',
            severity: 'warning',
            location: 'MSH-9.3',
            message: `Expected ${expected}, the structure of the event in MSH-9.2, found another; checked as ${expected}`,
          },
        ];
  return [...mismatch, ...matchStructure(message, structure)];
}

function validateSegments(message: Hl7Message, version: Version): readonly Issue[] {
  let last: Segment | undefined;
  return message.segments.flatMap((segment) => {
    if (!isSegmentName(segment.name)) {
      return [buildNameIssue(message, last ?? segment, segment.line)];
    }
    last = segment;
    return validateSegment(message, segment, version);
  });
}

function validateSegment(
  message: Hl7Message,
  segment: Segment,
  version: Version,
): readonly Issue[] {
  const issues: Issue[] = [];
  for (const position of findRequiredFields(segment.name, version)) {
    if (isPopulated(segment, position, message.delimiters)) continue;
    const location = toLocation(message, segment, position);
    const text = 'Expected a value in this required field, found none';
    issues.push(buildError('required-field-missing', location, text));
  }
  for (const position of findTimestampFields(segment.name)) {
    segment.field(position).repetitions.forEach((repetition, index) => {
      const value = repetition.component(1);
      if (!value.valued || parseTimestamp(value.text) !== undefined) return;
      const location = toLocation(
        message,
        segment,
        index === 0 ? position : `${position}[${index + 1}]`,
      );
      const text =
        'Expected a date or time as YYYYMMDDHHMMSS.SSSS+ZZZZ or its beginning, found other text';
      issues.push(buildError('value-invalid', location, text));
    });
  }
  if (segment.name === 'OBX') issues.push(...validateObservation(message, segment, version));
  return issues;
}

/** Anything but delimiters; the HL7 null counts, since the sender said something. */
function isPopulated(segment: Segment, position: number, delimiters: Delimiters): boolean {
  const { component, repetition, subcomponent } = delimiters;
  const marks = [component, repetition, subcomponent];
  const { raw } = segment.field(position);
  for (let at = 0; at < raw.length; at++) if (!marks.includes(raw.charAt(at))) return true;
  return false;
}

function buildError(code: string, location: string, message: string): Issue {
  return { code, severity: 'error', location, message };
}
