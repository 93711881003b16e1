import type { Issue, Severity } from '../issue.ts';
import { usualDelimiters } from './delimiters.ts';
import { buildErrorSegments, isAtLeast } from './error-segment.ts';
import { escapeText } from './escape.ts';
import { readHeader, type Header } from './header.ts';
import type { Hl7Message, Segment } from './message.ts';
import { parseMessage } from './parse.ts';

/**
 * HL7 table 0008. Original mode: AA accepted, AE error in it, AR rejected; enhanced mode, accept level:
 * CA, CE, CR.
 */
export type AcknowledgmentCode = 'AA' | 'AE' | 'AR' | 'CA' | 'CE' | 'CR';

/** What an acknowledgment needs from outside: no clock is read and no id is made here. */
export interface AcknowledgmentOptions {
  /** MSH-7, an HL7 timestamp with its offset. */
  readonly now: string;
  /** MSH-10, our own. */
  readonly controlId: string;
}

/** What a partner answered. */
export interface Acknowledgment {
  /** MSA-1; undefined where the answer is unreadable or has no known code. */
  readonly code: AcknowledgmentCode | undefined;
  /** MSA-2 raw, to be compared with the MSH-10 that was sent; `''` where it has none. */
  readonly controlId: string;
  /** MSA-3, decoded; `''` from most senders of 2.5 and later. */
  readonly text: string;
  /** What ERR segments say, and what is wrong with the answer itself (`acknowledgment-unreadable`). */
  readonly issues: readonly Issue[];
}

const codes: readonly AcknowledgmentCode[] = ['AA', 'AE', 'AR', 'CA', 'CE', 'CR'];

/** What is said where an unreadable message gives no version. */
const defaultVersion = '2.5.1';
const maxTextLength = 80;

/**
 * The answer to a message: the sender's delimiters, version, processing id and character set; sender and
 * receiver swapped; MSA-2 exactly what MSH-10 was; findings as ERR segments, and the first that refuses in
 * MSA-3 as long as the version has it. Without an original a minimal one with the usual delimiters.
 * Segments end with CR; the header's `encoding` is what to write it with. HL7 v2 chapter 2, message acknowledgment.
 */
export function buildAcknowledgment(
  original: Hl7Message | Header | undefined,
  code: AcknowledgmentCode,
  issues: readonly Issue[],
  options: AcknowledgmentOptions,
): string {
  const header = toHeader(original);
  const delimiters = header?.delimiters ?? usualDelimiters;
  const { field, component, repetition, escape, subcomponent, truncation = '' } = delimiters;
  const version = header?.version === '' ? defaultVersion : (header?.version ?? defaultVersion);
  const versionId = version.split(component, 1)[0] ?? version;
  const msh = [
    'MSH',
    `${component}${repetition}${escape}${subcomponent}${truncation}`,
    header?.receivingApplication ?? '',
    header?.receivingFacility ?? '',
    header?.sendingApplication ?? '',
    header?.sendingFacility ?? '',
    options.now,
    '',
    buildType(header, versionId, component),
    escapeText(options.controlId, delimiters) ?? '',
    header?.processingId === '' ? 'P' : (header?.processingId ?? 'P'),
    version,
  ];
  // MSH-13 to MSH-17 stay empty: in particular nobody acknowledges an acknowledgment.
  if (header !== undefined && header.charsets !== '') {
    msh.push('', '', '', '', '', header.charsets);
  }
  const msa = ['MSA', code, header?.controlId ?? ''];
  const text = isAtLeast(versionId, '2.7') ? undefined : findText(issues);
  if (text !== undefined) msa.push(escapeText(text.slice(0, maxTextLength), delimiters) ?? '');
  const segments = [
    msh.join(field),
    msa.join(field),
    ...buildErrorSegments(issues, delimiters, versionId),
  ];
  return segments.map((segment) => `${segment}\r`).join('');
}

/**
 * Whether a message is itself an answer, which is never acknowledged: an ACK, MCF or NAK, or anything
 * with an MSA segment (of a header alone only the type can be known).
 */
export function isAcknowledgment(message: Hl7Message | Header): boolean {
  const type =
    'segments' in message ? message.get('MSH-9.1') : message.messageType.split('^', 1)[0];
  if (type === 'ACK' || type === 'MCF' || type === 'NAK') return true;
  return 'segments' in message && message.segments.some((segment) => segment.name === 'MSA');
}

