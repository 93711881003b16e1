import type { Hl7Message, Segment } from '../hl7v2/message.ts';
import { SourceValue } from './source.ts';

/** The fields of one segment, each divided once when it is first read; and which of them rules have taken. */
export class Fields {
  /** Whether a field has content, by its position: found in one pass. */
  readonly content: Readonly<Uint8Array>;
  readonly #message: Hl7Message;
  readonly #segment: Segment;
  readonly #repetitions: (SourceValue[] | undefined)[] = [];
  readonly #taken = new Set<number>();

  constructor(message: Hl7Message, segment: Segment) {
    this.#message = message;
    this.#segment = segment;
    this.content = findContent(message, segment);
  }

  /** Those that are there, as the message has them: of a field that is present at least one, of others none. */
  repetitions(field: number): readonly SourceValue[] {
    return (this.#repetitions[field] ??= this.#divide(field));
  }

  /** The repetition, 1-based; beyond the last one that is there an absent value. */
  repetition(field: number, repetition: number): SourceValue {
    const found = this.repetitions(field)[repetition - 1];
    return found ?? this.#build(field, repetition, undefined);
  }

  /** All of the field is taken. */
  take(field: number): void {
    this.#taken.add(field);
  }

  isTaken(field: number): boolean {
    return this.#taken.has(field);
  }

  #divide(field: number): SourceValue[] {
    const range = this.#segment.fieldRange(field);
    if (range === undefined) return [];
    const raw = this.#message.text.slice(range.start, range.end);
    const { repetition: mark } = this.#message.delimiters;
    const isLiteral = field <= 2 && this.#segment.isHeader;
    const parts = isLiteral || mark === '' || !raw.includes(mark) ? [raw] : raw.split(mark);
    return parts.map((part, index) => this.#build(field, index + 1, part));
  }

  #build(field: number, repetition: number, raw: string | undefined): SourceValue {
    const place = { segment: this.#segment, field, repetition, component: 0, subcomponent: 0 };
    return new SourceValue(this.#message, place, raw);
  }
}

function findContent({ text, delimiters }: Hl7Message, segment: Segment): Uint8Array {
  const { start, end } = segment.range;
  const code = delimiters.field.charCodeAt(0);
  // MSH-1 is the first separator itself.
  let field = segment.isHeader ? 1 : 0;
  const found: number[] = [];
  for (let at = start + segment.name.length; at < end; at += 1) {
    if (text.charCodeAt(at) === code) field += 1;
    else found[field] = 1;
  }
  const content = new Uint8Array(field + 1);
  for (let at = 0; at <= field; at += 1) content[at] = found[at] ?? 0;
  return content;
}
