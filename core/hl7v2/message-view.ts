import type { Definitions, VersionDefinitions } from './definitions/definitions.ts';
import {
  appendRepetition,
  applySplices,
  findNextLine,
  refuse,
  removeFromSegment,
  setInSegment,
  type NewValue,
  type Splice,
} from './edit.ts';
import { unescapeText } from './escape.ts';
import { findGroups } from './groups.ts';
import { findPlaces, findWithin, readValue, type Located } from './locate.ts';
import type { Delimiters, Hl7Message, Segment, TextRange, ValuePlace } from './message.ts';
import { preparePath } from './parse-path.ts';
import { formatPath, type Path, type PathExpression } from './path.ts';
import { findMark, findPartStart } from './scan.ts';
import {
  chooseGroups,
  chooseSegments,
  collectSegments,
  type GroupNode,
  type SegmentGround,
} from './segment-choice.ts';
import { SegmentList, toNameCode } from './segment-list.ts';
import { isHeaderName, type SegmentSource } from './segment.ts';

/** What the text alone does not tell. */
export interface MessageContext {
  /** What it was decoded from, and so what `\\X..\\` is in; else MSH-18 says it. */
  readonly charset?: string | undefined;
  /** By which paths with groups are found. */
  readonly definitions?: Definitions | VersionDefinitions | undefined;
}

/** A message over its text. Everything is looked for when it is asked for, and no further than that. */
export class MessageView implements Hl7Message, SegmentSource, SegmentGround {
  readonly text: string;
  readonly delimiters: Delimiters;
  private readonly definitions: Definitions | VersionDefinitions | undefined;
  private groups: GroupNode | undefined;
  private readonly list: SegmentList;
  private allSegments: readonly Segment[] | undefined;
  private byName: Map<string, Segment[]> | undefined;
  private occurrences: Map<Segment, number> | undefined;
  private charset: string | undefined;

  /** `edited`: the message that this one was made from, and from where on its text is another. */
  constructor(
    text: string,
    delimiters: Delimiters,
    { charset, definitions }: MessageContext = {},
    edited?: { readonly message: MessageView; readonly from: number },
  ) {
    this.text = text;
    this.delimiters = delimiters;
    this.charset = charset;
    this.definitions = definitions;
    const list = edited?.message.list;
    this.list = new SegmentList(this, list && { list, count: list.countBefore(edited.from) });
  }

  get segments(): readonly Segment[] {
    return (this.allSegments ??= this.list.all());
  }

  get version(): string {
    return this.get('MSH-12.1.1') ?? '';
  }

  segmentsNamed(name: string): readonly Segment[] {
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
    const { plain, expression, nameCode } = preparePath(path);
    const range =
      plain === undefined ? this.find(expression)?.range : this.findPlain(plain, nameCode);
    return range === undefined ? undefined : this.valueAt(range, expression);
  }

  all(path: string): readonly string[] {
    return this.places(path).map((place) => place.value);
  }

  places(path: string): readonly ValuePlace[] {
    const { expression } = preparePath(path);
    return this.choose(expression)
      .flatMap((segment) => findPlaces(this, segment, expression))
      .map(({ path: place, range }) => ({
        location: formatPath(place),
        range,
        value: this.valueAt(range, expression),
      }));
  }

  set(path: string, value: string): Hl7Message {
    return this.setValue(path, { value, isRaw: false });
  }

  setRaw(path: string, raw: string): Hl7Message {
    return this.setValue(path, { value: raw, isRaw: true });
  }

  remove(path: string): Hl7Message {
    const { expression } = preparePath(path);
    return this.edit(
      this.choose(expression).flatMap((segment) => removeFromSegment(this, segment, expression)),
    );
  }

  append(path: string, value: string): Hl7Message {
    return this.appendValue(path, { value, isRaw: false });
  }

  appendRaw(path: string, raw: string): Hl7Message {
    return this.appendValue(path, { value: raw, isRaw: true });
  }

