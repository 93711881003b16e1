import { parseCondition } from '../condition.ts';

/** A condition of the guide in the grammar of docs/mapping.md, or why it cannot be put so. */
export type GuideCondition =
  { readonly ok: true; readonly when: string } | { readonly ok: false; readonly message: string };

/** Which test is made of a subject; the tests of `PID-33 and PID-34 valued` are made once both are known. */
type Predicate = (subject: string) => string;

interface Test {
  readonly subject: string;
  predicate: Predicate | undefined;
}

type Node = Test | { readonly operator: 'and' | 'or'; readonly parts: readonly Node[] };

class Unreadable extends Error {}

/**
 * Puts a condition of the guide's ANTLR column into our grammar. The guide writes it in many ways: `IF` once or
 * again, `IS`, `=`, `EQUALS`, `IS NOT`, `VALUE` or `EXISTS` for valued, `LST.count`, `COUNT>1`, subjects that share
 * one test or are left out, `and` left out, quotes that do not close, `HD-3` for `HD.3`. `row` is the identifier of
 * the row, the subject where none is named. In a datatype's sheet (`CX.4`) paths become relative: `4`; in a segment's
 * they are components of the row's field.
 */
export function parseGuideCondition(text: string, row: string): GuideCondition {
  try {
    const datatype =
      /^([A-Z]{2,3})\.\d/.exec(row)?.[1] ?? (/^[A-Z]{2}$/.test(row) ? row : undefined);
    const reader = new Reader(toTokens(text), (path) => toPath(path, datatype, row), row);
    const when = toText(reader.readAll(), false);
    const parsed = parseCondition(when);
    return parsed.ok ? { ok: true, when } : { ok: false, message: parsed.message };
  } catch (error) {
    if (error instanceof Unreadable) return { ok: false, message: error.message };
    throw error;
  }
}

function toPath(path: string, datatype: string | undefined, row: string): string {
  const [, name = '', rest = ''] = /^([A-Z][A-Z0-9]*)[-.]?(.*)$/.exec(path) ?? [];
  if (name === datatype) return rest === '' ? '.' : rest;
  // `CX.5` in the row of IN1-10 is a component of that field.
  if (name.length === 2 && row.includes('-')) return `${row}.${rest}`;
  return rest === '' ? name : `${name}-${rest}`;
}

