import type { Table } from '../tables.ts';
import { type Draft, isPlainObject } from '../target.ts';
import type { Node } from './node.ts';

/**
 * A Coding or CodeableConcept as it was before a table translated its codings: the originals that stand behind them,
 * else, of the first, the code that becomes this one. A coding of a system that the table does not write is left as it is.
 */
export function toConcept(node: Node, table: Table): Node | 'unmapped' {
  const { value } = node;
  if (!isPlainObject(value)) return node;
  const list = value['coding'];
  if (!Array.isArray(list)) {
    const coding = toSource(value, table);
    if (coding === 'unmapped') return coding;
    return coding === value ? node : { ...node, value: coding };
  }
  const codings = list.filter(isPlainObject);
  const toOriginal = (one: Draft): Draft =>
    codings.find((other) => other !== one && isOriginal(other, one, table)) ?? one;
  // An original stands behind all that were translated; it goes back to where its translation stood.
  const [first, ...rest] = new Set(codings.map(toOriginal));
  if (first === undefined) return node;
  const coding = codings[0] === first ? toSource(first, table) : first;
  if (coding === 'unmapped') return coding;
  const before = [coding, ...rest.map((one) => toAlternate(one, table))];
  const isSame = before.length === list.length && before.every((one, at) => one === list[at]);
  return isSame ? node : { ...node, value: { ...value, coding: before } };
}

/** Whether the table makes the other coding of this one. */
function isOriginal({ system, code }: Draft, translated: Draft, table: Table): boolean {
  if (typeof code !== 'string' || typeof system !== 'string') return false;
  if (table.sources.size > 0 && !table.sources.has(system)) return false;
  const found = table.find(code);
  return found?.code === translated['code'] && found?.system === translated['system'];
}

/** A coding behind the first is translated where its system is known: it goes back with that. */
function toAlternate(coding: Draft, table: Table): Draft {
  const [system] = table.sources;
  const source = toSource(coding, table);
  if (source === 'unmapped' || source === coding || system === undefined) return coding;
  const { display } = coding;
  return { code: source['code'], ...(display === undefined ? {} : { display }), system };
}

/** The code alone: its system and name were the table's, since an original with a system would stand behind it. */
function toSource(coding: Draft, table: Table): Draft | 'unmapped' {
  const { system, code } = coding;
  if (typeof code !== 'string') return coding;
  if (typeof system === 'string' && !table.targets.has(system)) return coding;
  const source = table.findSource(code, typeof system === 'string' ? system : undefined);
  if (source === undefined) return 'unmapped';
  const { display } = coding;
  const isNamed = typeof display === 'string' && display !== table.find(source)?.display;
  if (!isNamed || source !== code) return { code: source };
  // A name that is not the table's came with the code, and with it a system.
  const [of] = table.sources;
  return { code: source, display, ...(of === undefined ? {} : { system: of }) };
}