/** Reads what a partner answered; never throws. */
export function readAcknowledgment(source: Uint8Array | string): Acknowledgment {
  const parsed = parseMessage(source);
  if (!parsed.ok)
    return buildUnreadable('MSH', 'Expected an acknowledgment, found no HL7 v2 message');
  const { message } = parsed;
  const [msa] = message.segmentsNamed('MSA');
  if (msa === undefined)
    return buildUnreadable('MSA', 'Expected an MSA segment in the answer, found none');
  const value = msa.field(1).text;
  const code = codes.find((each) => each === value);
  const unknown: Issue = {
    code: 'acknowledgment-unreadable',
    severity: 'error',
    location: 'MSA-1',
    message: `Expected one of ${codes.join(', ')}, found something else`,
  };
  return {
    code,
    controlId: msa.field(2).raw,
    text: msa.field(3).text,
    issues: [
      ...(code === undefined ? [unknown] : []),
      ...message.segmentsNamed('ERR').flatMap(readError),
    ],
  };
}

function toHeader(original: Hl7Message | Header | undefined): Header | undefined {
  if (original === undefined || !('segments' in original)) return original;
  const read = readHeader(original.text);
  return read.ok ? read.header : undefined;
}

/** MSH-9: with the event from 2.2 on and with the structure from 2.3.1 on, where the original has an event. */
function buildType(header: Header | undefined, version: string, component: string): string {
  const event = header?.messageType.split('^')[1] ?? '';
  if (event === '' || !isAtLeast(version, '2.2')) return 'ACK';
  const parts = isAtLeast(version, '2.3.1') ? ['ACK', event, 'ACK'] : ['ACK', event];
  return parts.join(component);
}

function findText(issues: readonly Issue[]): string | undefined {
  return issues.find((issue) => issue.severity === 'fatal' || issue.severity === 'error')?.message;
}

function buildUnreadable(location: string, message: string): Acknowledgment {
  const issue: Issue = { code: 'acknowledgment-unreadable', severity: 'error', location, message };
  return { code: undefined, controlId: '', text: '', issues: [issue] };
}

const severities: Readonly<Record<string, Severity>> = {
  F: 'fatal',
  E: 'error',
  W: 'warning',
  I: 'information',
};

/**
 * An ERR segment as findings: the new form (ERR-3) as one, the old one (ERR-1) as one a repetition. A
 * partner's free text may hold patient data, so only its codes and locations are taken.
 */
function readError(segment: Segment): readonly Issue[] {
  const condition = segment.field(3).repetitions[0];
  if (condition?.valued === true) {
    const location = segment.field(2).repetitions[0];
    const parts = [1, 2, 3, 4, 5, 6].map((position) => location?.component(position).text ?? '');
    return [
      buildPartnerIssue(condition.component(1).text, {
        severity: severities[segment.field(4).text] ?? 'error',
        location: formatLocation(parts),
      }),
    ];
  }
  return segment
    .field(1)
    .repetitions.filter((repetition) => repetition.valued)
    .map((repetition) => {
      const parts = [1, 2, 3].map((position) => repetition.component(position).text);
      const code = repetition.component(4).subcomponent(1).text;
      return buildPartnerIssue(code, { severity: 'error', location: formatLocation(parts) });
    });
}

function buildPartnerIssue(
  condition: string,
  { severity, location }: { readonly severity: Severity; readonly location: string | undefined },
): Issue {
  const code = /^[0-9A-Za-z]{1,20}$/.test(condition) ? condition : 'unknown';
  return {
    code: 'partner-error',
    severity,
    message: `The partner reports condition ${code} of table 0357`,
    ...(location === undefined ? {} : { location }),
  };
}

/** `PID-3[1].4` out of what ERL has in its components: segment, sequence, field, repetition, component, sub-component. */
function formatLocation(parts: readonly string[]): string | undefined {
  const [segment = '', sequence = '', field = '', repetition = '', ...deeper] = parts;
  if (!/^[A-Z][A-Z0-9]{2}$/.test(segment) || [sequence, field, repetition].some(isNotNumber)) {
    return undefined;
  }
  const name = sequence === '' || sequence === '1' ? segment : `${segment}[${sequence}]`;
  if (field === '') return name;
  const end = deeper.filter((part) => part !== '' && !isNotNumber(part)).map((part) => `.${part}`);
  return `${name}-${field}${repetition === '' ? '' : `[${repetition}]`}${end.join('')}`;
}

function isNotNumber(text: string): boolean {
  return !/^\d{0,4}$/.test(text);
}
