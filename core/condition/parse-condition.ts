import { findOwn } from '../own.ts';

/** A condition as a tree. What a subject such as `PID-3.4` or `PV1` means, whoever compiles the tree says. */
export type ConditionTree =
  | { readonly kind: 'or' | 'and'; readonly parts: readonly ConditionTree[] }
  | { readonly kind: 'not'; readonly part: ConditionTree }
  | { readonly kind: 'valued' | 'null'; readonly subject: string }
  | { readonly kind: 'in'; readonly subject: string; readonly texts: readonly string[] }
  | { readonly kind: 'is'; readonly subject: string; readonly form: string }
  | { readonly kind: 'matches'; readonly subject: string; readonly pattern: string }
  | {
      readonly kind: 'count' | 'length';
      readonly subject: string;
      readonly compare: (measured: number) => boolean;
    };

/**
 * Thrown while a condition is read or compiled, with what was expected; {@link readCondition} makes it a
 * value.
 */
export class ConditionError extends Error {}

/**
 * The grammar, all of it:
 *
 *     or        = and { "or" and }
 *     and       = not { "and" not }
 *     not       = "not" not | "(" or ")" | test
 *     test      = subject [ "not" ] ( "valued" | "null" )
 *               | subject ( "=" | "!=" ) text
 *               | subject [ "not" ] "in" ( "(" texts ")" | "[" texts "]" )
 *               | subject "is" [ "not" ] form
 *               | subject [ "not" ] "matches" quoted
 *               | ( "count" | "length" ) "(" subject ")" ( "=" | "!=" | "<" | "<=" | ">" | ">=" ) number
 *     subject   = a path, or the name of a segment or group
 *     texts     = text { "," text }
 *     text      = quoted | in a list, where the language allows it: a plain word such as NM
 *     quoted    = 'in single quotes' | "in double quotes"
 */
export function readCondition<T>(
  text: string,
  compile: (tree: ConditionTree) => T,
  options: ConditionOptions = {},
): ConditionResult<T> {
  try {
    const reader: Reader = { tokens: toTokens(text), position: 0, depth: 0, ...options };
    const tree = parseOr(reader);
    const rest = reader.tokens[reader.position];
    if (rest !== undefined) throw new ConditionError(`"${rest}" was not expected here`);
    return { ok: true, condition: compile(tree) };
  } catch (error) {
    if (error instanceof ConditionError) return { ok: false, message: error.message };
    throw error;
  }
}

export type ConditionResult<T> =
  { readonly ok: true; readonly condition: T } | { readonly ok: false; readonly message: string };

interface ConditionOptions {
  /** Whether a text may stand without quotes: a word that does not look like a path. */
  readonly plainWords?: boolean;
}

interface Reader extends ConditionOptions {
  readonly tokens: readonly string[];
  position: number;
  depth: number;
}

/** Deeper than any condition that a person writes, and far from the end of the stack. */
const maxDepth = 100;

const token =
  /\s+|('[^']*'|"[^"]*"|<=|>=|!=|[=<>(),]|[A-Za-z0-9_.*-]+(?:\[(?:\d+|\*)\][A-Za-z0-9_.-]*)*|[[\]])|(.)/gsy;

function toTokens(text: string): string[] {
  const tokens: string[] = [];
  for (const [, word, other] of text.matchAll(token)) {
    if (other !== undefined) {
      throw new ConditionError(`the character ${other} has no meaning in a condition`);
    }
    if (word !== undefined) tokens.push(word);
  }
  return tokens;
}

function take(reader: Reader, expected?: string): string {
  const next = reader.tokens[reader.position];
  if (next === undefined || (expected !== undefined && next !== expected)) {
    throw new ConditionError(`expected ${expected ?? 'more'}, found ${next ?? 'the end'}`);
  }
  reader.position++;
  return next;
}

function takeIf(reader: Reader, expected: string): boolean {
  if (reader.tokens[reader.position] !== expected) return false;
  reader.position++;
  return true;
}

