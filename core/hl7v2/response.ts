import type { Issue } from '../issue.ts';
import { usualDelimiters } from './delimiters.ts';
import { buildCondition, buildErrorSegments, isAtLeast } from './error-segment.ts';
import { escapeText } from './escape.ts';
import { readHeader, type Header } from './header.ts';
import type { Hl7Message } from './message.ts';
import type { ResponseType } from './response-type.ts';

/**
 * HL7 table 0008. Original mode, and application level of enhanced mode: AA accepted, AE error in it, AR
 * rejected; accept level of enhanced mode: CA, CE, CR.
 */
export type AcknowledgmentCode = 'AA' | 'AE' | 'AR' | 'CA' | 'CE' | 'CR';

/** HL7 table 0155: always, never, only when refused, only when accepted. */
export type AcknowledgmentCondition = 'AL' | 'NE' | 'ER' | 'SU';

/** What a response says. No clock is read and no id is made here. */
export interface ResponseOptions {
  readonly code: AcknowledgmentCode;
  /** MSH-7, an HL7 timestamp with its offset. */
  readonly now: string;
  /** MSH-10, our own; as long as {@link maxControlIdLength} allows. */
  readonly controlId: string;
  /** As ERR segments, and the first that refuses in MSA-3 and MSA-6 as far as the version has them. */
  readonly issues?: readonly Issue[];
  /** MSA-3, before 2.7; absent: what the first refusing issue says. */
  readonly text?: string;
  /** MSH-9; absent: the general acknowledgment of the original's event. */
  readonly type?: ResponseType;
  /** What follows MSA and ERR, written with the original's delimiters and without segment ends. */
  readonly segments?: readonly string[];
  /** MSA-4, where sequence numbers are used. */
  readonly expectedSequenceNumber?: number;
  /**
   * MSH-15 of an application acknowledgment in enhanced mode, which is a message that its sender starts:
   * whether it wants to know that it arrived. Its MSH-16 is NE. Absent: original mode, both are empty. An
   * accept acknowledgment has NE in both whatever is said here.
   */
  readonly acceptAcknowledgment?: AcknowledgmentCondition;
}

/** What is said where an unreadable message gives no version. */
const defaultVersion = '2.5.1';
const maxTextLength = 80;

/**
 * The response to a message: the sender's delimiters, version, processing id and character set; sender and
 * receiver swapped; MSA-2 exactly what MSH-10 was. Without an original a minimal one with the usual
 * delimiters. Segments end with CR; the header's `encoding` is what to write it with. HL7 v2 chapter 2,
 * message processing rules, and the MSA segment.
 */
export function buildResponse(
  original: Hl7Message | Header | undefined,
  options: ResponseOptions,
): string {
  const header = toHeader(original);
  const delimiters = header?.delimiters ?? usualDelimiters;
  const segments = [
    buildHeader(header, options).join(delimiters.field),
    buildMsa(header, options).join(delimiters.field),
    ...buildErrorSegments(options.issues ?? [], delimiters, toVersionId(header)),
    ...(options.segments ?? []),
  ];
  return segments.map((segment) => `${segment}\r`).join('');
}

/** How long MSH-10 may be in a version. HL7 v2 chapter 2, MSH-10. */
export function maxControlIdLength(version: string): number {
  return isAtLeast(version, '2.7') ? 199 : 20;
}

/** MSH-12.1 of the header, as its response says it. */
export function toVersionId(header: Header | undefined): string {
  const version = header === undefined || header.version === '' ? defaultVersion : header.version;
  return version.split(header?.delimiters.component ?? '^', 1)[0] ?? version;
}

function buildHeader(header: Header | undefined, options: ResponseOptions): readonly string[] {
  const delimiters = header?.delimiters ?? usualDelimiters;
  const { component, repetition, escape, subcomponent, truncation = '' } = delimiters;
  const msh = [
    'MSH',
    `${component}${repetition}${escape}${subcomponent}${truncation}`,
    header?.receivingApplication ?? '',
    header?.receivingFacility ?? '',
    header?.sendingApplication ?? '',
    header?.sendingFacility ?? '',
    options.now,
    '',
    buildType(header, options.type),
    escapeText(options.controlId, delimiters) ?? '',
    header?.processingId === '' ? 'P' : (header?.processingId ?? 'P'),
    header?.version === '' ? defaultVersion : (header?.version ?? defaultVersion),
  ];
  const charsets = header?.charsets ?? '';
  const conditions = buildConditions(toVersionId(header), options);
  if (charsets !== '' || conditions.length > 0) {
    const [accept = '', application = ''] = conditions;
    msh.push('', '', accept, application);
  }
  if (charsets !== '') msh.push('', charsets);
  return msh;
}

/** MSH-15 and MSH-16, which 2.1 has not. */
function buildConditions(
  version: string,
  { code, acceptAcknowledgment }: ResponseOptions,
): readonly string[] {
  if (!isAtLeast(version, '2.2')) return [];
  if (code.startsWith('C')) return ['NE', 'NE'];
  return acceptAcknowledgment === undefined ? [] : [acceptAcknowledgment, 'NE'];
}

function buildMsa(header: Header | undefined, options: ResponseOptions): readonly string[] {
  const delimiters = header?.delimiters ?? usualDelimiters;
  const version = toVersionId(header);
  const { code, issues = [], expectedSequenceNumber } = options;
  const refusing = issues.find(({ severity }) => severity === 'fatal' || severity === 'error');
  const text = isAtLeast(version, '2.7') ? '' : (options.text ?? refusing?.message ?? '');
  // By whole characters: half a pair of UTF-16 could not be written.
  const short = Array.from(text).slice(0, maxTextLength).join('');
  const hasCondition = isAtLeast(version, '2.2') && !isAtLeast(version, '2.5');
  const msa = [
    'MSA',
    code,
    header?.controlId ?? '',
    escapeText(short, delimiters) ?? '',
    expectedSequenceNumber === undefined ? '' : String(expectedSequenceNumber),
    '',
    hasCondition && refusing !== undefined ? buildCondition(refusing, delimiters.component) : '',
  ];
  const length = Math.max(3, msa.findLastIndex((field) => field !== '') + 1);
  return msa.slice(0, length);
}

/** MSH-9: with the event from 2.2 on and with the structure from 2.3.1 on, where the original has an event. */
function buildType(header: Header | undefined, type: ResponseType | undefined): string {
  const event = type?.event ?? header?.messageType.split('^')[1] ?? '';
  const name = type?.type ?? 'ACK';
  const version = toVersionId(header);
  if (event === '' || !isAtLeast(version, '2.2')) return name;
  const parts = isAtLeast(version, '2.3.1')
    ? [name, event, type?.structure ?? 'ACK']
    : [name, event];
  return parts.join(header?.delimiters.component ?? '^');
}

function toHeader(original: Hl7Message | Header | undefined): Header | undefined {
  if (original === undefined || !('segments' in original)) return original;
  const read = readHeader(original.text);
  return read.ok ? read.header : undefined;
}
