import type { TextRange } from './message.ts';

/** Above this, a native search in a slice is faster than looking at one character after the other. */
const nativeSearchFrom = 96;

/** Where the next `mark` (one character) stands in `[from, end)`; `end` where there is none. `''` marks nothing. */
export function findMark(text: string, mark: string, from: number, end: number): number {
  if (mark === '') return end;
  if (end - from > nativeSearchFrom) {
    // In a slice, so that a missing mark costs the rest of this range and not the rest of the message.
    const found = text.slice(from, end).indexOf(mark);
    return found === -1 ? end : from + found;
  }
  const code = mark.charCodeAt(0);
  for (let at = from; at < end; at++) if (text.charCodeAt(at) === code) return at;
  return end;
}

/** The part at `position` (1-based) of a range divided by `mark`; undefined beyond the last part. */
export function findPart(
  text: string,
  mark: string,
  range: TextRange,
  position: number,
): TextRange | undefined {
  let start = range.start;
  let end = findMark(text, mark, start, range.end);
  for (let at = 1; at < position; at++) {
    if (end === range.end) return undefined;
    start = end + 1;
    end = findMark(text, mark, start, range.end);
  }
  return { start, end };
}

/** How many parts a range has: one more than there are marks. */
export function countParts(text: string, mark: string, range: TextRange): number {
  let count = 1;
  let at = findMark(text, mark, range.start, range.end);
  while (at < range.end) {
    count++;
    at = findMark(text, mark, at + 1, range.end);
  }
  return count;
}

/** Where the line that `from` is in ends: at the next CR or LF, or with the text. */
export function findLineEnd(text: string, from: number): number {
  return findMark(text, '\n', from, findMark(text, '\r', from, text.length));
}

/**
 * Where the message starts: behind a byte order mark, the VT of MLLP and empty lines, which senders and
 * files put in front of MSH.
 */
export function findStart(text: string): number {
  let at = 0;
  while (at < text.length && isBlank(text.charCodeAt(at))) at++;
  return at;
}

/** Space, tab, line ends, VT, FS (the framing of MLLP) and the byte order mark. */
function isBlank(code: number): boolean {
  return (code <= 0x20 && code !== 0) || code === 0xfeff;
}

/**
 * Calls `found` for every line that holds anything, with its range (without its end) and its number,
 * 1-based, counting empty lines too. A line ends with CR, LF or CRLF, mixed as they come. Linear.
 */
export function forEachLine(
  text: string,
  from: number,
  found: (start: number, end: number, line: number) => void,
): void {
  const length = text.length;
  let cr = -1;
  let lf = -1;
  let line = 1;
  for (let at = from; at < length; line++) {
    if (cr < at) cr = findEnd(text, '\r', at);
    if (lf < at) lf = findEnd(text, '\n', at);
    const end = cr < lf ? cr : lf;
    if (!isBlankLine(text, at, end)) found(at, end, line);
    at = end + (cr < lf && lf === cr + 1 ? 2 : 1);
  }
}

function findEnd(text: string, mark: string, from: number): number {
  const at = text.indexOf(mark, from);
  return at === -1 ? text.length : at;
}

function isBlankLine(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (!isBlank(text.charCodeAt(at))) return false;
  return true;
}
