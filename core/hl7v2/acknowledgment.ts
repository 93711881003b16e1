import type { Issue, Severity } from '../issue.ts';
import type { Header } from './header.ts';
import type { Hl7Message, Segment } from './message.ts';
import { parseMessage } from './parse.ts';
import { buildResponse, type AcknowledgmentCode, type ResponseOptions } from './response.ts';

export type { AcknowledgmentCode } from './response.ts';

/** What a partner answered. */
export interface Acknowledgment {
  /** MSA-1; undefined where the answer is unreadable or has no known code. */
  readonly code: AcknowledgmentCode | undefined;
  /** MSA-2 raw, to be compared with the MSH-10 that was sent; `''` where it has none. */
  readonly controlId: string;
  /** MSA-2, decoded. */
  readonly controlIdText: string;
  /** MSA-4: the sequence number that the partner expects; undefined where it tells none. */
  readonly expectedSequenceNumber: number | undefined;
  /** MSA-3, decoded; `''` from most senders of 2.5 and later. */
  readonly text: string;
  /** What ERR segments say, and what is wrong with the answer itself (`acknowledgment-unreadable`). */
  readonly issues: readonly Issue[];
}

const codes: readonly AcknowledgmentCode[] = ['AA', 'AE', 'AR', 'CA', 'CE', 'CR'];

/** The general acknowledgment (ACK) of a message, as {@link buildResponse} makes it. */
export function buildAcknowledgment(
  original: Hl7Message | Header | undefined,
  code: AcknowledgmentCode,
  issues: readonly Issue[],
  options: Omit<ResponseOptions, 'code' | 'issues' | 'type' | 'segments'>,
): string {
  return buildResponse(original, { ...options, code, issues });
}

/**
 * Whether a message is itself an answer: an ACK, MCF or NAK, or anything with an MSA segment (of a header
 * alone only the type can be known). It has no application acknowledgment; a response with an MSA that is
 * no ACK may ask for an accept acknowledgment.
 */
export function isAcknowledgment(message: Hl7Message | Header): boolean {
  const type =
    'segments' in message ? message.get('MSH-9.1') : message.messageType.split('^', 1)[0];
  if (type === 'ACK' || type === 'MCF' || type === 'NAK') return true;
  return 'segments' in message && message.get('MSA') !== undefined;
}

/**
 * Whether a message answers another, by a valued MSA where a response has it: behind MSH and what may stand
 * in between. The deferred response to a query (DSR^Q03) is
 * none: its sender starts that exchange anew, and waits for ACK^Q03. HL7 v2 chapter 2, deferred display query.
 */
export function isResponse(message: Hl7Message): boolean {
  if (message.get('MSH-9.1') === 'DSR' && message.get('MSH-9.2') === 'Q03') return false;
  // Nearly no message has one, and names are looked at without making anything of the segments.
  if (message.get('MSA') === undefined) return false;
  const first = message.segments.find(({ name }) => !beforeMsa.has(name));
  return first?.name === 'MSA' && first.field(1).valued;
}

const beforeMsa: ReadonlySet<string> = new Set(['MSH', 'ARV', 'SFT', 'UAC', 'NTE']);

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
    controlIdText: msa.field(2).text,
    expectedSequenceNumber: readNumber(msa.field(4).text),
    text: msa.field(3).text,
    issues: [
      ...(code === undefined ? [unknown] : []),
      ...message.segmentsNamed('ERR').flatMap(readError),
    ],
  };
}

function buildUnreadable(location: string, message: string): Acknowledgment {
  const issue: Issue = { code: 'acknowledgment-unreadable', severity: 'error', location, message };
  return {
    code: undefined,
    controlId: '',
    controlIdText: '',
    expectedSequenceNumber: undefined,
    text: '',
    issues: [issue],
  };
}

function readNumber(text: string): number | undefined {
  return /^[+-]?\d{1,15}$/.test(text) ? Number(text) : undefined;
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
