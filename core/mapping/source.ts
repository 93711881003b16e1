import type { Hl7Message, Segment } from '../hl7v2/message.ts';

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
  /** False where the message ends before it. */
  readonly present: boolean;
  /** A rule has taken it with all that is in it, or named it as ignored. */
  isTaken = false;
  private readonly message: Hl7Message;
  private parts: SourceValue[] | undefined;
  private decoded: string | undefined;
  private filled: number | undefined;

  /** `raw` undefined: the message ends before it. */
  constructor(message: Hl7Message, place: SourcePlace, raw: string | undefined) {
    this.message = message;
    this.segment = place.segment;
    this.field = place.field;
    this.repetition = place.repetition;
    this.component = place.component;
    this.subcomponent = place.subcomponent;
    this.raw = raw ?? '';
    this.present = raw !== undefined;
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
    if (this.subcomponent > 0) return position === 1 ? this : this.build(position, undefined);
    const parts = (this.parts ??= this.divide());
    return (parts[position - 1] ??= this.build(position, undefined));
  }

  /** How many parts it has: at least one where it is present. */
  get partCount(): number {
    if (!this.present) return 0;
    return this.subcomponent > 0 ? 1 : divide(this.raw, this.mark).length;
  }

  /** In which of its parts there is content, a bit each, in one pass: most rules of a datatype are for parts that are empty. */
  get content(): number {
    return (this.filled ??= this.findContent());
  }

  /** What divides it; `''`: nothing does. */
  private get mark(): string {
    const { segment, field, message } = this;
    // The delimiters themselves.
    if (field <= 2 && segment.isHeader) return '';
    return this.component === 0 ? message.delimiters.component : message.delimiters.subcomponent;
  }

  private divide(): SourceValue[] {
    if (!this.present) return [];
    return divide(this.raw, this.mark).map((raw, index) => this.build(index + 1, raw));
  }

  private build(position: number, raw: string | undefined): SourceValue {
    const { segment, field, repetition, component, subcomponent } = this;
    const place =
      component === 0
        ? { segment, field, repetition, component: position, subcomponent }
        : { segment, field, repetition, component, subcomponent: subcomponent || position };
    return new SourceValue(this.message, place, raw);
  }

  private findContent(): number {
    const { raw, mark } = this;
    if (this.subcomponent > 0 || mark === '') return raw === '' ? 0 : 1;
    const code = mark.charCodeAt(0);
    let bits = 0;
    let bit = 1;
    for (let at = 0; at < raw.length; at += 1) {
      if (raw.charCodeAt(at) === code) bit <<= 1;
      else bits |= bit;
    }
    return bits;
  }
}

function divide(raw: string, mark: string): string[] {
  return mark === '' || !raw.includes(mark) ? [raw] : raw.split(mark);
}

/** The first primitive below: what a simple datatype means by its value. */
export function toLeaf(source: SourceValue): SourceValue {
  let leaf = source;
  if (leaf.component === 0) leaf = leaf.part(1);
  if (leaf.subcomponent === 0) leaf = leaf.part(1);
  return leaf;
}

/**
 * Decoded text of the first primitive; `''` where it is absent, empty or the HL7 null. Bytes that the
 * character set does not have, half characters in the text, are U+FFFD here: no JSON can hold them.
 */
export function toText(source: SourceValue): string {
  const leaf = toLeaf(source);
  return leaf.valued ? leaf.text.toWellFormed() : '';
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
