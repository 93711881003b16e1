import { HilumError } from '../errors.ts';
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

/** A path, or where in its text it stops being one. */
export type PathResult =
  { readonly ok: true; readonly path: Path } | { readonly ok: false; readonly issue: Issue };

/** No segment of any version has more; without a bound `set` would pad a message without end. */
const maxPosition = 9_999;
const maxOccurrence = 9_999_999;

/**
 * Reads `PID`, `PID-5`, `PID-3[2].4.1`, `OBX[3]-5`; `PID.3.1` with a dot is read too. The issue is about
 * the path and has no location; its message says at which character which part was expected.
 */
export function parsePath(text: string): PathResult {
  const segment = /^[A-Za-z][A-Za-z0-9]{2}/.exec(text)?.[0];
  if (segment === undefined) return refuse(text, 0, 'a segment name such as PID');
  const cursor: Cursor = { text, at: 3 };
  const path: Mutable<Path> = { segment };
  const expected = readPositions(cursor, path);
  if (expected !== undefined) return refuse(text, cursor.at, expected);
  return { ok: true, path };
}

/** As {@link parsePath}; throws a permanent HilumError, `path-invalid`. */
export function toPath(text: string): Path {
  const known = cache.get(text);
  if (known !== undefined) return known;
  const result = parsePath(text);
  if (!result.ok) throw new HilumError('permanent', [result.issue]);
  // Flows ask the same few paths of every message; names made up from data must not pile up.
  if (cache.size >= 4_096) cache.clear();
  cache.set(text, result.path);
  return result.path;
}

const cache = new Map<string, Path>();

/** The path as text, as issues and ERR-2 show it: `PID-3[2].4.1`. */
export function formatPath(path: Path): string {
  const { segment, occurrence, field, repetition, component, subcomponent } = path;
  const name = occurrence === undefined ? segment : `${segment}[${occurrence}]`;
  if (field === undefined) return name;
  const whole = `${name}-${field}${repetition === undefined ? '' : `[${repetition}]`}`;
  if (component === undefined) return whole;
  return `${whole}.${component}${subcomponent === undefined ? '' : `.${subcomponent}`}`;
}

interface Cursor {
  readonly text: string;
  at: number;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Reads everything behind the segment name; what was expected where it cannot go on. */
function readPositions(cursor: Cursor, path: Mutable<Path>): string | undefined {
  let number = readIndex(cursor, maxOccurrence);
  if (typeof number === 'string') return number;
  if (number !== undefined) path.occurrence = number;
  if (cursor.at === cursor.text.length) return undefined;
  if (!skip(cursor, '-') && !skip(cursor, '.')) return 'a dash before the field';
  number = readNumber(cursor, maxPosition);
  if (number === undefined) return `a field position from 1 to ${maxPosition}`;
  path.field = number;
  number = readIndex(cursor, maxPosition);
  if (typeof number === 'string') return number;
  if (number !== undefined) path.repetition = number;
  for (const part of ['component', 'subcomponent'] as const) {
    if (cursor.at === cursor.text.length) return undefined;
    if (!skip(cursor, '.')) return `a dot before the ${part}, or the end`;
    number = readNumber(cursor, maxPosition);
    if (number === undefined) return `a ${part} position from 1 to ${maxPosition}`;
    path[part] = number;
  }
  return cursor.at === cursor.text.length ? undefined : 'the end';
}

/** `[2]`, nothing, or what was expected. */
function readIndex(cursor: Cursor, max: number): number | string | undefined {
  if (!skip(cursor, '[')) return undefined;
  const number = readNumber(cursor, max);
  if (number === undefined) return `a number from 1 to ${max}`;
  return skip(cursor, ']') ? number : 'a closing bracket';
}

function readNumber(cursor: Cursor, max: number): number | undefined {
  const start = cursor.at;
  let number = 0;
  let at = start;
  for (; at < cursor.text.length; at++) {
    const digit = cursor.text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9 || number > max) break;
    number = number * 10 + digit;
  }
  if (number < 1 || number > max) return undefined;
  cursor.at = at;
  return number;
}

function skip(cursor: Cursor, character: string): boolean {
  if (cursor.text.charAt(cursor.at) !== character) return false;
  cursor.at++;
  return true;
}

function refuse(path: string, at: number, expected: string): PathResult {
  const message = `Expected ${expected} at character ${at + 1} of the path "${path.slice(0, 60)}"; paths look like PID-3[2].4.1`;
  return { ok: false, issue: { code: 'path-invalid', severity: 'error', message } };
}
