import type { Hl7Message } from '../hl7v2/message.ts';
import type { Fields } from './fields.ts';
import { type SourceValue, toSegmentName } from './source.ts';

/**
 * Paths of all valued values that no rule has taken, in the order of the message: a whole field as `PID-18`, a part of one
 * as `PID-3[1].6` or `PID-3[1].4.2`. The other half of "no silent loss".
 */
export function findUnconsumed(
  message: Hl7Message,
  fieldsOf: (segment: Hl7Message['segments'][number]) => Fields,
): string[] {
  const paths: string[] = [];
  for (const segment of message.segments) {
    const fields = fieldsOf(segment);
    // MSH-1 and MSH-2 are delimiters.
    for (let field = segment.isHeader ? 3 : 1; field < fields.content.length; field += 1) {
      if (fields.content[field] === 0 || fields.isTaken(field)) continue;
      const name = `${toSegmentName(segment)}-${field}`;
      // No spread: a call takes only so many arguments.
      for (const path of findInField(fields.repetitions(field), name)) paths.push(path);
    }
  }
  return paths;
}

function findInField(repetitions: readonly SourceValue[], name: string): readonly string[] {
  const rest: string[] = [];
  let isAnyTaken = false;
  for (const repetition of repetitions) {
    const taken = findInRepetition(repetition, name, rest);
    isAnyTaken ||= taken;
  }
  return isAnyTaken || rest.length === 0 ? rest : [name];
}

/** Adds what is left of it to `rest`; true where something of it was taken. */
function findInRepetition(repetition: SourceValue, name: string, rest: string[]): boolean {
  let isAnyTaken = false;
  const { partCount } = repetition;
  for (let c = 1; c <= partCount; c += 1) {
    const component = repetition.part(c);
    if (!component.valued) continue;
    const all = repetition.isTaken || component.isTaken;
    const count = component.partCount;
    for (let s = 1; s <= count; s += 1) {
      const leaf = component.part(s);
      if (!leaf.valued) continue;
      if (all || leaf.isTaken) isAnyTaken = true;
      else {
        const path = `${name}[${repetition.repetition}].${c}`;
        rest.push(count === 1 ? path : `${path}.${s}`);
      }
    }
    if (isAnyTaken && repetition.isTaken) return true;
  }
  return isAnyTaken;
}
