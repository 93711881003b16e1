import type { StructureItem } from './definitions.ts';

/**
 * Reads a message structure in the notation of the standard, with the names of the groups:
 * `MSH [{SFT}] {ORDER: ORC [<OBR|RXO>] [{NTE}]}`. `[ ]` optional, `{ }` repeating, `( )` a group that is
 * neither, `< | >` a choice. Throws on brackets that do not match: the definitions are broken.
 */
export function parseStructureText(name: string, text: string): StructureItem {
  const tokens = text.match(/\w+:?|[[\]{}()<>|]/g) ?? [];
  const cursor = { tokens, at: 0 };
  const items = readItems(cursor);
  if (cursor.at < tokens.length) throw new Error(`Expected the end of ${name}, found a bracket`);
  return { kind: 'group', name, items, min: 1, max: 1 };
}

interface Cursor {
  readonly tokens: readonly string[];
  at: number;
}

const closing: Readonly<Record<string, string>> = { '[': ']', '{': '}', '(': ')', '<': '>' };
const segments = new Map<string, StructureItem>();

function readItems(cursor: Cursor): readonly StructureItem[] {
  const items: StructureItem[] = [];
  for (;;) {
    const token = cursor.tokens[cursor.at];
    if (token === undefined || token === ']' || token === '}' || token === ')' || token === '>') {
      return items;
    }
    cursor.at++;
    const close = closing[token];
    if (token === '|') continue;
    items.push(close === undefined ? toSegment(token) : readBracket(cursor, token, close));
  }
}

function readBracket(cursor: Cursor, open: string, close: string): StructureItem {
  const named = cursor.tokens[cursor.at];
  const name = named?.endsWith(':') === true ? named.slice(0, -1) : undefined;
  if (name !== undefined) cursor.at++;
  const items = readItems(cursor);
  if (cursor.tokens[cursor.at] !== close) throw new Error(`Expected ${close} in a structure`);
  cursor.at++;
  if (open === '<') {
    return {
      kind: 'choice',
      name: items.map((item) => item.name).join('|'),
      items,
      min: 1,
      max: 1,
    };
  }
  const [only] = items;
  const inner: StructureItem =
    name === undefined && items.length === 1 && only !== undefined
      ? only
      : { kind: 'group', name: name ?? '', items, min: 1, max: 1 };
  if (open === '[') return { ...inner, min: 0 };
  return open === '{' ? { ...inner, max: Infinity } : inner;
}

/** One object for a segment that is neither optional nor repeats: a version names PID in fifty places. */
function toSegment(name: string): StructureItem {
  let item = segments.get(name);
  if (item === undefined) {
    item = { kind: 'segment', name, items: [], min: 1, max: 1 };
    segments.set(name, item);
  }
  return item;
}
