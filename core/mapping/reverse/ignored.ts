import { isPlainObject } from '../target.ts';
import type { Input } from './input.ts';
import { type Node, someLeaf } from './node.ts';

/** What a map says that it leaves out on the way back, and why. */
export interface Ignored {
  /** The path of an element, or of a whole resource. */
  readonly source: string;
  /** `OML_O21.toV2#other-visits`. */
  readonly rule: string;
  readonly why: string;
}

/**
 * Those too that nothing but what is left out refers to, such as the place of a visit that is, and what is of a patient
 * who is.
 */
export function withReferred(
  ignored: readonly Ignored[],
  input: Input,
  consumed: ReadonlySet<string>,
): readonly Ignored[] {
  const known = new Map(ignored.map((one) => [one.source, one]));
  const resources = new Map(input.resources.map(({ node, type }) => [node.path, { node, type }]));
  const queue = [...known.keys()].filter((path) => resources.has(path));
  if (queue.length === 0) return ignored;
  const { to, from } = findReferences(input);
  const isOpen = (path: string): boolean => {
    const node = resources.get(path)?.node;
    return node !== undefined && !known.has(path) && !isUsed(node, consumed);
  };
  const isPatient = (path: string): boolean => resources.get(path)?.type === 'Patient';
  const isOfThemAlone = (path: string): boolean =>
    [...(to.get(path) ?? [])].every((one) => !isPatient(one) || known.has(one));
  /** How many that are not left out refer to it. */
  const left = new Map([...from].map(([path, referring]) => [path, referring.size]));
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    const reason = known.get(path);
    const orphans = [...(to.get(path) ?? [])].filter((one) => decrease(left, one) === 0);
    const own = isPatient(path) ? [...(from.get(path) ?? [])].filter(isOfThemAlone) : [];
    for (const found of [...orphans, ...own]) {
      if (reason === undefined || !isOpen(found)) continue;
      known.set(found, { ...reason, source: found });
      queue.push(found);
    }
  }
  return [...known.values()];
}

function decrease(counts: Map<string, number>, key: string): number {
  const count = (counts.get(key) ?? 0) - 1;
  counts.set(key, count);
  return count;
}

const isUsed = ({ value, path }: Node, consumed: ReadonlySet<string>): boolean =>
  someLeaf(value, path, (leaf) => consumed.has(leaf));

interface References {
  /** By the path of a resource, those that it refers to. */
  readonly to: ReadonlyMap<string, ReadonlySet<string>>;
  /** By the path of a resource, those that refer to it. */
  readonly from: ReadonlyMap<string, ReadonlySet<string>>;
}

function findReferences(input: Input): References {
  const to = new Map<string, Set<string>>();
  const from = new Map<string, Set<string>>();
  const visit = (value: unknown, path: string): void => {
    if (Array.isArray(value)) for (const item of value as unknown[]) visit(item, path);
    if (!isPlainObject(value)) return;
    const found = input.resolve({ value, path, parent: undefined });
    if (found !== undefined && found.path !== path) {
      to.set(path, (to.get(path) ?? new Set()).add(found.path));
      from.set(found.path, (from.get(found.path) ?? new Set()).add(path));
    }
    for (const inner of Object.values(value)) visit(inner, path);
  };
  for (const { node } of input.resources) visit(node.value, node.path);
  return { to, from };
}
