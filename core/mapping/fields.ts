import type { Hl7Message, Segment } from '../hl7v2/message.ts';
import { findMark } from '../hl7v2/scan.ts';
import { SourceValue } from './source.ts';

/** The fields of one segment, each divided once when it is first read; and which of them rules have taken. */
export class Fields {
  /** The highest field that there is. */
  readonly count: number;
  readonly #message: Hl7Message;
  readonly #segment: Segment;
  /** Where each field starts, by its position, and behind the last where one more would. */
  readonly #starts: readonly number[];
  readonly #repetitions: (SourceValue[] | undefined)[] = [];
  readonly #taken: boolean[] = [];

  constructor(message: Hl7Message, segment: Segment) {
    this.#message = message;
    this.#segment = segment;
    this.#starts = findStarts(message, segment);
    this.count = this.#starts.length - 2;
  }

  /** Whether a field has content. */
  has(field: number): boolean {
    return field <= this.count && this.#start(field + 1) - this.#start(field) > 1;
  }

  /** Those that are there, as the message has them: of a field that is present at least one, of others none. */
  repetitions(field: number): readonly SourceValue[] {
    return (this.#repetitions[field] ??= this.#divide(field));
  }

  /** The repetition, 1-based; beyond the last one that is there an absent value. */
  repetition(field: number, repetition: number): SourceValue {
    return this.repetitions(field)[repetition - 1] ?? this.#build(field, repetition, '');
  }

  /** All of the field is taken. */
  take(field: number): void {
    this.#taken[field] = true;
  }

  isTaken(field: number): boolean {
    return this.#taken[field] === true;
  }

  #start(field: number): number {
    return this.#starts[field] ?? 0;
  }

  #divide(field: number): SourceValue[] {
    const { text, delimiters } = this.#message;
    if (field <= 2 && this.#segment.isHeader) {
      const range = this.#segment.fieldRange(field);
      return range === undefined ? [] : [this.#build(field, 1, text.slice(range.start, range.end))];
    }
    if (field < 1 || field > this.count) return [];
    const end = this.#start(field + 1) - 1;
    const found: SourceValue[] = [];
    for (let start = this.#start(field); start <= end;) {
      const next = findMark(text, delimiters.repetition, start, end);
      found.push(this.#build(field, found.length + 1, text.slice(start, next)));
      start = next + 1;
    }
    return found;
  }

  #build(field: number, repetition: number, raw: string): SourceValue {
    const place = { segment: this.#segment, field, repetition, component: 0, subcomponent: 0 };
    return new SourceValue(this.#message, place, raw);
  }
}

function findStarts({ text, delimiters }: Hl7Message, segment: Segment): readonly number[] {
  const { start, end } = segment.range;
  // MSH-1 is the first separator itself.
  const starts = segment.isHeader ? [start, start + segment.name.length + 1] : [start];
  for (let at = start + segment.name.length; at <= end; at += 1) {
    at = findMark(text, delimiters.field, at, end);
    starts.push(at + 1);
  }
  return starts;
}
