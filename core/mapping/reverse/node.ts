import { isPlainObject } from '../target.ts';

/** An element of the input and where it stands: `Bundle.entry[0].resource.name[1]`. */
export interface Node {
  readonly value: unknown;
  readonly path: string;
  readonly parent: Node | undefined;
  /** Of the input itself: of which type the resource is that a reference leads to, where that is known. */
  readonly typeOf?: (reference: string) => string | undefined;
}

/** One step of a path in FHIR: an element, and of a list one item, each (`all`), or all from one on. */
export interface ElementStep {
  readonly name: string;
  readonly index: number | 'all' | { readonly from: number } | undefined;
}

const step = /^([A-Za-z_][A-Za-z0-9_]*)(?:\[(\d+|\*|\d+\+)\])?$/;

/** `name[*].given[1+]` as steps; `$this` as none. Undefined where the text is no path. */
export function parseElementPath(text: string): readonly ElementStep[] | undefined {
  if (text === '$this') return [];
  const steps: ElementStep[] = [];
  for (const part of text.split('.')) {
    const [whole, name = '', index] = step.exec(part) ?? [];
    if (whole === undefined || name in Object.prototype) return undefined;
    steps.push({ name, index: toIndex(index) });
  }
  return steps;
}

function toIndex(text: string | undefined): ElementStep['index'] {
  if (text === undefined) return undefined;
  if (text === '*') return 'all';
  return text.endsWith('+') ? { from: Number.parseInt(text, 10) } : Number(text);
}

/** What stands at the path; a list without an index gives its first item. Identifiers that Hilum has made are not there. */
export function readElements(node: Node, steps: readonly ElementStep[]): readonly Node[] {
  let found: readonly Node[] = [node];
  for (const { name, index } of steps) {
    found = found.flatMap((one) => choose(readItems(one, name), index));
    if (found.length === 0) return found;
  }
  return found;
}

function choose(items: readonly Node[], index: ElementStep['index']): readonly Node[] {
  if (index === 'all') return items;
  if (typeof index === 'object') return items.slice(index.from);
  return items.slice(index ?? 0, (index ?? 0) + 1);
}

/** The element of that name: the items of a list, or the one value; none where it is absent. */
export function readItems(node: Node, name: string): readonly Node[] {
  if (!isPlainObject(node.value)) return [];
  const value = node.value[name] ?? (name === 'resourceType' ? findType(node) : undefined);
  if (value === undefined) return [];
  const path = `${node.path}.${name}`;
  if (!Array.isArray(value)) return [{ value, path, parent: node }];
  return value.flatMap((item: unknown, index) =>
    item === null || (name === 'identifier' && isMade(item))
      ? []
      : [{ value: item, path: `${path}[${index}]`, parent: node }],
  );
}

/** `subject.resourceType`: of what a reference leads to. */
function findType(node: Node): string | undefined {
  const { reference } = node.value as { readonly reference?: unknown };
  let root = node;
  while (root.parent !== undefined) root = root.parent;
  return typeof reference === 'string' ? root.typeOf?.(reference) : undefined;
}

/** Whether Hilum made the identifier for a resource that came without one: no sender ever knew it. */
function isMade(identifier: unknown): boolean {
  if (!isPlainObject(identifier)) return false;
  const { system } = identifier;
  return typeof system === 'string' && system.startsWith('urn:hilum:');
}

/** The text of a primitive; undefined for objects. */
export function toLeafText(node: Node): string | undefined {
  const { value } = node;
  if (typeof value === 'string') return value.trim() === '' ? undefined : value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

/**
 * Calls `visit` with the path of each primitive at and below until it says true, which is what is given. Identifiers
 * that Hilum has made are passed over.
 */
export function someLeaf(value: unknown, path: string, visit: (path: string) => boolean): boolean {
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const item = value[index] as unknown;
      const isOwn = path.endsWith('.identifier') && isMade(item);
      if (!isOwn && someLeaf(item, `${path}[${index}]`, visit)) return true;
    }
    return false;
  }
  if (isPlainObject(value)) {
    for (const key in value) if (someLeaf(value[key], `${path}.${key}`, visit)) return true;
    return false;
  }
  return value !== null && value !== undefined && value !== '' && visit(path);
}

/** The paths of all primitives at and below. */
export function findLeaves(value: unknown, path: string): readonly string[] {
  const leaves: string[] = [];
  someLeaf(value, path, (leaf) => {
    leaves.push(leaf);
    return false;
  });
  return leaves;
}

/** Whether the expected is there: of an object each of its members, else the same value. */
export function includes(value: unknown, expected: unknown): boolean {
  if (Array.isArray(expected)) {
    return (
      Array.isArray(value) && expected.every((one, index) => includes(value[index] as unknown, one))
    );
  }
  if (!isPlainObject(expected)) return value === expected;
  return (
    isPlainObject(value) &&
    Object.entries(expected).every(([key, one]) => includes(value[key], one))
  );
}
