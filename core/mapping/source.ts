import type { Hl7Message, Segment } from '../hl7v2/message.ts';
import { MessageView } from '../hl7v2/message-view.ts';
import { findMark } from '../hl7v2/scan.ts';
import { SegmentView } from '../hl7v2/segment.ts';

/** Where a value stands; positions are 1-based, 0 where the level is not entered. */
export interface SourcePlace {
  readonly segment: Segment;
  readonly field: number;
  readonly repetition: number;
  readonly component: number;
  readonly subcomponent: number;
}

/** More parts than that are not told apart: they may all have content. */
const toldApart = 31;

/** The bit of a part, 1-based, in {@link SourceValue.content}; 0 where it has none of its own. */
export function toBit(position: number): number {
  return position >= 1 && position <= toldApart ? 1 << (position - 1) : 0;
}

/**
 * A value of the message and where it stands. Its parts are divided when one is first asked for, and are the same objects
 * each time: many rules and conditions read the same values.
 */
export class SourceValue implements SourcePlace {
  readonly segment: Segment;
  readonly field: number;
  readonly repetition: number;
  readonly component: number;
  readonly subcomponent: number;
  /** The text as it stands, escapes and delimiters included; `''` when absent. */
  readonly raw: string;
  /** A rule has taken it with all that is in it, or named it as ignored. */
  isTaken = false;
  private readonly message: Hl7Message;
  /** Those with content, and others that were asked for. */
  private parts: (SourceValue | undefined)[] | undefined;
  private count = 1;
  private filled = 0;
  private decoded: string | undefined;

  constructor(message: Hl7Message, place: SourcePlace, raw: string) {
    this.message = message;
    this.segment = place.segment;
    this.field = place.field;
    this.repetition = place.repetition;
    this.component = place.component;
    this.subcomponent = place.subcomponent;
    this.raw = raw;
  }

  /** Present and neither empty nor the HL7 null. */
  get valued(): boolean {
    return this.raw !== '' && this.raw !== '""';
  }

  /** Escapes decoded. */
  get text(): string {
    return (this.decoded ??= this.message.decode(this.raw));
  }

  /**
   * One level deeper: component of a repetition, sub-component of a component. Of a sub-component only the
   * first exists, and is it itself: a datatype that is used one level down keeps its paths.
   */
  part(position: number): SourceValue {
    if (this.subcomponent > 0) return position === 1 ? this : this.build(position, '');
    const parts = this.parts ?? this.divide();
    // What nothing divides has itself as its only part.
    const raw = position === 1 && this.count === 1 ? this.raw : '';
    return (parts[position - 1] ??= this.build(position, raw));
  }

  /** How many parts it has: at least one. */
  get partCount(): number {
    if (this.parts === undefined) this.divide();
    return this.count;
  }

  /** In which of its parts there is content, a bit each: most rules of a datatype are for parts that are empty. */
  get content(): number {
    if (this.subcomponent > 0) return this.raw === '' ? 0 : 1;
    if (this.parts === undefined) this.divide();
    return this.filled;
  }

  /** The first primitive in it: it itself where nothing divides it. What a simple datatype means by its value. */
  get leaf(): SourceValue {
    if (this.subcomponent > 0) return this;
    if (this.partCount > 1) return this.part(1).leaf;
    return this.component > 0 || !this.isDivided(this.message.delimiters.subcomponent)
      ? this
      : this.part(1).leaf;
  }

  /** Whether a rule has taken the part alone; it is not made for the question. */
  isPartTaken(position: number): boolean {
    return this.parts?.[position - 1]?.isTaken === true;
  }

  private isDivided(mark: string): boolean {
    return mark !== '' && this.raw.includes(mark) && !this.isDelimiters;
  }

  private get isDelimiters(): boolean {
    return this.field <= 2 && this.segment.isHeader;
  }

  private divide(): (SourceValue | undefined)[] {
    const { raw, message } = this;
    const { component, subcomponent } = message.delimiters;
    const mark =
      this.isDelimiters || this.subcomponent > 0
        ? ''
        : this.component === 0
          ? component
          : subcomponent;
    const parts: (SourceValue | undefined)[] = [];
    this.parts = parts;
    let from = 0;
    let end = findMark(raw, mark, 0, raw.length);
    if (end === raw.length) {
      this.filled = raw === '' ? 0 : 1;
      parts.push(undefined);
      return parts;
    }
    for (;;) {
      this.count = parts.length + 1;
      const isEmpty = end === from;
      if (!isEmpty) this.filled |= toBit(parts.length + 1);
      parts.push(isEmpty ? undefined : this.build(parts.length + 1, raw.slice(from, end)));
      if (end === raw.length) break;
      from = end + 1;
      end = findMark(raw, mark, from, raw.length);
    }
    return parts;
  }

  private build(position: number, raw: string): SourceValue {
    const { segment, field, repetition, component, subcomponent } = this;
    const place =
      component === 0
        ? { segment, field, repetition, component: position, subcomponent }
        : { segment, field, repetition, component, subcomponent: subcomponent || position };
    return new SourceValue(this.message, place, raw);
  }
}

const empty = new MessageView('MSH|^~\\&', {
  ...{ field: '|', component: '^', repetition: '~', escape: '\\', subcomponent: '&' },
});

const header = new SegmentView(empty, { start: 0, end: empty.text.length }, 1);

/** The value where there is not even a segment. */
export const absent: SourceValue = new SourceValue(
  empty,
  { segment: header, field: 3, repetition: 1, component: 0, subcomponent: 0 },
  '',
);

/**
 * Decoded text of the first primitive; `''` where it is absent, empty or the HL7 null. Bytes that the
 * character set does not have, half characters in the text, are U+FFFD here: no JSON can hold them.
 */
export function toText(source: SourceValue): string {
  const { leaf } = source;
  return leaf.valued ? leaf.text.toWellFormed() : '';
}

/** Text of a component or sub-component, without blanks around it; it counts as consumed. */
export function takePart(source: SourceValue, position: number): string {
  const part = source.part(position);
  part.isTaken = true;
  return toText(part).trim();
}

/** `PID-3[1].4.2`, `OBX[2]-5[1]`: the segment's occurrence where it is not the first. */
export function toLocation(source: SourcePlace): string {
  const { segment, field, repetition, component, subcomponent } = source;
  const base = `${toSegmentName(segment)}-${field}`;
  if (repetition === 0) return base;
  if (component === 0) return `${base}[${repetition}]`;
  if (subcomponent === 0) return `${base}[${repetition}].${component}`;
  return `${base}[${repetition}].${component}.${subcomponent}`;
}

/** `OBX` for the first of its name, `OBX[2]` for the second. */
export function toSegmentName(segment: Segment): string {
  return segment.occurrence === 1 ? segment.name : `${segment.name}[${segment.occurrence}]`;
}
