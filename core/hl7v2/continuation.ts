import type { Issue } from '../issue.ts';
import { mergeAddenda, readLines, writeLines, type SegmentLine } from './addendum.ts';
import { readDelimiters } from './delimiters.ts';
import { findLineEnd, findStart } from './scan.ts';

/** How a message belongs to others that are parts of the same. HL7 v2 chapter 2, continuation messages. */
export interface Continuation {
  /** MSH-14, raw: the message goes on where the one with this pointer in DSC-1 ended; `''` in a first one. */
  readonly continues: string;
  /** DSC-1, raw: the message goes on in the one with this pointer in MSH-14; `''` in a last one. */
  readonly pointer: string;
  /** DSC-2: F for fragments of one message, I for an answer that is continued when it is asked for. */
  readonly style: string;
}

/** One message of several, or the reasons why there is none. */
export type ContinuationResult =
  | { readonly ok: true; readonly text: string; readonly issues: readonly Issue[] }
  | { readonly ok: false; readonly issues: readonly Issue[] };

/** Whether a message is a part of a larger one; undefined for a whole one and for what has no header. */
export function findContinuation(text: string): Continuation | undefined {
  const part = readPart(text);
  if (part === undefined || (part.continues === '' && part.pointer === '')) return undefined;
  const { continues, pointer, style } = part;
  return { continues, pointer, style };
}

/**
 * The parts of one message joined by their pointers, DSC-1 of one to MSH-14 of the next: the first part's
 * header, all segments without DSC, and segments that were continued in ADD whole again. What answers
 * repeat in front of every part (MSA, QAK, QRD and the like) is taken once. The parts stay as they are.
 *
 * Refused: `continuation-message-invalid` (no header), `continuation-first-missing` (no part without MSH-14,
 * or several), `continuation-missing` (a pointer that leads nowhere), `continuation-unrelated` (a part that
 * no pointer leads to), `continuation-repeated` (a part that is there twice), `continuation-delimiters`
 * (parts with different ones), and the errors of mergeAddenda. Reported: `continuation-out-of-order`.
 */
export function joinContinuation(messages: readonly string[]): ContinuationResult {
  const parts = messages.map((text) => readPart(text));
  const read = parts.filter((part) => part !== undefined);
  if (read.length < parts.length || read.length === 0) {
    const at = Math.max(0, parts.indexOf(undefined)) + 1;
    return refuse('continuation-message-invalid', 'MSH', `Expected a message as part ${at}`);
  }
  const found = findChain(read);
  if ('issue' in found) return { ok: false, issues: [found.issue] };
  const ordered = found.chain;
  const [first] = ordered;
  const other = ordered.findIndex((part) => part.delimiters !== first?.delimiters);
  if (other !== -1) {
    const message = `Expected the delimiters of the first part in part ${other + 1}, found others`;
    return refuse('continuation-delimiters', 'MSH-2', message);
  }
  const lines = ordered.flatMap((part, index) => [
    ...(index === 0 ? part.lines : dropRepeated(part.lines, first?.lines ?? [])),
  ]);
  const { lines: merged, issues } = mergeAddenda(lines, first?.delimiters.charAt(0) ?? '|');
  if (issues.length > 0) return { ok: false, issues };
  const isOrdered = ordered.every((part, index) => part === read[index]);
  return { ok: true, text: writeLines(merged), issues: isOrdered ? [] : [buildOutOfOrder()] };
}

/** As {@link joinContinuation}, for parts as bytes in one character set: a character may be cut in two between them. */
export function joinContinuationBytes(
  messages: readonly Uint8Array[],
):
  | { readonly ok: true; readonly bytes: Uint8Array; readonly issues: readonly Issue[] }
  | { readonly ok: false; readonly issues: readonly Issue[] } {
  const joined = joinContinuation(messages.map((bytes) => Buffer.from(bytes).toString('latin1')));
  if (!joined.ok) return joined;
  return { ok: true, bytes: Buffer.from(joined.text, 'latin1'), issues: joined.issues };
}

/**
 * One message with its ADD segments merged into the segments that they continue; an ADD without fields
 * before DSC stays, its rest is in the next message.
 */
