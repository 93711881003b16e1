import type { Delimiters } from '../message.ts';

/** What a character is, as bits, so that those of a value can be gathered in one number. 0: nothing special. */
export const marks = {
  field: 1,
  repetition: 2,
  component: 4,
  subcomponent: 8,
  escape: 16,
  /** A control character other than the tab. */
  control: 32,
} as const;

/** The bits of everything that divides a field. */
export const dividers = marks.repetition | marks.component | marks.subcomponent;

/** For each UTF-16 unit what it is. A table, since every character of every message is looked up in it. */
export type MarkTable = Uint8Array;

/** The table for a message's delimiters. */
export function toMarkTable(delimiters: Delimiters): MarkTable {
  const { field, component, repetition, escape, subcomponent } = delimiters;
  const key = field + component + repetition + escape + subcomponent;
  let table = cache.get(key);
  if (table === undefined) {
    table = buildTable(delimiters);
    // Senders use the usual delimiters; made up ones must not pile up.
    if (cache.size >= 8) cache.clear();
    cache.set(key, table);
  }
  return table;
}

const cache = new Map<string, MarkTable>();

function buildTable(delimiters: Delimiters): MarkTable {
  const table = new Uint8Array(0x1_00_00);
  for (let code = 0; code < 0x20; code++) if (code !== 9) table[code] = marks.control;
  table[0x7f] = marks.control;
  for (const name of ['escape', 'subcomponent', 'repetition', 'component', 'field'] as const) {
    const mark = delimiters[name];
    if (mark !== '') table[mark.charCodeAt(0)] = marks[name];
  }
  return table;
}