  decode(raw: string): string {
    const mark = this.delimiters.escape;
    if (mark === '' || !raw.includes(mark)) return raw;
    return unescapeText(raw, this.delimiters, (this.charset ??= this.readCharset()));
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

  /** MSH-18, raw, since it decides how escapes decode: all of it, for sets that extend one another. */
  private readCharset(): string {
    const field = this.segments[0]?.fieldRange(18);
    const { repetition } = this.delimiters;
    return field === undefined
      ? ''
      : this.text.slice(field.start, field.end).replaceAll(repetition, '~');
  }

  private findGroups(): GroupNode | undefined {
    if (this.definitions === undefined) return undefined;
    return (this.groups ??= findGroups(this, this.definitions));
  }

  private choose(expression: PathExpression): readonly Segment[] {
    return chooseSegments(this, expression, () => this.findGroups());
  }

  private find(expression: PathExpression): Located | undefined {
    for (const segment of this.choose(expression)) {
      const [place] = findPlaces(this, segment, expression);
      if (place !== undefined) return place;
    }
    return undefined;
  }

  /** The quick way for numbers alone: makes no views and looks at nothing behind the place. */
  private findPlain(path: Path, nameCode: number): TextRange | undefined {
    const { text, delimiters } = this;
    const index = this.list.find(nameCode, path.occurrence ?? 1);
    if (index === -1) return undefined;
    const segment = this.list.range(index);
    if (path.field === undefined) return segment;
    const isHeader = isHeaderName(path.segment);
    if (isHeader && path.field <= 2) {
      return findPlaces(this, this.list.view(index), { ...path, groups: [] })[0]?.range;
    }
    const at = findPartStart(text, delimiters.field, segment, path.field + (isHeader ? 0 : 1));
    if (at === -1) return undefined;
    const field = { start: at, end: findMark(text, delimiters.field, at, segment.end) };
    const start = findPartStart(text, delimiters.repetition, field, path.repetition ?? 1);
    if (start === -1) return undefined;
    const end = findMark(text, delimiters.repetition, start, field.end);
    return findWithin(this, { start, end }, path);
  }

  private valueAt(range: TextRange, { segment, field = 0 }: PathExpression): string {
    const isLiteral = field <= 2 && isHeaderName(segment);
    return field === 0 || isLiteral
      ? this.text.slice(range.start, range.end)
      : readValue(this, range);
  }

  private setValue(path: string, value: NewValue): Hl7Message {
    const { expression } = preparePath(path);
    const first = this.requireSegment(expression);
    const setIn = (segment: Segment) => setInSegment(this, segment, { expression, value });
    if (expression.occurrence !== 'all') return this.edit(setIn(first));
    return this.edit(this.choose(expression).flatMap(setIn));
  }

  private appendValue(path: string, value: NewValue): Hl7Message {
    const { expression } = preparePath(path);
    if (expression.field === undefined) {
      return this.edit([this.appendSegment(expression, value.value)]);
    }
    const segment = this.requireSegment(expression);
    return this.edit([appendRepetition(this, segment, { expression, value })]);
  }

  /** The first segment that fits; looks no further than that where only numbers say which. */
  private requireSegment(expression: PathExpression): Segment {
    const { segment: name, groups, occurrence = 1 } = expression;
    const isPlain = groups.length === 0 && typeof occurrence === 'number';
    const index = isPlain ? this.list.find(toNameCode(name), occurrence) : -1;
    if (index !== -1) return this.list.view(index);
    const [segment] = isPlain ? [] : this.choose(expression);
    if (segment !== undefined) return segment;
    const message = `Expected a segment ${name} that fits the path, found none`;
    throw refuse('segment-missing', { segment: name }, message);
  }

  /** Behind the last segment that fits, else at the end of the group or of the message, with the message's own segment end. */
  private appendSegment(expression: PathExpression, raw: string): Splice {
    const { segment: name, groups } = expression;
    const isWhole = raw.startsWith(name) && ['', this.delimiters.field].includes(raw.charAt(3));
    if (!isWhole || /[\r\n]/.test(raw)) {
      const message = `Expected one segment ${name} as it stands in a message, found another or several`;
      throw refuse('value-divides', { segment: name }, message);
    }
    const around = groups.length === 0 ? [] : chooseGroups(expression, () => this.findGroups());
    if (groups.length > 0 && around.length === 0) {
      // Anywhere else it would belong to another order, or another patient.
      const message = 'Expected a group that fits the path, found none';
      throw refuse('segment-missing', { segment: name }, message);
    }
    const last =
      this.choose(expression).at(-1) ??
      around.slice(0, 1).flatMap(collectSegments).at(-1) ??
      this.segments.at(-1);
    const end = last?.range.end ?? this.text.length;
    const next = findNextLine(this.text, end);
    const lineEnd = this.text.slice(end, next);
    if (lineEnd !== '') return { start: next, end: next, text: raw + lineEnd };
    return { start: end, end, text: this.lineEnd + raw };
  }

  /** What ends the first segment; CR where nothing does. */
  private get lineEnd(): string {
    const { end } = this.list.range(0);
    return this.text.slice(end, findNextLine(this.text, end)) || '\r';
  }

  private edit(splices: readonly Splice[]): Hl7Message {
    if (splices.length === 0) return this;
    const { delimiters, charset, definitions } = this;
    const text = applySplices(this.text, splices);
    const from = splices.reduce((least, { start }) => Math.min(least, start), text.length);
    const edited = { message: this, from };
    return new MessageView(text, delimiters, { charset, definitions }, edited);
  }
}