export function joinAddenda(text: string): {
  readonly text: string;
  readonly issues: readonly Issue[];
} {
  const separator = text.charAt(findStart(text) + 3);
  const { lines, issues } = mergeAddenda(readLines(text), separator);
  return { text: writeLines(lines), issues };
}

interface Part extends Continuation {
  /** MSH-1 and MSH-2. */
  readonly delimiters: string;
  /** Without DSC. */
  readonly lines: readonly SegmentLine[];
}

function readPart(text: string): Part | undefined {
  const start = findStart(text);
  if (!text.startsWith('MSH', start)) return undefined;
  const end = findLineEnd(text, start);
  if (!readDelimiters(text, start, end).ok) return undefined;
  const separator = text.charAt(start + 3);
  const header = text.slice(start, end).split(separator);
  const lines = readLines(text);
  const pointer = lines.findLast(({ name }) => name === 'DSC')?.body.split(separator) ?? [];
  return {
    // Counting from MSH-1, which is the separator itself.
    continues: (header[13] ?? '').trim(),
    pointer: (pointer[1] ?? '').trim(),
    style: (pointer[2] ?? '').trim(),
    delimiters: separator + (header[1] ?? ''),
    lines: lines.filter(({ name }) => name !== 'DSC'),
  };
}

/** The parts in the order of their pointers, or why there is none. */
function findChain(
  parts: readonly Part[],
): { readonly chain: readonly Part[] } | { readonly issue: Issue } {
  const firsts = parts.filter(({ continues }) => continues === '');
  const [first] = firsts;
  if (first === undefined || firsts.length > 1) {
    const message = `Expected one part without MSH-14, found ${firsts.length}`;
    return { issue: buildIssue('continuation-first-missing', 'MSH-14', message) };
  }
  const byPointer = new Map<string, Part>();
  for (const part of parts) {
    if (byPointer.has(part.continues)) {
      const message = `Expected every part once, found the MSH-14 of part ${parts.indexOf(part) + 1} before`;
      return { issue: buildIssue('continuation-repeated', 'MSH-14', message) };
    }
    byPointer.set(part.continues, part);
  }
  const chain: Part[] = [first];
  for (let last = first; last.pointer !== '';) {
    const next = byPointer.get(last.pointer);
    if (next === undefined || chain.length > parts.length) {
      const message = `Expected a part with the DSC-1 of part ${parts.indexOf(last) + 1} in its MSH-14, found none; wait for it or ask for it`;
      return { issue: buildIssue('continuation-missing', 'DSC-1', message) };
    }
    chain.push(next);
    last = next;
  }
  if (chain.length === parts.length) return { chain };
  const joined = new Set(chain);
  const lost = parts.findIndex((part) => !joined.has(part)) + 1;
  const message = `Expected a part whose DSC-1 is the MSH-14 of part ${lost}, found none`;
  return { issue: buildIssue('continuation-unrelated', 'MSH-14', message) };
}

const repeatable = new Set(['SFT', 'UAC', 'MSA', 'QAK', 'QRD', 'QRF', 'QPD', 'RCP', 'URD', 'URS']);

/** The header of a later part, and what it repeats of the first one's beginning. */
function dropRepeated(
  lines: readonly SegmentLine[],
  first: readonly SegmentLine[],
): readonly SegmentLine[] {
  const names = new Set(first.map(({ name }) => name));
  const start = lines.findIndex(
    ({ name }, index) => index > 0 && !(repeatable.has(name) && names.has(name)),
  );
  return start === -1 ? [] : lines.slice(start);
}

function buildOutOfOrder(): Issue {
  const message =
    'Expected the parts in the order of their pointers, found another; joined in order';
  return { ...buildIssue('continuation-out-of-order', 'MSH-14', message), severity: 'warning' };
}

function buildIssue(code: string, location: string, message: string): Issue {
  return { code, severity: 'error', location, message };
}

function refuse(code: string, location: string, message: string): ContinuationResult {
  return { ok: false, issues: [buildIssue(code, location, message)] };
}
