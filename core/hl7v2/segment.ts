import type { Field, Segment, TextRange } from './message.ts';
import { findMark } from './scan.ts';
import { buildField, buildLiteralField, type ValueSource } from './value.ts';

/** What a segment asks of its message: where it stands among the segments of its name. */
export interface SegmentSource extends ValueSource {
  occurrenceOf(segment: Segment): number;
}

/** A segment read in place: finds its fields from left to right, as far as they are asked for. */
export class SegmentView implements Segment {
  readonly range: TextRange;
  readonly line: number;
  readonly name: string;
  /** MSH, FHS and BHS declare the delimiters in their first two fields. */
  readonly isHeader: boolean;
  private readonly source: SegmentSource;
  /** Where the field separators stand, as far as they were looked for; then the segment's end. */
  private readonly marks: number[] = [];

  constructor(source: SegmentSource, range: TextRange, line: number) {
    this.source = source;
    this.range = range;
    this.line = line;
    const { text, delimiters } = source;
    const { start, end } = range;
    // Nearly always three letters and a separator; anything else is kept as it is.
    const nameEnd =
      text.charAt(start + 3) === delimiters.field
        ? start + 3
        : findMark(text, delimiters.field, start, end);
    this.name = text.slice(start, nameEnd > end ? end : nameEnd);
    this.isHeader = isHeaderName(this.name);
  }

  get occurrence(): number {
    return this.source.occurrenceOf(this);
  }

  get fieldCount(): number {
    let mark = this.markBefore(this.marks.length + 1);
    while (mark < this.range.end) mark = this.markBefore(this.marks.length + 1);
    const fields = this.marks.length - 1;
    return this.isHeader ? fields + 1 : fields;
  }

  field(position: number): Field {
    if (this.isHeader && position <= 2) {
      const range = this.fieldRange(position) ?? this.range;
      return buildLiteralField(this.source.text, range);
    }
    const range = this.fieldRange(position);
    if (range !== undefined) return buildField(this.source, range, true);
    return buildField(this.source, { start: this.range.end, end: this.range.end }, false);
  }

  /** Where a field stands; undefined beyond the end. */
  fieldRange(position: number): TextRange | undefined {
    if (position < 1) return undefined;
    // MSH-1 is the separator itself, so every later field stands behind one separator less.
    if (this.isHeader && position === 1) {
      const start = this.range.start + 3;
      return { start, end: start + 1 };
    }
    const before = this.isHeader ? position - 1 : position;
    const start = this.markBefore(before);
    return start < this.range.end
      ? { start: start + 1, end: this.markBefore(before + 1) }
      : undefined;
  }

  /** Where the separator number `count` stands, 1-based, or the segment's end. */
  private markBefore(count: number): number {
    const { text, delimiters } = this.source;
    const { start, end } = this.range;
    const marks = this.marks;
    while (marks.length < count) {
      const last = marks.at(-1);
      if (last === end) return end;
      marks.push(findMark(text, delimiters.field, last === undefined ? start : last + 1, end));
    }
    return marks[count - 1] ?? end;
  }
}

/** Whether a segment of that name declares the delimiters in its first two fields. */
export function isHeaderName(name: string): boolean {
  return name === 'MSH' || name === 'FHS' || name === 'BHS';
}
