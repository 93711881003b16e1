import type { Draft } from './draft.ts';

/**
 * The source has a structure for every event. Leaves one for each structure of table 0354, and says which
 * events have it. An event has the structure that the table gives it, where the version has that one; else
 * the one that it is the same as; else its own.
 */
export function mapEvents(draft: Draft, table: ReadonlyMap<string, string>): void {
  const names = [...draft.structures.keys()].sort();
  for (const name of names) {
    if (!name.includes('_')) continue;
    draft.events.set(name, findStructure(draft, name, table));
  }
  const used = new Set(draft.events.values());
  for (const name of names) {
    if (name.includes('_') && !used.has(name)) draft.structures.delete(name);
  }
}

function findStructure(draft: Draft, name: string, table: ReadonlyMap<string, string>): string {
  const listed = table.get(name);
  return listed !== undefined && draft.structures.has(listed) ? listed : name;
}
