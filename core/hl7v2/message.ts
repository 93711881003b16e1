import type { Issue } from '../issue.ts';

/** MSH-1 and MSH-2. HL7 v2 chapter 2, message delimiters. */
export interface Delimiters {
  readonly field: string;
  readonly component: string;
  readonly repetition: string;
  readonly escape: string;
  readonly subcomponent: string;
  /** The fifth character of MSH-2, from 2.7 on. */
  readonly truncation?: string;
}

/** Where in the message's text a value stands: `[start, end)` in UTF-16 units, before any decoding. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

/**
 * A parsed HL7 v2 message. Lazy: only segments are found at once, the rest when it is asked for.
 * Faithful: `text` is exactly what was parsed. Immutable: an edit gives a new message.
 *
 * Values are decoded (escape sequences) unless the name says raw. Absent is undefined, empty is `''`,
 * the HL7 null is `'""'`.
 */
export interface Hl7Message {
  readonly text: string;
  readonly delimiters: Delimiters;
  readonly segments: readonly Segment[];
  /** MSH-12.1, `''` where it is empty. */
  readonly version: string;
  /** Segments of that name, in order. */
  segmentsNamed(name: string): readonly Segment[];
  /**
   * First value at a path such as `PID-3[2].4.1`, `OBX[3]-5`, `PID-3[type=MR].1`, `MSH-9`; see
   * parsePathExpression. A path to a field gives its first repetition whole, decoded only where it has one
   * component. All of these throw a permanent HilumError on a malformed path (`path-invalid`), and on one with
   * groups where the message was parsed without definitions (`path-needs-structure`).
   */
  get(path: string): string | undefined;
  /** Every value at the path: over all segments of that name and all repetitions where no index is given. */
  all(path: string): readonly string[];
  /** Every value at the path with its place, in the order of the text. */
  places(path: string): readonly ValuePlace[];
  /** A raw value of this message with its escapes decoded, as its values are. */
  decode(raw: string): string;
  /**
   * A message with the value at the path set and escaped; every other character as it was. Delimiters are
   * added where the place lies beyond an end. Where several places fit, the first, and each of them only with
   * `[*]`. Throws a permanent HilumError: `segment-missing`, `repetition-missing` (none is the chosen one),
   * `path-not-editable` (a whole segment, MSH-1, MSH-2), `delimiter-missing` (MSH-2 has not what is needed).
   */
  set(path: string, value: string): Hl7Message;
  /** As {@link set}, with the value as it stands in the message: for a copy of what has parts. Throws `value-divides` where it would not stay within its place. */
  setRaw(path: string, raw: string): Hl7Message;
  /**
   * A message without what is at the path: a segment with its end, a repetition whose index is given with its
   * separator; of a field, component or sub-component its content. Where nothing is, nothing changes.
   */
  remove(path: string): Hl7Message;
  /**
   * A message with one more repetition of the field at the path, and the value in it (`PID-3.1`); or, for a
   * path to a segment, with one more segment, written as it stands (`NTE|1||text`), behind the last one that
   * fits the path, else at the end of the named group or of the message. Throws `segment-missing` where there
   * is no such group.
   */
  append(path: string, value: string): Hl7Message;
  /** As {@link append}, with the repetition as it stands in the message. Throws `value-divides` as {@link setRaw} does. */
  appendRaw(path: string, raw: string): Hl7Message;
}

/** A value that was found, and where. */
export interface ValuePlace {
  /** With every number: `PID-3[2].1`, `OBX[3]-5[1]`. */
  readonly location: string;
  readonly range: TextRange;
  /** As {@link Hl7Message.get} gives it. */
  readonly value: string;
}

export interface Segment {
  /** As written, e.g. `PID`, `ZPI`. */
  readonly name: string;
  /** Which line of the message, 1-based. */
  readonly line: number;
  /** Which of the segments of its name, 1-based. */
  readonly occurrence: number;
  readonly range: TextRange;
  /** 1-based; MSH-1 is the field separator itself, MSH-2 the encoding characters. Beyond the end: an absent field. */
  field(position: number): Field;
  /** The highest field position present. */
  readonly fieldCount: number;
  /** MSH, FHS and BHS declare the delimiters in their first two fields. */
  readonly isHeader: boolean;
  /** Where a field stands; undefined beyond the end. */
  fieldRange(position: number): TextRange | undefined;
}

/** A field, repetition, component or sub-component share this: what stands there and where. */
export interface Value {
  /** False where the message ends before it. */
  readonly present: boolean;
  /** The text as it stands, escapes and delimiters included; `''` when absent. */
  readonly raw: string;
  /** Escapes decoded. */
  readonly text: string;
  /** Present and neither empty nor the HL7 null. */
  readonly valued: boolean;
  readonly range: TextRange;
}

export interface Field extends Value {
  /** At least one for a present field, also when it is empty; none for an absent one. */
  readonly repetitions: readonly Repetition[];
}

export interface Repetition extends Value {
  readonly componentCount: number;
  /** 1-based; beyond the end: an absent component. */
  component(position: number): Component;
}

export interface Component extends Value {
  readonly subcomponentCount: number;
  /** 1-based; beyond the end: an absent value. */
  subcomponent(position: number): Value;
}

/** What parsing gives: a message with non-fatal findings, or the reasons why it is none. */
export type ParseResult =
  | { readonly ok: true; readonly message: Hl7Message; readonly issues: readonly Issue[] }
  | { readonly ok: false; readonly issues: readonly Issue[] };
