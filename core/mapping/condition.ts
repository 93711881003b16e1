import { type SourcePath, findSegment, parseSourcePath, readFirst } from './path.ts';
import type { Frame } from './run.ts';
import { toText } from './source.ts';
import { isComparedNumber, isDateTime, isNumber, isTime } from './formats.ts';

/** A condition of a rule, compiled: pure, reads the message only. */
export type Condition = (frame: Frame) => boolean;

/**
 * The grammar, all of it:
 *
 *     or        = and { "or" and }
 *     and       = not { "and" not }
 *     not       = "not" not | "(" or ")" | test
 *     test      = path [ "not" ] ( "valued" | "null" )
 *               | path ( "=" | "!=" ) text
 *               | path [ "not" ] "in" "(" text { "," text } ")"
 *               | path "is" [ "not" ] ( "number" | "compared-number" | "date-time" | "time" )
 *               | ( "count" | "length" ) "(" path ")" ( "=" | "!=" | "<" | "<=" | ">" | ">=" ) number
 *     path      = a source path, a segment's name, or for count a group's name
 *     text      = 'in single quotes' | "in double quotes"
 *
 * `count` of a field is its repetitions that are there, of a segment or group how many the current group has.
 */
export function parseCondition(text: string): ConditionResult {
  const tokens = toTokens(text);
  if (typeof tokens === 'string') return { ok: false, message: tokens };
  const reader: Reader = { tokens, position: 0 };
  try {
    const condition = parseOr(reader);
    const rest = tokens[reader.position];
    if (rest !== undefined) return { ok: false, message: `"${rest}" was not expected here` };
    return { ok: true, condition };
  } catch (error) {
    if (error instanceof SyntaxError) return { ok: false, message: error.message };
    throw error;
  }
}

export type ConditionResult =
  | { readonly ok: true; readonly condition: Condition }
  | { readonly ok: false; readonly message: string };

interface Reader {
  readonly tokens: readonly string[];
  position: number;
}

const token = /\s+|('[^']*'|"[^"]*"|<=|>=|!=|[=<>(),]|[A-Za-z0-9_.[\]*-]+)|(.)/gy;

function toTokens(text: string): string[] | string {
  const tokens: string[] = [];
  for (const [, word, other] of text.matchAll(token)) {
    if (other !== undefined) return `the character ${other} has no meaning in a condition`;
    if (word !== undefined) tokens.push(word);
  }
  return tokens;
}

function take(reader: Reader, expected?: string): string {
  const next = reader.tokens[reader.position];
  if (next === undefined || (expected !== undefined && next !== expected)) {
    throw new SyntaxError(`expected ${expected ?? 'more'}, found ${next ?? 'the end'}`);
  }
  reader.position++;
  return next;
}

function takeIf(reader: Reader, expected: string): boolean {
  if (reader.tokens[reader.position] !== expected) return false;
  reader.position++;
  return true;
}

function parseOr(reader: Reader): Condition {
  const parts = [parseAnd(reader)];
  while (takeIf(reader, 'or')) parts.push(parseAnd(reader));
  const [first] = parts;
  if (parts.length === 1 && first !== undefined) return first;
  return (frame) => parts.some((part) => part(frame));
}

function parseAnd(reader: Reader): Condition {
  const parts = [parseNot(reader)];
  while (takeIf(reader, 'and')) parts.push(parseNot(reader));
  const [first] = parts;
  if (parts.length === 1 && first !== undefined) return first;
  return (frame) => parts.every((part) => part(frame));
}

function parseNot(reader: Reader): Condition {
  if (takeIf(reader, 'not')) {
    const inner = parseNot(reader);
    return (frame) => !inner(frame);
  }
  if (takeIf(reader, '(')) {
    const inner = parseOr(reader);
    take(reader, ')');
    return inner;
  }
  return parseTest(reader);
}

