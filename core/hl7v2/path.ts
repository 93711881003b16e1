import type { Issue } from '../issue.ts';

/** A place in a message; every number is 1-based, and what is undefined was not given. */
export interface Path {
  readonly segment: string;
  /** Which of the segments of that name. */
  readonly occurrence?: number;
  readonly field?: number;
  readonly repetition?: number;
  readonly component?: number;
  readonly subcomponent?: number;
}

/** As {@link Path}, with more ways to say which: what people write to find values with. */
export interface PathExpression extends Omit<Path, 'occurrence' | 'repetition'> {
  /** From the outermost to the innermost that is named; those in between may be left out. */
  readonly groups: readonly GroupStep[];
  readonly occurrence?: Index;
  readonly repetition?: Index;
}

/** `ORDER_OBSERVATION[2]`. */
export interface GroupStep {
  readonly name: string;
  readonly index?: number | 'all';
}

/** Which one: `[2]`, `[*]`, or the one that has a value somewhere: `[type=MR]`. */
export type Index = number | 'all' | Selector;

/** Chooses by a decoded value: of a repetition's component, or of a segment's field. */
export interface Selector {
  /** As it was written: `type`, `4.2`, `3.1`. */
  readonly key: string;
  /** Of a segment's selector. */
  readonly field?: number;
  readonly component: number;
  readonly subcomponent?: number;
  readonly value: string;
}

/** A path, or where in its text it stops being one. */
export type PathResult<T> =
  { readonly ok: true; readonly path: T } | { readonly ok: false; readonly issue: Issue };

/** The place as text, as issues and ERR-2 show it: `PID-3[2].4.1`. */
export function formatPath(path: Path): string {
  const { segment, occurrence, field, repetition, component, subcomponent } = path;
  const name = occurrence === undefined ? segment : `${segment}[${occurrence}]`;
  if (field === undefined) return name;
  const whole = `${name}-${field}${repetition === undefined ? '' : `[${repetition}]`}`;
  if (component === undefined) return whole;
  return `${whole}.${component}${subcomponent === undefined ? '' : `.${subcomponent}`}`;
}
