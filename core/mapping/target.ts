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
    // What every object has, such as `constructor`, is no element: written there, all objects would have it.
    if (whole === undefined || name in Object.prototype) return undefined;
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
 * Writes the value. An object written where one stands already is merged into it; any other value replaces what was
 * there.
 */
export function writePath(target: Draft, steps: readonly TargetStep[], value: unknown): void {
  if (steps.length === 0) {
    Object.assign(target, value);
    return;
  }
  let holder: Draft | unknown[] = target;
  let key: string | number = '';
  let isFirst = true;
  for (const { name, index } of steps) {
    if (!isFirst) holder = enter(holder, key);
    isFirst = false;
    key = name;
    if (index === undefined) continue;
    const list: unknown[] = ((holder as Draft)[name] ??= []) as unknown[];
    holder = list;
    key = toPosition(index, list.length);
  }
  put(holder, key, value);
}

/** What stands there; undefined where nothing does. */
export function readTarget(target: Draft, steps: readonly TargetStep[]): unknown {
  let found: unknown = target;
  for (const { name, index } of steps) {
    found = isPlainObject(found) ? found[name] : undefined;
    if (index === undefined) continue;
    found = Array.isArray(found) ? found.at(index === 'last' ? -1 : Number(index)) : undefined;
  }
  return found;
}

/** Where the value stands that was written last by these steps: what was the next item of a list is the last one now. */
export function toWritten(target: Draft, steps: readonly TargetStep[]): string {
  let holder: unknown = target;
  let path = '';
  for (const { name, index } of steps) {
    path += path === '' ? name : `.${name}`;
    holder = (holder as Draft)[name];
    if (index === undefined) continue;
    const last = (holder as unknown[]).length - 1;
    const at = typeof index === 'number' ? Math.min(index, last) : last;
    path += `[${at}]`;
    holder = (holder as unknown[])[at];
  }
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

export function isEmpty(draft: Draft): boolean {
  for (const _ in draft) return false;
  return true;
}
