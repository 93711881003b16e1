import type { Component, Delimiters, Field, Repetition, TextRange, Value } from './message.ts';
import { countParts, findPart } from './scan.ts';

/** What values are read from: the message's text, its delimiters and how its escapes decode. */
export interface ValueSource {
  readonly text: string;
  readonly delimiters: Delimiters;
  decode(raw: string): string;
}

/** The HL7 null: the value is to be deleted. */
const nullValue = '""';

abstract class ValueView implements Value {
  readonly range: TextRange;
  readonly present: boolean;
  protected readonly source: ValueSource;
  /** The part found last: the next one is looked for from there, so that reading on stays linear. */
  private lastPosition = 0;
  private lastPart: TextRange | undefined;

  constructor(source: ValueSource, range: TextRange, present: boolean) {
    this.source = source;
    this.range = range;
    this.present = present;
  }

  get raw(): string {
    return this.source.text.slice(this.range.start, this.range.end);
  }

  get text(): string {
    return this.source.decode(this.raw);
  }

  get valued(): boolean {
    const { start, end } = this.range;
    return end > start && !(end - start === 2 && this.raw === nullValue);
  }

  /** The part at `position` of this value; where it is absent, the place behind the end. */
  protected part(mark: string, position: number): { range: TextRange; present: boolean } {
    const range = this.present ? this.findFrom(mark, position) : undefined;
    if (range !== undefined) return { range, present: true };
    return { range: { start: this.range.end, end: this.range.end }, present: false };
  }

  private findFrom(mark: string, position: number): TextRange | undefined {
    const last = position >= this.lastPosition ? this.lastPart : undefined;
    const from = last === undefined ? this.range : { start: last.start, end: this.range.end };
    const skipped = last === undefined ? 0 : this.lastPosition - 1;
    const found = findPart(this.source.text, mark, from, position - skipped);
    if (found !== undefined) {
      this.lastPart = found;
      this.lastPosition = position;
    }
    return found;
  }

  protected count(mark: string): number {
    return this.present ? countParts(this.source.text, mark, this.range) : 0;
  }
}

class SubcomponentView extends ValueView {}

class ComponentView extends ValueView implements Component {
  get subcomponentCount(): number {
    return this.count(this.source.delimiters.subcomponent);
  }

  subcomponent(position: number): Value {
    const { range, present } = this.part(this.source.delimiters.subcomponent, position);
    return new SubcomponentView(this.source, range, present);
  }
}

class RepetitionView extends ValueView implements Repetition {
  get componentCount(): number {
    return this.count(this.source.delimiters.component);
  }

  component(position: number): Component {
    const { range, present } = this.part(this.source.delimiters.component, position);
    return new ComponentView(this.source, range, present);
  }
}

class FieldView extends ValueView implements Field {
  get repetitions(): readonly Repetition[] {
    const mark = this.source.delimiters.repetition;
    const repetitions: Repetition[] = [];
    let start = this.range.start;
    // One pass: asking for one repetition after the other would be quadratic.
    for (let left = this.count(mark); left > 0; left--) {
      const rest = { start, end: this.range.end };
      const range = findPart(this.source.text, mark, rest, 1) ?? rest;
      repetitions.push(new RepetitionView(this.source, range, true));
      start = range.end + 1;
    }
    return repetitions;
  }
}

/** A field at `range`, or an absent one there. */
export function buildField(source: ValueSource, range: TextRange, present: boolean): Field {
  return new FieldView(source, range, present);
}

const noDelimiters: Delimiters = {
  field: '',
  component: '',
  repetition: '',
  escape: '',
  subcomponent: '',
};

/** MSH-1 and MSH-2: the delimiters themselves, neither divided nor decoded. */
export function buildLiteralField(text: string, range: TextRange): Field {
  return new FieldView({ text, delimiters: noDelimiters, decode: (raw) => raw }, range, true);
}
