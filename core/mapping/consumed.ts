import type { Hl7Message } from '../hl7v2/message.ts';
import type { Fields } from './fields.ts';
import { type SourceValue, toBit, toSegmentName } from './source.ts';

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
    for (let field = segment.isHeader ? 3 : 1; field <= fields.count; field += 1) {
      if (!fields.has(field) || fields.isTaken(field)) continue;
      const rest = findInField(fields.repetitions(field));
      if (rest === undefined) continue;
      const name = `${toSegmentName(segment)}-${field}`;
      // No spread: a call takes only so many arguments.
      for (const part of rest) paths.push(`${name}${part}`);
    }
  }
  return paths;
}

/** `''` for the whole field, else what is left of it as `[1].4.2`; undefined where nothing is. */
function findInField(repetitions: readonly SourceValue[]): readonly string[] | undefined {
  const rest: string[] = [];
  let isAnyTaken = false;
  for (const repetition of repetitions) {
    const taken = findInRepetition(repetition, rest);
    isAnyTaken ||= taken;
  }
  if (rest.length === 0) return undefined;
  return isAnyTaken ? rest : [''];
}

/** Adds what is left of it to `rest`; true where something of it was taken. */
function findInRepetition(repetition: SourceValue, rest: string[]): boolean {
  if (repetition.isTaken) return isFilled(repetition);
  let isAnyTaken = false;
  const { content, partCount } = repetition;
  for (let c = 1; c <= partCount; c += 1) {
    const bit = toBit(c);
    if (bit !== 0 && (content & bit) === 0) continue;
    const component = repetition.part(c);
    if (!component.valued) continue;
    const taken = component.isTaken
      ? isFilled(component)
      : findInComponent(component, `[${repetition.repetition}].${c}`, rest);
    isAnyTaken ||= taken;
  }
  return isAnyTaken;
}

function findInComponent(component: SourceValue, place: string, rest: string[]): boolean {
  const count = component.partCount;
  if (count === 1) {
    const isTaken = component.isPartTaken(1);
    if (!isTaken) rest.push(place);
    return isTaken;
  }
  let isAnyTaken = false;
  for (let s = 1; s <= count; s += 1) {
    const leaf = component.part(s);
    if (!leaf.valued) continue;
    if (leaf.isTaken) isAnyTaken = true;
    else rest.push(`${place}.${s}`);
  }
  return isAnyTaken;
}

/** Whether anything in it is valued. */
function isFilled(value: SourceValue): boolean {
  if (!value.valued) return false;
  const count = value.partCount;
  if (count === 1) return value.component > 0 || isFilled(value.part(1));
  for (let at = 1; at <= count; at += 1) if (isFilled(value.part(at))) return true;
  return false;
}
