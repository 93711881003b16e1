import type { TextRange } from './message.ts';

/** So many characters are looked at one by one before a native search, which costs more to start, takes over. */
const nativeSearchAfter = 64;

/** Where the next `mark` (one character) stands in `[from, end)`; `end` where there is none. `''` marks nothing. */
export function findMark(text: string, mark: string, from: number, end: number): number {
  if (mark === '') return end;
  const code = mark.charCodeAt(0);
  const near = end - from > nativeSearchAfter ? from + nativeSearchAfter : end;
  for (let at = from; at < near; at++) if (text.charCodeAt(at) === code) return at;
  return near === end ? end : findFar(text, mark, near, end);
}

/** In a slice, so that a missing mark costs the rest of this range and not the rest of the message. */
function findFar(text: string, mark: string, from: number, end: number): number {
  const found = text.slice(from, end).indexOf(mark);
  return found === -1 ? end : from + found;
}

/** Where the part at `position` (1-based) of a range divided by `mark` starts; -1 beyond the last part. */
export function findPartStart(
  text: string,
  mark: string,
  { start, end }: TextRange,
  position: number,
): number {
  let from = start;
  for (let at = 1; at < position; at++) {
    from = findMark(text, mark, from, end) + 1;
    if (from > end) return -1;
  }
  return from;
}

/** The part at `position` (1-based) of a range divided by `mark`; undefined beyond the last part. */
export function findPart(
  text: string,
  mark: string,
  range: TextRange,
  position: number,
): TextRange | undefined {
  const start = findPartStart(text, mark, range, position);
  return start === -1 ? undefined : { start, end: findMark(text, mark, start, range.end) };
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

/** Where the line that `from` is in ends: at the next CR or LF, at the FS in front of that, or with the text. */
export function findLineEnd(text: string, from: number): number {
  return leaveFrame(text, findMark(text, '\n', from, findMark(text, '\r', from, text.length)));
}

/** The end of a line without the FS of MLLP, which stands there where the last segment has no end of its own. */
function leaveFrame(text: string, end: number): number {
  return text.charCodeAt(end - 1) === 0x1c ? end - 1 : end;
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
 * 1-based, counting empty lines too. Linear.
 */
export function forEachLine(
  text: string,
  from: number,
  found: (start: number, end: number, line: number) => void,
): void {
  const lines = new LineReader(text, from);
  while (lines.next()) found(lines.start, lines.end, lines.line);
}

/**
 * Finds the lines of a text that hold anything, one after the other as they are asked for. A line ends with
 * CR, LF or CRLF, mixed as they come. Linear in what was read.
 */
export class LineReader {
  /** Of the line found last, without its end and the FS of MLLP in front of that. */
  start = 0;
  end = 0;
  /** 1-based, counting empty lines too. */
  line: number;
  private readonly text: string;
  private at: number;
  private cr = -1;
  private lf = -1;

  /** `before`: how many lines there are in front of `from`. */
  constructor(text: string, from = 0, before = 0) {
    this.text = text;
    this.at = from;
    this.line = before;
  }

  /** Goes on to the next line that holds anything; false where there is none. */
  next(): boolean {
    const { text } = this;
    while (this.at < text.length) {
      const start = this.at;
      if (this.cr < start) this.cr = findEnd(text, '\r', start);
      if (this.lf < start) this.lf = findEnd(text, '\n', start);
      const { cr, lf } = this;
      const end = cr < lf ? cr : lf;
      this.at = end + (cr < lf && lf === cr + 1 ? 2 : 1);
      this.line++;
      if (isBlankLine(text, start, end)) continue;
      this.start = start;
      this.end = leaveFrame(text, end);
      return true;
    }
    return false;
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
