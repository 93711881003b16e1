import { contains } from '../contains.ts';
import { type Draft, isPlainObject } from './target.ts';

/** Longer lists of a resource that is named twice are compared item by item. */
const mostItems = 30;

/** What a resource has got of another one that is the same by its identity. */
export interface Merged {
  /** Paths of the elements that it lacked. */
  readonly added: readonly string[];
  /** Where the identifiers stand now that it lacked, by their place in the other. */
  readonly moved: ReadonlyMap<number, number>;
  /** Paths of the elements that the other has otherwise: these were left out. */
  readonly leftOut: readonly string[];
}

/** Adds what is missing, object by object, and identifiers; lists and values that are there stay as they are. */
export function mergeInto(target: Draft, more: Draft): Merged {
  const moved = addIdentifiers(target, more);
  const merged = { added: [] as string[], moved, leftOut: [] as string[] };
  fill(target, more, '', merged);
  return merged;
}

/** The identifiers by which a resource is known elsewhere in the message: one authority may have two names. */
function addIdentifiers(target: Draft, more: Draft): ReadonlyMap<number, number> {
  const moved = new Map<number, number>();
  const { identifier: list } = target;
  const { identifier: others } = more;
  if (!Array.isArray(list) || !Array.isArray(others)) return moved;
  const known = new Set(list.map(toIdentifierKey));
  others.forEach((identifier: unknown, index) => {
    const key = toIdentifierKey(identifier);
    if (known.has(key)) return;
    known.add(key);
    moved.set(index, list.push(identifier) - 1);
  });
  return moved;
}

const toIdentifierKey = (identifier: unknown): string => {
  const { system, value } = isPlainObject(identifier) ? identifier : {};
  return JSON.stringify([system, value]);
};

function fill(
  target: Draft,
  more: Draft,
  path: string,
  merged: { readonly added: string[]; readonly leftOut: string[] },
): void {
  for (const key in more) {
    const value = more[key];
    const before = target[key];
    if (before === undefined) {
      target[key] = value;
      merged.added.push(path + key);
    } else if (isPlainObject(before) && isPlainObject(value)) {
      fill(before, value, `${path}${key}.`, merged);
    } else if (!contains(before, value, mostItems)) merged.leftOut.push(path + key);
  }
}