const token =
  /\s+|["'“”]([^"'“”(),]*)["'“”]|([A-Za-z]\w*)["”](?=\s*[,)])|(<=|>=|!=|<>|[=<>(),])|([A-Za-z][A-Za-z0-9]*(?:[-.]\d+)+|[A-Za-z][A-Za-z0-9_]*|\d+)|(.)/gsy;

interface Token {
  readonly kind: 'text' | 'word' | 'sign';
  readonly text: string;
}

function toTokens(source: string): Token[] {
  // `PL3.NOT VALUED` and `LST.COUNT` put a full stop where a blank or nothing belongs.
  const text = source
    .replaceAll(/\b([A-Z]{2})(\d)\.(?=NOT\b)/g, '$1.$2 ')
    .replaceAll(/LST\.count/gi, 'COUNT');
  const tokens: Token[] = [];
  for (const [, quoted, halfQuoted, sign, word, other] of text.matchAll(token)) {
    if (other !== undefined) throw new Unreadable(`"${other}" has no meaning in a condition`);
    const literal = quoted ?? halfQuoted;
    if (literal !== undefined) tokens.push({ kind: 'text', text: literal });
    else if (sign !== undefined) tokens.push({ kind: 'sign', text: sign });
    else if (word !== undefined && !/^if$/i.test(word)) tokens.push({ kind: 'word', text: word });
  }
  return tokens;
}

const isPath = (text: string): boolean =>
  /^[A-Z][A-Z0-9]{1,2}([-.]\d+)+$/.test(text) || /^(PID|ORC|OBR|OBX|PV1|NK1|SPM|MSH)$/.test(text);

class Reader {
  readonly #tokens: readonly Token[];
  readonly #toPath: (path: string) => string;
  #position = 0;
  #subject: string;
  #waiting: Test[] = [];

  constructor(tokens: readonly Token[], toPath_: (path: string) => string, row: string) {
    this.#tokens = tokens;
    this.#toPath = toPath_;
    this.#subject = toPath_(row);
  }

  readAll(): Node {
    if (this.#tokens.length === 0) throw new Unreadable('there is no condition');
    const node = this.#readOr();
    const rest = this.#tokens[this.#position];
    if (rest !== undefined) throw new Unreadable(`"${rest.text}" was not expected here`);
    if (this.#waiting.length > 0) throw new Unreadable(`no test follows ${this.#subject}`);
    return node;
  }

  #peek(...words: readonly string[]): boolean {
    return words.every((word, index) => {
      const at = this.#tokens[this.#position + index];
      return at !== undefined && at.kind !== 'text' && at.text.toUpperCase() === word;
    });
  }

  #take(...words: readonly string[]): boolean {
    if (!this.#peek(...words)) return false;
    this.#position += words.length;
    return true;
  }

  #readOr(): Node {
    const parts = [this.#readAnd()];
    while (this.#take('OR')) parts.push(this.#readAnd());
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : { operator: 'or', parts };
  }

  #readAnd(): Node {
    const parts = [this.#readUnit()];
    while (this.#take('AND') || this.#isAtPath()) parts.push(this.#readUnit());
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : { operator: 'and', parts };
  }

  #isAtPath(): boolean {
    const at = this.#tokens[this.#position];
    return at?.kind === 'word' && isPath(at.text);
  }

  #readUnit(): Node {
    if (!this.#take('(')) return this.#readTest();
    const node = this.#readOr();
    // One bracket is never closed; it would close at the end.
    if (!this.#take(')') && this.#position < this.#tokens.length)
      throw new Unreadable('expected )');
    return node;
  }

  #readTest(): Node {
    const at = this.#tokens[this.#position];
    const named = at?.kind === 'word' && isPath(at.text);
    if (named) {
      this.#position += 1;
      this.#subject = this.#toPath(at.text);
    }
    const test: Test = { subject: this.#subject, predicate: undefined };
    this.#waiting.push(test);
    if (named && (this.#peek('AND') || this.#peek('OR'))) return test;
    const predicate = this.#readPredicate();
    for (const waiting of this.#waiting) waiting.predicate = predicate;
    this.#waiting = [];
    // `PID-11.9 IS VALUED NOT EQUAL PID-12` says two things of one subject.
    if (!this.#peek('NOT')) return test;
    const more: Test = { subject: this.#subject, predicate: this.#readPredicate() };
    return { operator: 'and', parts: [test, more] };
  }

  #readPredicate(): Predicate {
    if (this.#take('DOES', 'NOT', 'EXIST')) return (subject) => `${subject} not valued`;
    if (this.#take('COUNT')) return this.#readMeasure('count');
    if (this.#take('LENGTH')) return this.#readMeasure('length');
    this.#take('IS');
    const negated = this.#take('NOT');
    const not = negated ? 'not ' : '';
    if (this.#take('VALUED') || this.#take('VALUE') || this.#take('EXISTS')) {
      return (subject) => `${subject} ${not}valued`;
    }
    if (!negated && this.#take('EMPTY')) return (subject) => `${subject} not valued`;
    if (this.#take('IN')) {
      const list = this.#readList();
      return (subject) => `${subject} ${not}in (${list})`;
    }
    if (
      this.#take('EQUAL', 'TO') ||
      this.#take('EQUALS') ||
      this.#take('EQUAL') ||
      this.#take('=')
    ) {
      return this.#toEqual(negated);
    }
    return this.#toEqual(negated);
  }

  #toEqual(negated: boolean): Predicate {
    const quoted = this.#readText();
    return (subject) => `${subject} ${negated ? '!=' : '='} ${quoted}`;
  }

  #readMeasure(name: 'count' | 'length'): Predicate {
    const sign = this.#readComparison();
    const at = this.#tokens[this.#position];
    if (at === undefined || !/^\d+$/.test(at.text)) throw new Unreadable('expected a number');
    this.#position += 1;
    return (subject) => `${name}(${subject}) ${sign} ${at.text}`;
  }

  #readComparison(): string {
    const { text = '' } = this.#tokens[this.#position] ?? {};
    if (['=', '<', '<=', '>', '>='].includes(text)) {
      this.#position += 1;
      return text;
    }
    if (this.#take('EQUALS')) return '=';
    for (const [word, sign] of [
      ['GREATER', '>'],
      ['LESS', '<'],
    ] as const) {
      if (this.#take(word, 'THAN')) return this.#take('OR', 'EQUALS') ? `${sign}=` : sign;
    }
    throw new Unreadable('expected a comparison such as GREATER THAN');
  }

  #readList(): string {
    if (!this.#take('(')) throw new Unreadable('expected a list of values in brackets after IN');
    const texts = [this.#readText()];
    while (this.#take(',')) texts.push(this.#readText());
    if (!this.#take(')')) throw new Unreadable('expected ) after the list of values');
    return texts.join(', ');
  }

  #readText(): string {
    const at = this.#tokens[this.#position];
    if (at?.kind !== 'text') {
      throw new Unreadable(
        `expected a value in quotes, found ${at === undefined ? 'the end' : `"${at.text}"`}`,
      );
    }
    this.#position += 1;
    return `'${at.text}'`;
  }
}

function toText(node: Node, inside: boolean): string {
  if (!('operator' in node)) return node.predicate?.(node.subject) ?? node.subject;
  const text = node.parts.map((part) => toText(part, true)).join(` ${node.operator} `);
  return inside ? `(${text})` : text;
}
