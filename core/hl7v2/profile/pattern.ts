/** A test of whole texts, whose time grows with the text's length and never faster. */
export type Pattern = (text: string) => boolean;

/**
 * Compiles a pattern: characters, `.` (any), `\d` (a digit), `[A-Z0-9]`, `[^ ]`, each with `?`, `*`, `+`, `{3}` or
 * `{2,5}` behind it; alternatives divided by `|`; `\` takes the next character as it is. It has to fit the
 * whole text. No brackets around parts and nothing that looks back: so it is run as a set of states, not by
 * trial and error. Throws SyntaxError with the reason.
 */
export function compilePattern(source: string): Pattern {
  const states: State[] = [];
  const starts = splitAlternatives(source).map((text) => addAlternative(text, states));
  return (text) => run(states, starts, text);
}

type Accepts = (character: string) => boolean;

/** Takes one character and goes on to the next state; `undefined` accepts: the alternative ends here. */
interface State {
  readonly accepts: Accepts | undefined;
  /** May be passed by without a character. */
  readonly isOptional: boolean;
  /** May be taken again. */
  readonly repeats: boolean;
}

const maxStates = 500;

function run(states: readonly State[], starts: readonly number[], text: string): boolean {
  let current = new Set<number>();
  const enter = (into: Set<number>, from: number): void => {
    for (let at = from; !into.has(at); at++) {
      into.add(at);
      if (states[at]?.isOptional !== true) return;
    }
  };
  for (const start of starts) enter(current, start);
  for (const character of text) {
    const next = new Set<number>();
    for (const at of current) {
      const state = states[at];
      if (state?.accepts?.(character) !== true) continue;
      if (state.repeats) enter(next, at);
      enter(next, at + 1);
    }
    if (next.size === 0) return false;
    current = next;
  }
  return [...current].some((at) => states[at]?.accepts === undefined);
}

/** By `|`, but not by `\|` and not inside `[…]`. */
function splitAlternatives(source: string): string[] {
  const parts = source.match(/\\.|\[(?:\\.|[^\]\\])*\]|[^|\\[]+|[|\\[]/gs) ?? [];
  const alternatives = [''];
  for (const part of parts) {
    if (part === '|') alternatives.push('');
    else alternatives.push((alternatives.pop() ?? '') + part);
  }
  return alternatives;
}

const atom =
  /(\\.|\[\^?(?:\\.|[^\]\\])+\]|[^\\[\](){}?*+|^$])(?:([?*+])|\{(\d{1,3})(?:(,)(\d{1,3})?)?\})?|(.)/gsuy;

function addAlternative(source: string, states: State[]): number {
  const start = states.length;
  for (const [, what, sign, from, comma, to, other] of source.matchAll(atom)) {
    if (other !== undefined || what === undefined) {
      const found = other ?? '';
      throw new SyntaxError(`${found} has no meaning here; \\${found} takes it as it is`);
    }
    const accepts = toAccepts(what);
    const { min, max } = toBounds(sign, from, comma === undefined ? from : (to ?? 'open'));
    addStates(states, accepts, min, max);
    if (states.length > maxStates)
      throw new SyntaxError(`it is longer than ${maxStates} characters`);
  }
  states.push({ accepts: undefined, isOptional: false, repeats: false });
  return start;
}

function toBounds(
  sign: string | undefined,
  from: string | undefined,
  to: string | undefined,
): { readonly min: number; readonly max: number } {
  if (sign === '?') return { min: 0, max: 1 };
  if (sign === '*') return { min: 0, max: Infinity };
  if (sign === '+') return { min: 1, max: Infinity };
  if (from === undefined) return { min: 1, max: 1 };
  const min = Number(from);
  const max = to === 'open' ? Infinity : Number(to);
  if (max < min) throw new SyntaxError(`{${from},${to ?? ''}} ends before it begins`);
  return { min, max };
}

function addStates(states: State[], accepts: Accepts, min: number, max: number): void {
  for (let count = 0; count < min; count++) {
    states.push({ accepts, isOptional: false, repeats: false });
  }
  if (max === Infinity) states.push({ accepts, isOptional: true, repeats: true });
  else {
    for (let count = min; count < max; count++) {
      states.push({ accepts, isOptional: true, repeats: false });
    }
  }
}

const isDigit: Accepts = (character) => character >= '0' && character <= '9';

function toAccepts(what: string): Accepts {
  if (what === '.') return () => true;
  if (what === '\\d') return isDigit;
  if (what.startsWith('\\')) {
    const literal = what.slice(1);
    if (/[A-Za-z0-9]/.test(literal)) throw new SyntaxError(`${what} has no meaning here`);
    return (character) => character === literal;
  }
  return what.startsWith('[') ? toClass(what.slice(1, -1)) : (character) => character === what;
}

function toClass(text: string): Accepts {
  const isNegated = text.startsWith('^');
  const tests: Accepts[] = [];
  const parts = (isNegated ? text.slice(1) : text).matchAll(/(\\.|[^\\])(?:-(\\.|[^\\]))?/gs);
  for (const [, first = '', last] of parts) {
    if (first === '\\d') {
      tests.push(isDigit);
      continue;
    }
    const from = first.replace('\\', '') || first;
    const to = last === undefined ? from : last.replace('\\', '');
    if (to < from) throw new SyntaxError(`[${from}-${to}] ends before it begins`);
    tests.push((character) => character >= from && character <= to);
  }
  return (character) => tests.some((test) => test(character)) !== isNegated;
}
