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
