import type { TextRange } from './message.ts';
import { findStart, LineReader } from './scan.ts';
import { SegmentView, type SegmentSource } from './segment.ts';

/**
 * The segments of a message, found from the first on, as far as they are asked for: whoever reads PID never
 * looks at the thousand OBX behind it. A segment's view is made when somebody asks for that very segment.
 */
export class SegmentList {
  private readonly source: SegmentSource;
  private readonly lines: LineReader;
  private readonly starts: number[];
  private readonly ends: number[];
  private readonly lineNumbers: number[];
  /** The three characters of each name as one number, see {@link toNameCode}; 0 for any other name. */
  private readonly codes: number[];
  private readonly views: (SegmentView | undefined)[] = [];
  private isComplete = false;

  /** `same`: a message of which this one has the first `count` segments, in the same places. */
  constructor(
    source: SegmentSource,
    same?: { readonly list: SegmentList; readonly count: number },
  ) {
    this.source = source;
    const { list, count = 0 } = same ?? {};
    this.starts = list?.starts.slice(0, count) ?? [];
    this.ends = list?.ends.slice(0, count) ?? [];
    this.lineNumbers = list?.lineNumbers.slice(0, count) ?? [];
    this.codes = list?.codes.slice(0, count) ?? [];
    const last = this.ends.at(-1);
    // At the end of the last one: what is left of its line is passed over as an empty one.
    const before = last === undefined ? 0 : (this.lineNumbers.at(-1) ?? 1) - 1;
    this.lines = new LineReader(source.text, last, before);
  }

  /** How many of the segments that were found end before a place in the text. */
  countBefore(place: number): number {
    return this.ends.findLastIndex((end) => end < place) + 1;
  }

  /** Which segment is number `occurrence` (1-based) of that name, 0-based; -1 for none. Looks no further. */
  find(nameCode: number, occurrence: number): number {
    const { codes } = this;
    let left = occurrence;
    for (let at = 0; at < codes.length || this.findNext(); at++) {
      if (codes[at] === nameCode && --left === 0) return at;
    }
    return -1;
  }

  /** Where a segment that was found stands. */
  range(index: number): TextRange {
    return { start: this.starts[index] ?? 0, end: this.ends[index] ?? 0 };
  }

  /** A segment that was found. */
  view(index: number): SegmentView {
    return (this.views[index] ??= new SegmentView(
      this.source,
      this.range(index),
      this.lineNumbers[index] ?? 0,
    ));
  }

  /** Every segment. */
  all(): readonly SegmentView[] {
    while (this.findNext());
    return this.starts.map((_, index) => this.view(index));
  }

  private findNext(): boolean {
    if (this.isComplete) return false;
    const { lines } = this;
    if (!lines.next()) {
      this.isComplete = true;
      return false;
    }
    // A byte order mark or VT in front of the message belongs to no segment.
    const start = this.starts.length === 0 ? findStart(this.source.text) : lines.start;
    this.starts.push(start);
    this.ends.push(lines.end);
    this.lineNumbers.push(lines.line);
    this.codes.push(this.readNameCode(start, lines.end));
    return true;
  }

  private readNameCode(start: number, end: number): number {
    const { text, delimiters } = this.source;
    const length = end - start;
    if (length < 3 || (length > 3 && text.charAt(start + 3) !== delimiters.field)) return 0;
    return toNameCode(text, start);
  }
}

/** Three ASCII characters as a small number, so that names compare without being cut out; 0 for others. */
export function toNameCode(text: string, start = 0): number {
  const first = text.charCodeAt(start);
  const second = text.charCodeAt(start + 1);
  const third = text.charCodeAt(start + 2);
  return (first | second | third) > 0x7f ? 0 : (first << 16) | (second << 8) | third;
}
