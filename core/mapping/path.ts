import type { Segment } from '../hl7v2/message.ts';
import type { Frame } from './run.ts';
import { type SourceValue, toChild, toRepetition } from './source.ts';

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
  if (path.segment === undefined) {
    return frame.value === undefined ? [] : [descend(frame.value, path.children)];
  }
  const segment = findSegment(path.segment, frame);
  if (segment === undefined) return [];
  if (path.repetition !== 'all') {
    return [descend(readRepetition(segment, path.field, path.repetition, frame), path.children)];
  }
  const repetitions = frame.run.repetitions(segment, path.field);
  return repetitions.map((found, index) =>
    descend(
      toRepetition(segment, { field: path.field, repetition: index + 1 }, found),
      path.children,
    ),
  );
}

/** The first value at the path. */
export function readFirst(path: SourcePath, frame: Frame): SourceValue | undefined {
  if (path.segment === undefined) {
    return frame.value === undefined ? undefined : descend(frame.value, path.children);
  }
  const segment = findSegment(path.segment, frame);
  if (segment === undefined) return undefined;
  const repetition = path.repetition === 'all' ? 1 : path.repetition;
  return descend(readRepetition(segment, path.field, repetition, frame), path.children);
}

function readRepetition(
  segment: Segment,
  field: number,
  repetition: number,
  { run }: Frame,
): SourceValue {
  const found = run.repetitions(segment, field)[repetition - 1];
  return toRepetition(segment, { field, repetition }, found);
}

function descend(source: SourceValue, children: readonly number[]): SourceValue {
  let value = source;
  for (const position of children) value = toChild(value, position);
  return value;
}

/** The segment at hand, else the first of that name in the nearest group outward. */
export function findSegment(name: string, frame: Frame): Segment | undefined {
  return frame.segment?.name === name ? frame.segment : frame.group.find(name);
}

/** One step of a target path: an element, and for lists which item: a number, the next, or the last. */
export interface TargetStep {
  readonly name: string;
  readonly index: number | 'next' | 'last' | undefined;
}

const targetStep = /^([A-Za-z_][A-Za-z0-9_]*)(?:\[(\d+|\+|-1)\])?$/;

/** `name[+].given[0]` as steps; `$this` as none. Undefined where the text is no path. */
export function parseTargetPath(text: string): readonly TargetStep[] | undefined {
  if (text === '$this') return [];
  const steps: TargetStep[] = [];
  for (const part of text.split('.')) {
    const [whole, name = '', index] = targetStep.exec(part) ?? [];
    if (whole === undefined) return undefined;
    steps.push({ name, index: toIndex(index) });
  }
  return steps;
}

function toIndex(text: string | undefined): TargetStep['index'] {
  if (text === undefined) return undefined;
  if (text === '+') return 'next';
  return text === '-1' ? 'last' : Number(text);
}

/** An object of the output while it is being built. */
export type Draft = Record<string, unknown>;

/**
 * Writes the value and gives the path at which it now stands. An object written where one stands already
 * is merged into it; any other value replaces what was there.
 */
export function writePath(target: Draft, steps: readonly TargetStep[], value: unknown): string {
  if (steps.length === 0) {
    Object.assign(target, value);
    return '';
  }
  let holder: Draft | unknown[] = target;
  let key: string | number = '';
  let path = '';
  steps.forEach((step, position) => {
    if (position > 0) holder = enter(holder, key);
    key = step.name;
    path += position === 0 ? step.name : `.${step.name}`;
    if (step.index === undefined) return;
    const list = ((holder as Draft)[step.name] ??= []) as unknown[];
    holder = list;
    key = toPosition(step.index, list.length);
    path += `[${key}]`;
  });
  put(holder, key, value);
  return path;
}

/** Never leaves a hole: an index beyond the end means the next item. */
function toPosition(index: number | 'next' | 'last', length: number): number {
  if (index === 'next') return length;
  if (index === 'last') return Math.max(0, length - 1);
  return Math.min(index, length);
}

function enter(holder: Draft | unknown[], key: string | number): Draft {
  const record = holder as Record<string | number, unknown>;
  return (record[key] ??= {}) as Draft;
}

function put(holder: Draft | unknown[], key: string | number, value: unknown): void {
  const record = holder as Record<string | number, unknown>;
  const before = record[key];
  if (isPlainObject(before) && isPlainObject(value)) Object.assign(before, value);
  else record[key] = value;
}

/** Whether it is an object and no list. */
export function isPlainObject(value: unknown): value is Draft {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
