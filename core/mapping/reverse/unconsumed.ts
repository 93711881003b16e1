import type { Input } from './input.ts';
import { type Node, findLeaves, someLeaf } from './node.ts';

/** What every resource has and no message says: its type, its id on a server, who changed it, its narrative. */
const technical =
  /^\.(?:resourceType$|id$|meta(?:\.|$)|text\.|implicitRules$|contained\[\d+\]\.(?:resourceType|id)$)/;

/**
 * The paths of what no rule took; a resource of which nothing was taken is one path. Resources that are ignored are not
 * among them.
 */
export function findUnconsumed(
  input: Input,
  consumed: ReadonlySet<string>,
  ignored: ReadonlySet<string>,
): readonly string[] {
  const used = new Set(
    input.resources.flatMap(({ node: { path, value } }) =>
      someLeaf(value, path, (leaf) => consumed.has(leaf)) ? [path] : [],
    ),
  );
  return input.resources.flatMap(({ node }) => {
    if (ignored.has(node.path)) return [];
    const left = findLeaves(node.value, node.path);
    const rest = left.filter((leaf) => !consumed.has(leaf));
    if (rest.length === left.length) return [node.path];
    return rest.filter((leaf) => !isTechnical(leaf, node) && !leadsToUsed(leaf, node));
  });

  /** Where a resource stands in the message tells what refers to it. */
  function leadsToUsed(leaf: string, { path, value }: Node): boolean {
    if (!leaf.endsWith('.reference')) return false;
    const place = leaf.slice(path.length + 1, -'.reference'.length);
    const reference = { value: readAt(value, place), path: leaf, parent: undefined };
    const found = input.resolve(reference);
    return found !== undefined && used.has(found.path);
  }
}

function readAt(value: unknown, place: string): unknown {
  let at = value;
  for (const key of place.split(/[.[\]]+/).filter(Boolean)) {
    at = (at as Record<string, unknown> | undefined)?.[key];
  }
  return at;
}

const isTechnical = (leaf: string, { path }: Node): boolean =>
  technical.test(leaf.slice(path.length));
