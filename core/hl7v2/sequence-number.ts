import type { Issue } from '../issue.ts';
import type { Header } from './header.ts';
import type { Hl7Message, Segment } from './message.ts';

/** What a receiver keeps of one link, between two applications; without a number none was accepted yet. */
export interface SequenceState {
  /** The last number accepted. */
  readonly lastNumber?: number;
  /** MSH-10 of the message that had it. */
  readonly lastControlId?: string;
}

/**
 * What a number means. `expected` goes into MSA-4; `next` is the state once the message is durable.
 * - `unnumbered`: MSH-13 is empty, the protocol is not used.
 * - `link`: the sender starts the link (0) or forces its numbers anew (-1). The message has no content of
 *   its own: it is answered and goes nowhere.
 * - `next`: the one that was expected.
 * - `repeated`: the last message once more, because its acknowledgment was lost. Answered, not taken again.
 * - `unexpected`: one that is missing in between, an old one, or no number. Refused.
 */
export type SequenceDecision =
  | { readonly kind: 'unnumbered' }
  | { readonly kind: 'link' | 'next'; readonly expected: number; readonly next: SequenceState }
  | { readonly kind: 'repeated'; readonly expected: number }
  | { readonly kind: 'unexpected'; readonly expected: number; readonly issue: Issue };

/** Says that the receiver takes whatever positive number comes first. */
const any = -1;

/** The receiver's side of the sequence number protocol. HL7 v2 chapter 2, sequence number protocol. */
export function decideSequence(
  state: SequenceState,
  { sequenceNumber, controlId }: Pick<Header, 'sequenceNumber' | 'controlId'>,
): SequenceDecision {
  const text = sequenceNumber.trim();
  if (text === '' || text === '""') return { kind: 'unnumbered' };
  const { lastNumber, lastControlId } = state;
  const expected = lastNumber === undefined ? any : lastNumber + 1;
  const number = /^[+-]?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (number === 0) return { kind: 'link', expected, next: state };
  if (number === any) return { kind: 'link', expected: any, next: {} };
  if (number > 0 && (expected === any || number === expected)) {
    const next = { lastNumber: number, lastControlId: controlId };
    return { kind: 'next', expected: number, next };
  }
  if (number === lastNumber && controlId === lastControlId) return { kind: 'repeated', expected };
  return { kind: 'unexpected', expected, issue: buildIssue(number, expected) };
}

/**
 * Why a message that starts the link is not taken as that: it has content, and its answer would say that the
 * content was taken. HL7 v2 chapter 2: segments behind the header are left out, or all their fields are empty.
 */
export function findLinkContent({ segments }: Hl7Message): Issue | undefined {
  const hasContent = segments.some((segment) => segment.name !== 'MSH' && hasValue(segment));
  if (!hasContent) return undefined;
  const message =
    'Expected no content in a message that starts the link (0 or -1), found some; send it again with its own number';
  return { code: 'sequence-link-with-content', severity: 'error', location: 'MSH-13', message };
}

function hasValue(segment: Segment): boolean {
  for (let position = 1; position <= segment.fieldCount; position++) {
    if (segment.field(position).valued) return true;
  }
  return false;
}

function buildIssue(number: number, expected: number): Issue {
  const location = 'MSH-13';
  if (!(number > 0)) {
    const message = 'Expected a whole number above 0, or 0 or -1 to start the link, found another';
    return { code: 'sequence-number-invalid', severity: 'error', location, message };
  }
  const found = number < expected ? 'one that was used before' : 'a later one';
  const message = `Expected the sequence number that MSA-4 tells, found ${found}; send that message, or start the link with 0`;
  return { code: 'sequence-number-unexpected', severity: 'error', location, message };
}
