import type { Severity } from '../../issue.ts';
import { unescapeText } from '../escape.ts';
import { toSegmentLocation } from '../location.ts';
import type { Hl7Message, Segment } from '../message.ts';
import type { Findings } from './findings.ts';
import { marks, toMarkTable, type MarkTable } from './marks.ts';
import type { VersionChecks } from './segment-check.ts';

/** More fields than any segment has; the places of later ones are not kept. */
const maxKept = 128;
/** Beyond it a position is no part of a path. */
const maxPosition = 9_999;

/**
 * One message while it is validated: its text, where in it the check stands, and what was found. The
 * place is kept in numbers that change, and written out only for a finding: nearly every value is right.
 */
export class Scan {
  readonly message: Hl7Message;
  readonly text: string;
  readonly table: MarkTable;
  readonly checks: VersionChecks;
  readonly findings: Findings;
  segment: Segment;
  /** The field, repetition, component and sub-component that are being checked; 0: none. */
  position = 0;
  repetition = 0;
  component = 0;
  subcomponent = 0;
  /** How many fields the segment has. */
  fieldCount = 0;
  /** By position; a header's first two are never asked for. */
  private readonly starts = [0, 0, 0];
  private readonly ends = [0, 0, 0];
  /** What conditions have read so far, by path: of this segment, and of the message. */
  segmentValues: Map<string, readonly string[]> | undefined;
  messageValues: Map<string, readonly string[]> | undefined;
  private charset: string | undefined;

  constructor(message: Hl7Message, checks: VersionChecks, findings: Findings) {
    const [first] = message.segments;
    if (first === undefined) throw new Error('Expected a message with a segment.');
    this.message = message;
    this.text = message.text;
    this.table = toMarkTable(message.delimiters);
    this.checks = checks;
    this.findings = findings;
    this.segment = first;
  }

  startSegment(segment: Segment): void {
    this.segment = segment;
    this.segmentValues = undefined;
    this.position = 0;
    this.repetition = 1;
    this.component = 0;
    this.subcomponent = 0;
    this.fieldCount = 0;
  }

  /** Keeps where a field stands, for rules that look at several. */
  keepField(position: number, start: number, end: number): void {
    this.fieldCount = position;
    if (position >= maxKept) return;
    this.starts[position] = start;
    this.ends[position] = end;
  }

  /** Where a field of the segment starts; the segment's end where it has none. */
  startOf(position: number): number {
    return position <= this.fieldCount ? (this.starts[position] ?? 0) : this.segment.range.end;
  }

  endOf(position: number): number {
    return position <= this.fieldCount ? (this.ends[position] ?? 0) : this.segment.range.end;
  }

  /** The first component of a field's first repetition, decoded. */
  firstOf(position: number): string {
    const end = this.endOf(position);
    const start = this.startOf(position);
    let at = start;
    while (at < end && ((this.table[this.text.charCodeAt(at)] ?? 0) & anyDivider) === 0) at++;
    return this.decode(start, at);
  }

  /** What a field holds, as it stands. */
  rawOf(position: number): string {
    return this.text.slice(this.startOf(position), this.endOf(position));
  }

  /** The text that a value stands for. */
  decode(start: number, end: number): string {
    const raw = this.text.slice(start, end);
    const { delimiters, segments } = this.message;
    if (delimiters.escape === '' || !raw.includes(delimiters.escape)) return raw;
    this.charset ??= segments[0]?.field(18).repetitions[0]?.raw ?? '';
    return unescapeText(raw, delimiters, this.charset);
  }

  /** A finding at the place where the check stands. */
  report(code: string, severity: Severity, message: string): void {
    if (this.findings.isFull) return;
    this.findings.add({ code, severity, location: this.toLocation(), message });
  }

  /** As {@link report}, unless a profile's rule for the same place has said it already. */
  reportOnce(code: string, severity: Severity, message: string): void {
    if (!this.findings.hasLately(code, this.toLocation())) this.report(code, severity, message);
  }

  private toLocation(): string {
    const name = toSegmentLocation(this.message, this.segment);
    const { position, repetition, component, subcomponent } = this;
    if (position === 0 || position > maxPosition) return name;
    const field = `${name}-${position}`;
    if (repetition > maxPosition || component > maxPosition || subcomponent > maxPosition) {
      return field;
    }
    // What a result says is always named with its repetition: results of several values are usual there.
    const isNumbered = repetition > 1 || (position === 5 && this.segment.name === 'OBX');
    const whole = isNumbered && repetition > 0 ? `${field}[${repetition}]` : field;
    if (subcomponent > 0) return `${whole}.${Math.max(component, 1)}.${subcomponent}`;
    return component > 0 ? `${whole}.${component}` : whole;
  }
}

const anyDivider = marks.field | marks.repetition | marks.component | marks.subcomponent;
