import type { Draft } from '../target.ts';

/** An item that was taken out of a list: what stood behind it has moved up. */
interface Taken {
  /** `identifier`, `contact[1].telecom`. */
  readonly list: string;
  readonly index: number;
}

/** Takes the elements at these paths away, with the lists and objects that are empty then. Gives the items of lists, in order. */
export function takeAway(output: Draft, paths: ReadonlySet<string>): readonly Taken[] {
  const taken: Taken[] = [];
  // From the last to the first: what stands behind in a list moves up.
  for (const path of [...paths].sort(comparePaths).reverse()) {
    takeAt(output, { keys: path.split(/[.[\]]+/).filter(Boolean), at: '' }, taken);
  }
  return taken;
}

/** Where an element stands after that. */
export function toMoved(path: string, taken: readonly Taken[]): string {
  return taken.reduce((at, { list, index }) => {
    if (!at.startsWith(`${list}[`)) return at;
    const [whole = '', own = ''] = /^\[(\d+)\]/.exec(at.slice(list.length)) ?? [];
    if (Number(own) <= index) return at;
    return `${list}[${Number(own) - 1}]${at.slice(list.length + whole.length)}`;
  }, path);
}

const comparePaths = (one: string, other: string): number =>
  one.localeCompare(other, 'en', { numeric: true });

interface Place {
  readonly keys: readonly string[];
  /** The path so far. */
  readonly at: string;
}

function takeAt(holder: unknown, { keys, at }: Place, taken: Taken[]): void {
  if (typeof holder !== 'object' || holder === null) return;
  const [key = '', ...rest] = keys;
  const object = holder as Draft;
  const inner = object[key];
  if (rest.length > 0) {
    const isItem = Array.isArray(holder);
    const path = isItem ? `${at}[${key}]` : [at, key].filter(Boolean).join('.');
    takeAt(inner, { keys: rest, at: path }, taken);
    if (typeof inner !== 'object' || inner === null || Object.keys(inner).length > 0) return;
  }
  if (Array.isArray(holder)) {
    holder.splice(Number(key), 1);
    taken.push({ list: at, index: Number(key) });
    return;
  }
  Reflect.deleteProperty(object, key);
  // What says more of a primitive goes with it.
  Reflect.deleteProperty(object, `_${key}`);
}
