import type { Segment } from '../hl7v2/message.ts';
import type { Frame } from './run.ts';
import type { SourceValue } from './source.ts';

/** A source path of a rule: `PID-3[*].4.2` of a segment, `4.2` or `.` of the value at hand. */
export interface SourcePath {
  readonly segment: string | undefined;
  readonly field: number;
  /** 1-based; `all` for `[*]`. */
  readonly repetition: number | 'all';
  readonly children: readonly number[];
}

const segmentPath = /^([A-Z][A-Z0-9]{2})-(\d+)(?:\[(\*|\d+)\])?((?:\.\d+){0,2})$/;
const valuePath = /^(?:\.|(\d+(?:\.\d+)?))$/;

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
