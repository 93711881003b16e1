import type { GroupStep, Index, PathExpression, PathResult, Selector } from './path.ts';
import { findComponent } from './selector-names.ts';

/** No segment of any version has more; without a bound `set` would pad a message without end. */
const maxPosition = 9_999;
const maxOccurrence = 9_999_999;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface Cursor {
  readonly text: string;
  at: number;
}

/** What was expected where reading cannot go on. */
type Expected = string | undefined;

/** The grammar of paths: see parsePathExpression. Never throws; linear in the text. */
export function readPath(text: string): PathResult<PathExpression> {
  const cursor: Cursor = { text, at: 0 };
  const groups: GroupStep[] = [];
  const path: Mutable<PathExpression> = { segment: '', groups };
  const expected = readGroups(cursor, groups) ?? readSegment(cursor, path) ?? readEnd(cursor);
  return expected === undefined ? { ok: true, path } : refuse(cursor, expected);
}

/** `PATIENT_RESULT.ORDER_OBSERVATION[2].`: names that are followed by a dot and another name. */
function readGroups(cursor: Cursor, groups: GroupStep[]): Expected {
  for (;;) {
    const name = /^[A-Za-z][A-Za-z0-9_]*(?=(?:\[[^\]]*\])?\.[A-Za-z])/.exec(
      cursor.text.slice(cursor.at, cursor.at + 200),
    )?.[0];
    if (name === undefined) return undefined;
    cursor.at += name.length;
    const index = readIndex(cursor, maxOccurrence);
    if (!index.ok) return index.expected;
    if (typeof index.value === 'object') return 'a number or * for a group';
    groups.push(index.value === undefined ? { name } : { name, index: index.value });
    cursor.at += 1;
  }
}

function readSegment(cursor: Cursor, path: Mutable<PathExpression>): Expected {
  const { text, at } = cursor;
  const name = /^[A-Za-z][A-Za-z0-9]{2}/.exec(text.slice(at, at + 3))?.[0];
  if (name === undefined) return 'a segment name such as PID';
  path.segment = name;
  cursor.at += 3;
  const index = readIndex(cursor, maxOccurrence, { isSegment: true, names: '' });
  if (!index.ok) return index.expected;
  if (index.value !== undefined) path.occurrence = index.value;
  if (cursor.at === text.length) return undefined;
  if (!skip(cursor, '-') && !skip(cursor, '.')) return 'a dash before the field';
  return readField(cursor, path);
}

function readField(cursor: Cursor, path: Mutable<PathExpression>): Expected {
  const field = readNumber(cursor, maxPosition);
  if (field === undefined) return `a field position from 1 to ${maxPosition}`;
  path.field = field;
  const index = readIndex(cursor, maxPosition, {
    isSegment: false,
    names: `${path.segment}-${field}`,
  });
  if (!index.ok) return index.expected;
  if (index.value !== undefined) path.repetition = index.value;
  for (const part of ['component', 'subcomponent'] as const) {
    if (cursor.at === cursor.text.length) return undefined;
    if (!skip(cursor, '.')) return `a dot before the ${part}, or the end`;
    const number = readNumber(cursor, maxPosition);
    if (number === undefined) return `a ${part} position from 1 to ${maxPosition}`;
    path[part] = number;
  }
  return undefined;
}

function readEnd(cursor: Cursor): Expected {
  return cursor.at === cursor.text.length ? undefined : 'the end';
}

type IndexResult =
  | { readonly ok: true; readonly value: Index | undefined }
  | { readonly ok: false; readonly expected: string };

/** What a selector in this index would choose by. */
interface SelectorKind {
  readonly isSegment: boolean;
  /** The field whose components may be called by name: `PID-3`. */
  readonly names: string;
}

/** `[2]`, `[*]`, `[type=MR]` or nothing. */
function readIndex(cursor: Cursor, max: number, kind?: SelectorKind): IndexResult {
  if (!skip(cursor, '[')) return { ok: true, value: undefined };
  if (skip(cursor, '*')) return close(cursor, 'all');
  const start = cursor.at;
  const number = readNumber(cursor, max);
  if (number !== undefined && cursor.text.charAt(cursor.at) === ']') return close(cursor, number);
  if (number !== undefined && !/[.=]/.test(cursor.text.charAt(cursor.at))) {
    return { ok: false, expected: 'a closing bracket' };
  }
  cursor.at = start;
  if (kind === undefined) return { ok: false, expected: `a number from 1 to ${max} or *` };
  const selector = readSelector(cursor, kind);
  if (typeof selector !== 'string') return close(cursor, selector);
  return { ok: false, expected: selector };
}

function close(cursor: Cursor, value: Index): IndexResult {
  return skip(cursor, ']') ? { ok: true, value } : { ok: false, expected: 'a closing bracket' };
}

/** `type=MR`, `4.2=1.2.3`, `5="a ] b"`; what was expected where it is none. */
function readSelector(cursor: Cursor, { isSegment, names }: SelectorKind): Selector | string {
  const key = /^[A-Za-z0-9.]{1,40}(?==)/.exec(cursor.text.slice(cursor.at, cursor.at + 41))?.[0];
  const example = isSegment ? '3.1=2345-7' : '5=MR';
  if (key === undefined) return `a number, * or a condition such as ${example}`;
  const numbers = /^\d/.test(key) ? key.split('.').map(Number) : findComponent(names, key);
  const depth = isSegment ? 3 : 2;
  if (numbers === undefined)
    return `a component's position such as ${example}, or a name that ${names || 'it'} has`;
  if (numbers.length > depth || !numbers.every((each) => each >= 1 && each <= maxPosition)) {
    return `positions such as ${example}`;
  }
  cursor.at += key.length + 1;
  const value = readValue(cursor);
  if (value === undefined) return 'a closing quotation mark';
  const [first = 1, second, third] = numbers;
  if (!isSegment) {
    return {
      key,
      component: first,
      value,
      ...(second === undefined ? {} : { subcomponent: second }),
    };
  }
  const subcomponent = third === undefined ? {} : { subcomponent: third };
  return { key, field: first, component: second ?? 1, value, ...subcomponent };
}

/** Up to the closing bracket, or in quotation marks, where two of them are one. */
function readValue(cursor: Cursor): string | undefined {
  const { text } = cursor;
  if (!skip(cursor, '"')) {
    const end = text.indexOf(']', cursor.at);
    const value = text.slice(cursor.at, end === -1 ? text.length : end);
    cursor.at += value.length;
    return value;
  }
  let value = '';
  for (;;) {
    const end = text.indexOf('"', cursor.at);
    if (end === -1) return undefined;
    value += text.slice(cursor.at, end);
    cursor.at = end + 1;
    if (!skip(cursor, '"')) return value;
    value += '"';
  }
}

function readNumber(cursor: Cursor, max: number): number | undefined {
  let number = 0;
  let { at } = cursor;
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

function refuse({ text, at }: Cursor, expected: string): PathResult<never> {
  const message = `Expected ${expected} at character ${at + 1} of the path "${text.slice(0, 60)}"; paths look like PID-3[2].4.1`;
  return { ok: false, issue: { code: 'path-invalid', severity: 'error', message } };
}