const parseOr = (reader: Reader): ConditionTree => parseParts(reader, 'or', parseAnd);
const parseAnd = (reader: Reader): ConditionTree => parseParts(reader, 'and', parseNot);

function parseParts(
  reader: Reader,
  kind: 'or' | 'and',
  parsePart: (reader: Reader) => ConditionTree,
): ConditionTree {
  const first = parsePart(reader);
  const parts = [first];
  while (takeIf(reader, kind)) parts.push(parsePart(reader));
  return parts.length === 1 ? first : { kind, parts };
}

function parseNot(reader: Reader): ConditionTree {
  if (takeIf(reader, 'not')) return { kind: 'not', part: descend(reader, parseNot) };
  if (!takeIf(reader, '(')) return parseTest(reader);
  const inner = descend(reader, parseOr);
  take(reader, ')');
  return inner;
}

function descend(reader: Reader, parse: (reader: Reader) => ConditionTree): ConditionTree {
  if (++reader.depth > maxDepth) throw new ConditionError('brackets are nested too deep');
  const tree = parse(reader);
  reader.depth--;
  return tree;
}

function parseTest(reader: Reader): ConditionTree {
  const subject = take(reader);
  if (subject === 'count' || subject === 'length') return parseMeasure(reader, subject);
  const isNegated = takeIf(reader, 'not');
  const operator = take(reader);
  if (isNegated && !/^(?:valued|null|in|matches)$/.test(operator)) {
    throw new ConditionError(`"not ${operator}" has no meaning; use "!="`);
  }
  const tree = parseOperator(reader, subject, operator);
  return isNegated ? { kind: 'not', part: tree } : tree;
}

function parseOperator(reader: Reader, subject: string, operator: string): ConditionTree {
  switch (operator) {
    case 'valued':
    case 'null':
      return { kind: operator, subject };
    case 'in':
      return { kind: 'in', subject, texts: takeList(reader) };
    case '=':
      return { kind: 'in', subject, texts: [takeText(reader)] };
    case '!=':
      return { kind: 'not', part: { kind: 'in', subject, texts: [takeText(reader)] } };
    case 'is': {
      const isNegated = takeIf(reader, 'not');
      const tree: ConditionTree = { kind: 'is', subject, form: take(reader) };
      return isNegated ? { kind: 'not', part: tree } : tree;
    }
    case 'matches':
      return { kind: 'matches', subject, pattern: takeQuoted(reader) };
    default:
      throw new ConditionError(
        `expected valued, null, =, !=, in, is or matches after ${subject}, found ${operator}`,
      );
  }
}

const comparisons: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '=': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

function parseMeasure(reader: Reader, kind: 'count' | 'length'): ConditionTree {
  take(reader, '(');
  const subject = take(reader);
  take(reader, ')');
  const compare = findOwn(comparisons, take(reader));
  const limit = Number(take(reader));
  if (compare === undefined || !Number.isInteger(limit)) {
    throw new ConditionError(`expected a comparison with a whole number after ${kind}(${subject})`);
  }
  return { kind, subject, compare: (measured) => compare(measured, limit) };
}

const quoted = /^['"]/;
const looksLikePath = /^(?:[A-Z][A-Z0-9]{2}-\d|\d+\.\d|\.)/;

function takeText(reader: Reader): string {
  const word = take(reader);
  if (quoted.test(word)) return word.slice(1, -1);
  const isPlain = reader.plainWords === true && /^[A-Za-z0-9_.-]+$/.test(word);
  if (!isPlain || looksLikePath.test(word)) {
    throw new ConditionError(`expected a text in quotes, found ${word}`);
  }
  return word;
}

function takeQuoted(reader: Reader): string {
  const word = take(reader);
  if (!quoted.test(word)) throw new ConditionError(`expected a text in quotes, found ${word}`);
  return word.slice(1, -1);
}

function takeList(reader: Reader): string[] {
  const close = takeIf(reader, '[') ? ']' : ')';
  if (close === ')') take(reader, '(');
  const texts = [takeText(reader)];
  while (takeIf(reader, ',')) texts.push(takeText(reader));
  take(reader, close);
  return texts;
}
