import { findStructureText } from './definitions/structures.ts';
import type { Version } from './definitions/versions.ts';

/** A segment or a group in a message structure. */
export interface StructureItem {
  /** The segment's name; undefined for a group. */
  readonly segment: string | undefined;
  /** What a group consists of, in order; empty for a segment. */
  readonly items: readonly StructureItem[];
  readonly optional: boolean;
  readonly repeats: boolean;
  /** The segments that it may start with. */
  readonly first: ReadonlySet<string>;
  /** Every segment in it. */
  readonly names: ReadonlySet<string>;
  /** Whether nothing at all satisfies it. */
  readonly nullable: boolean;
}

/** The structure of that name in a version, read once; undefined where it is not described. */
export function findStructure(name: string, version: Version): StructureItem | undefined {
  const text = findStructureText(name, version);
  if (text === undefined) return undefined;
  let structure = cache.get(text);
  if (structure === undefined) {
    structure = parseStructure(text);
    cache.set(text, structure);
  }
  return structure;
}

const cache = new Map<string, StructureItem>();

/** Reads the notation of the standard: `MSH [{NTE}] {OBR [OBX]}`. Throws on brackets that do not match. */
export function parseStructure(text: string): StructureItem {
  const tokens = text.match(/[A-Z][A-Z0-9]{2}|[[\]{}]/g) ?? [];
  const cursor = { tokens, at: 0 };
  const items = readItems(cursor);
  if (cursor.at < tokens.length)
    throw new Error('Expected the end of the structure, found a bracket');
  return buildItem(items, false, false);
}

interface Cursor {
  readonly tokens: readonly string[];
  at: number;
}

const closing: Readonly<Record<string, string>> = { '[': ']', '{': '}' };

function readItems(cursor: Cursor): readonly StructureItem[] {
  const items: StructureItem[] = [];
  for (;;) {
    const token = cursor.tokens[cursor.at];
    if (token === undefined || token === ']' || token === '}') return items;
    cursor.at++;
    const close = closing[token];
    if (close === undefined) {
      items.push(buildSegment(token));
      continue;
    }
    const inner = readItems(cursor);
    if (cursor.tokens[cursor.at] !== close) throw new Error(`Expected ${close} in the structure`);
    cursor.at++;
    items.push(wrap(inner, token));
  }
}

/** One thing in brackets takes their meaning itself; several are a group. */
function wrap(inner: readonly StructureItem[], bracket: string): StructureItem {
  const [only] = inner;
  const optional = bracket === '[';
  if (inner.length !== 1 || only === undefined) return buildItem(inner, optional, !optional);
  return {
    ...only,
    optional: only.optional || optional,
    repeats: only.repeats || !optional,
    nullable: only.nullable || optional,
  };
}

function buildSegment(name: string): StructureItem {
  const names = new Set([name]);
  return {
    segment: name,
    items: [],
    optional: false,
    repeats: false,
    first: names,
    names,
    nullable: false,
  };
}

function buildItem(
  items: readonly StructureItem[],
  optional: boolean,
  repeats: boolean,
): StructureItem {
  const required = items.findIndex((item) => !item.nullable);
  const leading = required === -1 ? items : items.slice(0, required + 1);
  return {
    segment: undefined,
    items,
    optional,
    repeats,
    first: new Set(leading.flatMap((item) => [...item.first])),
    names: new Set(items.flatMap((item) => [...item.names])),
    nullable: optional || required === -1,
  };
}
