import type { Draft } from './draft.ts';

/**
 * The source has a structure for every event. Leaves one for each structure of table 0354, and says which
 * events have it: the structure that a correction gives the event or that the table does, where the version
 * has that one; else the one of its message type that reads the same; else its own.
 */
export function mapEvents(
  draft: Draft,
  table: ReadonlyMap<string, string>,
  corrected: ReadonlyMap<string, string | null>,
): void {
  const names = [...draft.structures.keys()].filter(isMessage).sort();
  const listed = new Set(table.values());
  const events = names.map((name): [string, string] => {
    const structure = corrected.get(name) ?? table.get(name);
    if (structure !== undefined && draft.structures.has(structure)) return [name, structure];
    const same = names.find((other) => listed.has(other) && isSame(draft, name, other));
    return [name, same ?? name];
  });
  for (const name of draft.structures.keys()) {
    if (name.includes('_') && !isMessage(name)) draft.structures.delete(name);
  }
  const used = new Set(events.map(([, structure]) => structure));
  for (const [name, structure] of events) {
    draft.events.set(name, structure);
    if (!used.has(name)) draft.structures.delete(name);
  }
}

/** The events of the version that the source has no message for, though the version has their structure. */
export function addListedEvents(draft: Draft, table: ReadonlyMap<string, string>): void {
  const known = draft.tables.get('0003')?.codes;
  for (const [name, structure] of table) {
    const isThere = draft.structures.has(structure) && known?.has(name.slice(4)) === true;
    if (isThere && !draft.events.has(name)) draft.events.set(name, structure);
  }
}

/** `OMG_019` is a misprint: an event starts with a letter. */
const isMessage = (name: string): boolean => /^[A-Z]{3}_[A-Z]\w\w$/.test(name);

function isSame(draft: Draft, name: string, other: string): boolean {
  return (
    name.slice(0, 3) === other.slice(0, 3) &&
    draft.structures.get(name) === draft.structures.get(other)
  );
}
