import type { SegmentChange } from './hl7v2/segment-changes.ts';

/**
 * What the nodes of a flow made of one message's payload, in its last run that changed anything. Bounded; holds
 * patient data, as a body does: it is kept, shown and removed like one.
 */
export interface PayloadChanges {
  readonly messageId: string;
  /** Which run of the flow, 1-based. */
  readonly attempt: number;
  /** In the order in which they happened, over all branches. */
  readonly steps: readonly PayloadStep[];
  /** How many further steps the bound left no room for; absent: none. */
  readonly cut?: number;
}

/** A payload left a node otherwise than it came in to it. */
export interface PayloadStep {
  /** 1-based. */
  readonly step: number;
  /** The step whose payload came in to the node: branches are told apart by it. Absent: the payload as the flow got it. */
  readonly from?: number;
  /** The node's id in its flow. */
  readonly node: string;
  readonly type: string;
  readonly name?: string;
  /** Which of the node's outputs, 1-based. Absent: the first. */
  readonly output?: number;
  /** The node failed after it had changed the payload of its message, which did not leave it but to a Catch node. */
  readonly failed?: true;
  /** What kind of value came in and what left. Absent: text both. */
  readonly forms?: readonly [before: PayloadForm, after: PayloadForm];
  /** In characters of text or JSON, or in bytes. */
  readonly sizes: readonly [before: number, after: number];
  /** Where both are HL7 v2. */
  readonly segments?: readonly SegmentChange[];
  /** MSH-1 and MSH-2, or as much of them as there is. Absent: both are `|^~\&`. */
  readonly delimiters?: readonly [before: string, after: string];
  /** Where either is anything else. Absent: too large to be compared, or not to be written as JSON. */
  readonly excerpt?: Excerpt;
  /** Bytes (UTF-8) of the change that the bound left out. */
  readonly cut?: number;
}

/** `object` is compared as JSON, `value` is a number, a boolean or nothing, as it is written. Bytes are text of Latin-1. */
export type PayloadForm = 'text' | 'bytes' | 'object' | 'value';

/** What stands between the first and the last place at which two texts differ. */
export interface Excerpt {
  /** How many characters before it are the same. */
  readonly at: number;
  readonly before: string;
  readonly after: string;
}

/** The changes as the ledger keeps them, and reads no further: only whoever looks at them does. */
export interface PackedChanges {
  readonly messageId: string;
  readonly text: string;
}

/**
 * JSON with DEL for its quotation marks: it goes through the JSON of requests and of the journal, where a quotation mark
 * would have to be escaped each time, and a text without escapes costs a tenth.
 */
export function packChanges({ messageId, ...rest }: PayloadChanges): PackedChanges {
  const json = JSON.stringify(rest).replaceAll(mark, escapedMark);
  return { messageId, text: json.replaceAll('"', mark) };
}

/** Throws on what {@link packChanges} has not written. */
export function unpackChanges({ messageId, text }: PackedChanges): PayloadChanges {
  const rest = JSON.parse(text.replaceAll(mark, '"')) as Omit<PayloadChanges, 'messageId'>;
  return { messageId, ...rest };
}

const mark = '\u007f';
const escapedMark = '\\u007f';
