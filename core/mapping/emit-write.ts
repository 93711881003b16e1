import type { Code } from './code.ts';
import { type Draft, type TargetStep, isPlainObject } from './target.ts';

/** What is written: an expression, and whether it gives an object, which is merged into one that stands there already. */
export interface Written {
  readonly steps: readonly TargetStep[];
  readonly value: string;
  readonly isObject: boolean;
}

/**
 * Code that writes values into `o`, one after the other. An object written where one stands already is merged into it; any
 * other value replaces what was there. What is written to `$this` has its lists joined with those that are there. An index
 * beyond the end of a list means the next item.
 */
export function emitWrites(writes: readonly Written[], code: Code): string {
  const known = new Map<string, string>();
  let text = '';
  for (let at = 0; at < writes.length; at += 1) {
    const [write, ...later] = writes.slice(at);
    if (write === undefined) break;
    const next = write.steps.findIndex(({ index }) => index === 'next');
    const holder = emitWalk(write.steps, next === -1 ? write.steps.length - 1 : next, code, known);
    text += holder.text;
    if (next === -1) {
      text += emitPut(write, holder.name, code);
      continue;
    }
    const { item, taken } = buildItem(write, next, later);
    text += `(${holder.name}${toMember(write.steps[next])} ??= []).push(${item}); `;
    known.clear();
    at += taken;
  }
  return text;
}

const toMember = (step: TargetStep | undefined): string => `.${step?.name ?? ''}`;

/** Goes into the objects before the step at `end`, each made where it is missing. */
function emitWalk(
  steps: readonly TargetStep[],
  end: number,
  code: Code,
  known: Map<string, string>,
): { readonly name: string; readonly text: string } {
  let name = 'o';
  let text = '';
  let path = '';
  for (const step of steps.slice(0, Math.max(0, end))) {
    path += `${toMember(step)}[${step.index ?? ''}]`;
    const before = known.get(path);
    if (before !== undefined) {
      name = before;
      continue;
    }
    const inner = code.local();
    if (step.index === undefined) text += `const ${inner} = ${name}${toMember(step)} ??= {}; `;
    else {
      const list = code.local();
      text += `const ${list} = ${name}${toMember(step)} ??= []; `;
      text += `const ${inner} = ${list}[${emitIndex(step.index, list)}] ??= {}; `;
    }
    name = inner;
    known.set(path, inner);
  }
  return { name, text };
}

function emitIndex(index: TargetStep['index'], list: string): string {
  if (index === 'last') return `${list}.length > 0 ? ${list}.length - 1 : 0`;
  return index === 0 ? '0' : `Math.min(${index ?? 0}, ${list}.length)`;
}

function emitPut({ steps, value, isObject }: Written, holder: string, code: Code): string {
  const step = steps.at(-1);
  if (step === undefined) return `${code.bind(join)}(o, ${value}); `;
  const place = `${holder}${toMember(step)}`;
  const put = (to: string): string =>
    `${to} = ${isObject ? `${code.bind(merge)}(${to}, ${value})` : value}; `;
  if (step.index === undefined) return put(place);
  const list = code.local();
  const at = code.local();
  const start = `const ${list} = ${place} ??= [], ${at} = ${emitIndex(step.index, list)}; `;
  return start + put(`${list}[${at}]`);
}

/** Puts what an element has into the one that is being built, behind the items of lists that are there. */
function join(into: Draft, element: Draft): void {
  for (const key in element) {
    const before = into[key];
    const value = element[key];
    if (Array.isArray(before) && Array.isArray(value)) before.push(...(value as unknown[]));
    else into[key] = value;
  }
}

function merge(before: unknown, value: Draft): Draft {
  return isPlainObject(before) ? Object.assign(before, value) : value;
}

/** A new item of a list as it is written: an expression, or what stands in an object or list. */
type Item = string | Map<string, Item> | Item[];

/** The item that a write adds, with what the writes behind it put into it, as far as it can be said in one. */
function buildItem(
  { steps, value }: Written,
  next: number,
  later: readonly Written[],
): { readonly item: string; readonly taken: number } {
  const rest = steps.slice(next + 1);
  if (rest.length === 0) return { item: value, taken: 0 };
  const item: Item = new Map();
  insert(item, rest, value);
  const isInside = (write: Written): boolean =>
    write.steps.length > next + 1 &&
    write.steps.slice(0, next + 1).every(({ name, index }, at) => {
      const own = steps[at];
      return own?.name === name && index === (at === next ? 'last' : own.index);
    });
  let taken = 0;
  for (const write of later) {
    if (!isInside(write) || !insert(item, write.steps.slice(next + 1), write.value)) break;
    taken += 1;
  }
  return { item: toText(item), taken };
}

/** False where something stands in the way that only the run knows. */
function insert(item: Map<string, Item>, steps: readonly TargetStep[], value: string): boolean {
  const [step, ...rest] = steps;
  if (step === undefined) return false;
  const { name, index } = step;
  if (index === undefined) {
    if (rest.length === 0) {
      if (item.has(name)) return false;
      item.set(name, value);
      return true;
    }
    const inner = item.get(name) ?? new Map<string, Item>();
    if (!(inner instanceof Map)) return false;
    item.set(name, inner);
    return insert(inner, rest, value);
  }
  const list = item.get(name) ?? [];
  if (!Array.isArray(list)) return false;
  item.set(name, list);
  const at = index === 'next' ? list.length : index === 'last' ? list.length - 1 : index;
  const place = Math.min(Math.max(at, 0), list.length);
  const inner = list[place] ?? new Map<string, Item>();
  if (rest.length === 0) {
    if (list[place] !== undefined) return false;
    list[place] = value;
    return true;
  }
  if (!(inner instanceof Map)) return false;
  list[place] = inner;
  return insert(inner, rest, value);
}

function toText(item: Item): string {
  if (typeof item === 'string') return item;
  if (Array.isArray(item)) return `[${item.map(toText).join(', ')}]`;
  return `{ ${[...item].map(([name, inner]) => `${name}: ${toText(inner)}`).join(', ')} }`;
}
