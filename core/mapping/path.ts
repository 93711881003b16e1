import type { Segment } from '../hl7v2/message.ts';
import type { Code } from './code.ts';
import type { Fields } from './fields.ts';
import type { Frame } from './run.ts';
import { type SourceValue, absent, toBit } from './source.ts';

/** A source path of a rule: `PID-3[*].4.2` of a segment, `4.2` or `.` of the value at hand. */
export interface SourcePath {
  readonly segment: string | undefined;
  readonly field: number;
  /** 1-based; `all` for `[*]`. */
  readonly repetition: number | 'all';
  readonly children: readonly number[];
}

const segmentPath = /^([A-Z][A-Z0-9]{2})-([1-9]\d*)(?:\[(\*|[1-9]\d*)\])?((?:\.[1-9]\d*){0,2})$/;
const valuePath = /^(?:\.|([1-9]\d*(?:\.[1-9]\d*)?))$/;

/** Undefined where the text is no path. */
export function parseSourcePath(text: string): SourcePath | undefined {
  const [whole, segment, field, repetition, rest] = segmentPath.exec(text) ?? [];
  if (whole !== undefined) {
    return {
      segment,
      field: Number(field),
      repetition: repetition === '*' ? 'all' : Number(repetition ?? 1),
      children: toNumbers(rest ?? ''),
    };
  }
  const value = valuePath.exec(text);
  if (value === null) return undefined;
  return { segment: undefined, field: 0, repetition: 1, children: toNumbers(value[1] ?? '') };
}

const toNumbers = (text: string): number[] => text.split('.').filter(Boolean).map(Number);

/** The values at the path, valued or not: one, or with `[*]` one a repetition. None where the segment is missing. */
export function readPath(path: SourcePath, frame: Frame): readonly SourceValue[] {
  if (path.segment === undefined || path.repetition !== 'all') {
    const found = readFirst(path, frame);
    return found === undefined ? [] : [found];
  }
  const segment = findSegment(path.segment, frame);
  if (segment === undefined) return [];
  const repetitions = frame.run.fields(segment).repetitions(path.field);
  return path.children.length === 0
    ? repetitions
    : repetitions.map((repetition) => descend(repetition, path.children));
}

/** The first value at the path. */
export function readFirst(path: SourcePath, frame: Frame): SourceValue | undefined {
  if (path.segment === undefined) {
    return frame.value === undefined ? undefined : descend(frame.value, path.children);
  }
  const segment = findSegment(path.segment, frame);
  if (segment === undefined) return undefined;
  const repetition = path.repetition === 'all' ? 1 : path.repetition;
  return descend(frame.run.fields(segment).repetition(path.field, repetition), path.children);
}

function descend(source: SourceValue, children: readonly number[]): SourceValue {
  let value = source;
  for (const position of children) value = value.part(position);
  return value;
}

/** The segment at hand, else the first of that name in the nearest group outward. */
export function findSegment(name: string, frame: Frame): Segment | undefined {
  return frame.segment?.name === name ? frame.segment : frame.group.find(name);
}

/** The fields of the segment that {@link findSegment} gives. */
function findFields(name: string, frame: Frame): Fields | undefined {
  const segment = findSegment(name, frame);
  return segment === undefined ? undefined : frame.run.fields(segment);
}

/**
 * What code has at hand for the paths in it: the fields of its segment (`F`), the value (`v`), which parts of it have content
 * (`c`). To be asked for when the code is written.
 */
export function emitPrelude(code: Code): string {
  const { segment, usesValue, declarations } = code;
  const fields =
    segment === undefined
      ? ''
      : `const F = ${code.bind(findFields)}(${JSON.stringify(segment)}, frame);`;
  const value = usesValue ? `const v = frame.value ?? ${code.bind(absent)}, c = v.content;` : '';
  return [fields, value, declarations].filter(Boolean).join(' ');
}

/** An expression that is false only where nothing can be at the path; `''` where that is not known beforehand. */
export function emitFilled({ segment, field, children }: SourcePath, code: Code): string {
  if (segment !== undefined) return segment === code.segment ? `F?.has(${field})` : '';
  code.usesValue = true;
  const bit = toBit(children[0] ?? 0);
  return bit === 0 ? '' : `(c & ${bit}) !== 0`;
}

/** An expression for the first value at the path; where {@link emitFilled} is false it may fail. */
export function emitRead(path: SourcePath, code: Code): string {
  return `${emitStart(path, code)}${emitParts(path)}`;
}

function emitStart({ segment, field, repetition }: SourcePath, code: Code): string {
  if (segment === undefined) {
    code.usesValue = true;
    return 'v';
  }
  const at = repetition === 'all' ? 1 : repetition;
  if (segment === code.segment) return `F.repetition(${field}, ${at})`;
  return code.once(`${code.bind(readNear)}(${JSON.stringify(segment)}, frame, ${field}, ${at})`);
}

/** `.part(4).part(2)`. */
export const emitParts = ({ children }: SourcePath): string =>
  children.map((position) => `.part(${position})`).join('');

function readNear(name: string, frame: Frame, field: number, repetition: number): SourceValue {
  return findFields(name, frame)?.repetition(field, repetition) ?? absent;
}