function parseTest(reader: Reader): Condition {
  const subject = take(reader);
  if (subject === 'count' || subject === 'length') return parseMeasure(reader, subject);
  const read = toReader(subject);
  const negated = takeIf(reader, 'not');
  const operator = take(reader);
  if (operator === 'valued') {
    const valued = toValued(subject);
    return (frame) => valued(frame) !== negated;
  }
  if (operator === 'null') {
    const path = toPath(subject);
    return (frame) => (readFirst(path, frame)?.value.raw === '""') !== negated;
  }
  if (operator === 'in') {
    const texts = new Set(takeList(reader));
    return (frame) => texts.has(read(frame)) !== negated;
  }
  if (negated) throw new SyntaxError(`"not ${operator}" has no meaning; use "!="`);
  if (operator === 'is') return parseForm(reader, read);
  if (operator !== '=' && operator !== '!=') {
    throw new SyntaxError(
      `expected valued, null, =, !=, in or is after ${subject}, found ${operator}`,
    );
  }
  const text = takeText(reader);
  return (frame) => (read(frame) === text) === (operator === '=');
}

const forms: Readonly<Record<string, (text: string) => boolean>> = {
  number: isNumber,
  'compared-number': isComparedNumber,
  'date-time': isDateTime,
  time: isTime,
};

function parseForm(reader: Reader, read: (frame: Frame) => string): Condition {
  const negated = takeIf(reader, 'not');
  const name = take(reader);
  const test = forms[name];
  if (test === undefined)
    throw new SyntaxError(`expected number, compared-number, date-time or time, found ${name}`);
  return (frame) => test(read(frame)) !== negated;
}

const comparisons: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '=': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

function parseMeasure(reader: Reader, kind: 'count' | 'length'): Condition {
  take(reader, '(');
  const subject = take(reader);
  take(reader, ')');
  const operator = take(reader);
  const compare = comparisons[operator];
  const limit = Number(take(reader));
  if (compare === undefined || !Number.isInteger(limit)) {
    throw new SyntaxError(`expected a comparison with a whole number after ${kind}(${subject})`);
  }
  if (kind === 'length') {
    const read = toReader(subject);
    return (frame) => compare(read(frame).length, limit);
  }
  const count = toCount(subject);
  return (frame) => compare(count(frame), limit);
}

function takeText(reader: Reader): string {
  const word = take(reader);
  if (!/^['"]/.test(word)) throw new SyntaxError(`expected a text in quotes, found ${word}`);
  return word.slice(1, -1);
}

function takeList(reader: Reader): string[] {
  take(reader, '(');
  const texts = [takeText(reader)];
  while (takeIf(reader, ',')) texts.push(takeText(reader));
  take(reader, ')');
  return texts;
}

const nameOnly = /^[A-Z][A-Z0-9_]{2,}$/;

function toPath(subject: string): SourcePath {
  const path = parseSourcePath(subject);
  if (path === undefined) throw new SyntaxError(`${subject} is no path such as PID-3.4 or 4.2`);
  return path;
}

function toReader(subject: string): (frame: Frame) => string {
  if (nameOnly.test(subject)) return () => '';
  const path = toPath(subject);
  const read = (frame: Frame): string => {
    const found = readFirst(path, frame);
    return found === undefined ? '' : toText(found);
  };
  const { segment: name } = path;
  if (name === undefined) return read;
  return (frame) => {
    const segment = findSegment(name, frame);
    return segment === undefined ? '' : frame.run.remember(path, segment, () => read(frame));
  };
}

/** A segment is valued when it is there; a value when anything in it is. */
function toValued(subject: string): Condition {
  if (nameOnly.test(subject)) return (frame) => findSegment(subject, frame) !== undefined;
  const path = toPath(subject);
  return (frame) => {
    const value = readFirst(path, frame)?.value;
    return value !== undefined && value.valued && /[^\s^~&]/.test(value.raw);
  };
}

function toCount(subject: string): (frame: Frame) => number {
  if (nameOnly.test(subject)) return (frame) => frame.group.count(subject);
  const path = toPath(subject);
  return (frame) => {
    if (path.segment === undefined) return readFirst(path, frame)?.value.valued === true ? 1 : 0;
    const segment = findSegment(path.segment, frame);
    if (segment === undefined) return 0;
    return frame.run.repetitions(segment, path.field).filter((repetition) => repetition.valued)
      .length;
  };
}
