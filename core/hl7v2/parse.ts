import type { Issue } from '../issue.ts';
import { decodeMessage } from './charset.ts';
import { readDelimiters } from './delimiters.ts';
import { setText } from './edit.ts';
import { unescapeText } from './escape.ts';
import { findPlace, findPlaces, type Place } from './locate.ts';
import type { Delimiters, Hl7Message, ParseResult, Segment } from './message.ts';
import { toPath, type Path } from './path.ts';
import { buildNoHeader } from './no-header.ts';
import { findLineEnd, findStart, forEachLine } from './scan.ts';
import { toSegmentLocation } from './location.ts';
import { buildNameIssue, isSegmentName } from './segment-name.ts';
import { SegmentView, type SegmentSource } from './segment.ts';

/** How to read bytes; text is taken as it is. */
export interface ParseOptions {
  /** The sender's character set where MSH-18 does not tell the truth, named as in table 0211. */
  readonly charset?: string;
}

/**
 * Parses one message: finds its delimiters and segments, and nothing else until it is asked for. Never
 * throws. Not a message are: `message-empty`, `header-missing` (no MSH), `batch-unsplit` (FHS or BHS in
 * front), `header-too-short`, `delimiter-invalid`, `delimiters-not-distinct`. Findings that let it pass:
 * `segment-name-invalid` (a line that is no segment, perhaps a wrapped one), `header-repeated` (a second
 * message: split the text first), and those of the character set.
 */
export function parseMessage(source: string | Uint8Array, options: ParseOptions = {}): ParseResult {
  if (typeof source === 'string') return parseText(source, []);
  const decoded = decodeMessage(source, options.charset);
  return parseText(decoded.text, decoded.issues);
}

function parseText(text: string, issues: readonly Issue[]): ParseResult {
  const start = findStart(text);
  if (!text.startsWith('MSH', start)) {
    return { ok: false, issues: [...issues, buildNoHeader(text, start)] };
  }
  const read = readDelimiters(text, start, findLineEnd(text, start));
  if (!read.ok) return { ok: false, issues: [...issues, ...read.issues] };
  const message = new MessageView(text, read.delimiters);
  const findings = message.findings;
  const all = issues.length + read.issues.length + findings.length;
  return { ok: true, message, issues: all === 0 ? none : [...issues, ...read.issues, ...findings] };
}

const none: readonly Issue[] = [];

class MessageView implements Hl7Message, SegmentSource {
  readonly text: string;
  readonly delimiters: Delimiters;
  readonly segments: readonly SegmentView[];
  /** What was found while looking for segments. */
  readonly findings: readonly Issue[];
  private byName: Map<string, SegmentView[]> | undefined;
  private occurrences: Map<Segment, number> | undefined;
  private charset: string | undefined;

  constructor(text: string, delimiters: Delimiters) {
    this.text = text;
    this.delimiters = delimiters;
    const segments: SegmentView[] = [];
    let oddLines = 0;
    forEachLine(text, 0, (start, end, line) => {
      // A byte order mark or VT in front belongs to no segment.
      const from = segments.length === 0 ? findStart(text) : start;
      const segment = new SegmentView(this, { start: from, end }, line);
      segments.push(segment);
      const { name } = segment;
      if (!isSegmentName(name) || (name === 'MSH' && segments.length > 1)) oddLines++;
    });
    this.segments = segments;
    this.findings = oddLines > 0 ? findFindings(this) : none;
  }

  get version(): string {
    return this.get('MSH-12.1.1') ?? '';
  }

  segmentsNamed(name: string): readonly SegmentView[] {
    if (this.byName === undefined) {
      this.byName = new Map();
      for (const segment of this.segments) {
        const same = this.byName.get(segment.name);
        if (same === undefined) this.byName.set(segment.name, [segment]);
        else same.push(segment);
      }
    }
    return this.byName.get(name) ?? [];
  }

  get(path: string): string | undefined {
    const parsed = toPath(path);
    const segment = this.findSegment(parsed);
    if (segment === undefined) return undefined;
    const place = findPlace(segment, parsed, this.text, this.delimiters);
    return place === undefined ? undefined : this.valueAt(place);
  }

  all(path: string): readonly string[] {
    const parsed = toPath(path);
    const values: string[] = [];
    for (const segment of this.segmentsOf(parsed)) {
      const places = findPlaces(segment, parsed, this.text, this.delimiters);
      for (const place of places) values.push(this.valueAt(place));
    }
    return values;
  }

  set(path: string, value: string): Hl7Message {
    const parsed = toPath(path);
    const segment = this.findSegment(parsed);
    const target = { text: this.text, delimiters: this.delimiters, segment };
    return new MessageView(setText(target, parsed, value), this.delimiters);
  }

  decode(raw: string): string {
    const mark = this.delimiters.escape;
    if (mark === '' || !raw.includes(mark)) return raw;
    // MSH-18 itself is read raw: it decides how escapes decode.
    this.charset ??= this.segments[0]?.field(18).repetitions[0]?.raw ?? '';
    return unescapeText(raw, this.delimiters, this.charset);
  }

  occurrenceOf(segment: Segment): number {
    if (this.occurrences === undefined) {
      this.occurrences = new Map();
      const counts = new Map<string, number>();
      for (const each of this.segments) {
        const count = (counts.get(each.name) ?? 0) + 1;
        counts.set(each.name, count);
        this.occurrences.set(each, count);
      }
    }
    return this.occurrences.get(segment) ?? 1;
  }

  private findSegment(path: Path): SegmentView | undefined {
    const { segment: name, occurrence = 1 } = path;
    if (this.byName === undefined && occurrence === 1) {
      for (const segment of this.segments) if (segment.name === name) return segment;
      return undefined;
    }
    return this.segmentsNamed(name)[occurrence - 1];
  }

  private segmentsOf(path: Path): readonly SegmentView[] {
    const named = this.segmentsNamed(path.segment);
    if (path.occurrence === undefined) return named;
    return named.slice(path.occurrence - 1, path.occurrence);
  }

  private valueAt(place: Place): string {
    const raw = this.text.slice(place.range.start, place.range.end);
    return place.single ? this.decode(raw) : raw;
  }
}

/** Lines that are no segments and headers after the first, in their order. */
function findFindings(message: Hl7Message): readonly Issue[] {
  const issues: Issue[] = [];
  let last: Segment | undefined;
  for (const segment of message.segments) {
    if (!isSegmentName(segment.name)) {
      issues.push(buildNameIssue(message, last ?? segment, segment.line));
      continue;
    }
    if (segment.name === 'MSH' && last !== undefined) {
      issues.push({
        code: 'header-repeated',
        severity: 'error',
        location: toSegmentLocation(message, segment),
        message: `Expected one message, found another MSH on line ${segment.line}; split the text first`,
      });
    }
    last = segment;
  }
  return issues;
}
