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
  /** First value at a path such as `PID-3[2].4.1`, `OBX[3]-5`, `MSH-9`. A path to a field gives its first repetition whole, decoded only where it has one component. */
  get(path: string): string | undefined;
  /** Every value at the path: over all segments of that name and all repetitions where no index is given. */
  all(path: string): readonly string[];
  /** A message with the value at the path set and escaped; every other character as it was. Throws on a malformed path. */
  set(path: string, value: string): Hl7Message;
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
