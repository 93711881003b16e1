import {
  isMap,
  isNode,
  isScalar,
  isSeq,
  parseDocument,
  visit,
  type Document,
  type LineCounter,
} from 'yaml';

/** A YAML file: as a document with places, and as data. */
interface Yaml {
  readonly yaml: Document;
  readonly content: unknown;
}

/** Reads YAML, or says why not. Every value as it is written: `NO`, `01` and `2.10` are what they look like. */
export function readYaml(text: string, lineCounter: LineCounter): Yaml | string {
  try {
    // The parser's own look for doubled keys compares each with each.
    const yaml = parseDocument(text, { schema: 'failsafe', lineCounter, uniqueKeys: false });
    const content: unknown = yaml.errors.length > 0 ? undefined : yaml.toJS({ maxAliasCount: 100 });
    return { yaml, content };
  } catch (error) {
    // Nested too deep, or aliases that multiply.
    return `The file is no YAML: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Keys that a map has twice, with where the second one stands. */
export function findDoubledKeys(
  yaml: Document,
): { readonly key: string; readonly offset: number }[] {
  const doubled: { key: string; offset: number }[] = [];
  visit(yaml, {
    Map: (_, { items }) => {
      const known = new Set<string>();
      for (const { key } of items) {
        const name = String(isScalar(key) ? key.value : key);
        if (known.has(name)) doubled.push({ key: name, offset: startOf(key) ?? 0 });
        known.add(name);
      }
    },
  });
  return doubled;
}

/** Where a part of the file begins: its key, or itself in a list; what is not there, what it would stand in. */
export function findOffset(yaml: Document, path: readonly (string | number)[]): number {
  let node: unknown = yaml.contents;
  let offset = startOf(node) ?? 0;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find(
        ({ key }) => isScalar(key) && String(key.value) === String(step),
      );
      if (pair === undefined) break;
      offset = startOf(pair.key) ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      offset = startOf(node) ?? offset;
    } else break;
  }
  return offset;
}

const startOf = (node: unknown): number | undefined => (isNode(node) ? node.range?.[0] : undefined);
