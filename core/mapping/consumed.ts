import type { Hl7Message, Segment, Value } from '../hl7v2/message.ts';
import { type SourceValue, toSegmentName } from './source.ts';

/** Which source values some rule has taken or named: the other half of "no silent loss". */
export class Consumed {
  readonly #bySegment = new Map<Segment, Set<number>>();

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

  #of(segment: Segment): Set<number> {
    const known = this.#bySegment.get(segment);
    if (known !== undefined) return known;
    const made = new Set<number>();
    this.#bySegment.set(segment, made);
    return made;
  }

  #findInSegment(segment: Segment, paths: string[]): void {
    const taken = this.#bySegment.get(segment) ?? new Set<number>();
    const first = segment.name === 'MSH' ? 3 : 1;
    for (let position = first; position <= segment.fieldCount; position++) {
      if (taken.has(toKey(position, 0, 0, 0))) continue;
      const field = segment.field(position);
      if (field.raw === '') continue;
      const rest: string[] = [];
      let any = false;
      field.repetitions.forEach((repetition, index) => {
        const base = `${toSegmentName(segment)}-${position}[${index + 1}]`;
        if (taken.has(toKey(position, index + 1, 0, 0))) {
          any ||= repetition.valued;
          return;
        }
        for (let c = 1; c <= repetition.componentCount; c++) {
          const component = repetition.component(c);
          if (!component.valued) continue;
          if (taken.has(toKey(position, index + 1, c, 0))) {
            any = true;
            continue;
          }
          for (let s = 1; s <= component.subcomponentCount; s++) {
            if (!component.subcomponent(s).valued) continue;
            if (taken.has(toKey(position, index + 1, c, s))) any = true;
            else
              rest.push(component.subcomponentCount === 1 ? `${base}.${c}` : `${base}.${c}.${s}`);
          }
        }
      });
      if (rest.length === 0) continue;
      if (any) paths.push(...rest);
      else paths.push(`${toSegmentName(segment)}-${position}`);
    }
  }
}

/** Fits a double exactly: 10 bits for repetitions would be too few, so the field comes last. */
function toKey(field: number, repetition: number, component: number, subcomponent: number): number {
  return ((repetition * 512 + field) * 256 + component) * 256 + subcomponent;
}

/** Whether something stands there at all: neither nothing, nor only delimiters, nor the HL7 null. */
export function isValued(value: Value): boolean {
  return value.valued;
}
