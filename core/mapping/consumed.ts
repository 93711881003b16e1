import type { Hl7Message, Repetition, Segment } from '../hl7v2/message.ts';
import { type SourceValue, toSegmentName } from './source.ts';

/** Which source values some rule has taken or named: the other half of "no silent loss". */
export class Consumed {
  readonly #bySegment = new Map<Segment, Set<Key>>();

  /** Takes the value with all that is in it. */
  add(source: SourceValue): void {
    const { field, repetition, component, subcomponent } = source;
    this.#of(source.segment).add(toKey(field, repetition, component, subcomponent));
  }

  addField(segment: Segment, field: number): void {
    this.#of(segment).add(toKey(field, 0, 0, 0));
  }

  /**
   * Paths of all valued source values that were not taken, in the order of the message: a whole field as
   * `PID-18`, a part of one as `PID-3[1].6` or `PID-3[1].4.2`.
   */
  findRest(message: Hl7Message): string[] {
    const paths: string[] = [];
    for (const segment of message.segments) this.#findInSegment(segment, paths);
    return paths;
  }

  #of(segment: Segment): Set<Key> {
    const known = this.#bySegment.get(segment);
    if (known !== undefined) return known;
    const made = new Set<Key>();
    this.#bySegment.set(segment, made);
    return made;
  }

  #findInSegment(segment: Segment, paths: string[]): void {
    const taken = this.#bySegment.get(segment) ?? nothing;
    // MSH-1 and MSH-2 are delimiters.
    for (let field = segment.name === 'MSH' ? 3 : 1; field <= segment.fieldCount; field++) {
      if (taken.has(toKey(field, 0, 0, 0))) continue;
      const { raw, repetitions } = segment.field(field);
      if (raw === '') continue;
      const name = `${toSegmentName(segment)}-${field}`;
      const rest: string[] = [];
      const counts = { all: 0 };
      repetitions.forEach((repetition, index) => {
        findInRepetition({ taken, field, index: index + 1, name, counts }, repetition, rest);
      });
      if (rest.length > 0 && rest.length === counts.all) paths.push(name);
      // No spread: a call takes only so many arguments.
      else for (const path of rest) paths.push(path);
    }
  }
}

interface FieldSearch {
  readonly taken: ReadonlySet<Key>;
  readonly field: number;
  readonly index: number;
  readonly name: string;
  /** Valued leaves so far, taken or not. */
  readonly counts: { all: number };
}

function findInRepetition(search: FieldSearch, repetition: Repetition, rest: string[]): void {
  const { taken, field, index, name, counts } = search;
  const whole = taken.has(toKey(field, index, 0, 0));
  // Counted once: each count goes through the whole value.
  const components = repetition.componentCount;
  for (let c = 1; c <= components; c++) {
    const component = repetition.component(c);
    if (!component.valued) continue;
    const count = component.subcomponentCount;
    const all = whole || taken.has(toKey(field, index, c, 0));
    for (let s = 1; s <= count; s++) {
      if (!component.subcomponent(s).valued) continue;
      counts.all++;
      if (all || taken.has(toKey(field, index, c, s))) continue;
      rest.push(count === 1 ? `${name}[${index}].${c}` : `${name}[${index}].${c}.${s}`);
    }
  }
}

const nothing: ReadonlySet<Key> = new Set();

/** A number wherever it can be one; a text where a position is larger than any that HL7 defines. */
type Key = number | string;

/** Fits a double exactly for any number of repetitions: they come first. */
function toKey(field: number, repetition: number, component: number, subcomponent: number): Key {
  if (field > 511 || component > 255 || subcomponent > 255) {
    return `${field}[${repetition}].${component}.${subcomponent}`;
  }
  return ((repetition * 512 + field) * 256 + component) * 256 + subcomponent;
}
