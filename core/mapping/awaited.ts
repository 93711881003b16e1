import type { HeldCode } from '../held-code.ts';
import type { Issue } from '../issue.ts';
import type { MappingFile, UnmappedPolicy } from './document.ts';
import { type EffectiveMap, findEffectiveMaps } from './effective.ts';
import type { Mappings } from './mappings.ts';
import type { RuleDocument } from './rule-document.ts';
import type { Table } from './tables.ts';

/** What the node that holds says by itself, as it is deployed now. */
export interface HoldingNode {
  readonly layers: readonly string[];
  /** Of a node that asks a table by itself. */
  readonly onUnmapped?: UnmappedPolicy | undefined;
}

/**
 * Whether a message that waits for a code would wait for it still, by one state of the mapping files. A rule that cannot
 * be found is taken to hold as it did. Throws as {@link Mappings} do.
 */
export type IsAwaited = (held: HeldCode, node: HoldingNode) => boolean;

/** Reads the rules when something is first asked for, once for each choice of layers. */
export function buildIsAwaited(files: readonly MappingFile[], mappings: Mappings): IsAwaited {
  const effective = new Map<string, readonly EffectiveMap[]>();
  const findRule = ({ map, rule }: HeldCode, layers: readonly string[]): Rule | undefined => {
    if (map === undefined) return undefined;
    const name = layers.join(',');
    const issues: Issue[] = [];
    const maps = effective.get(name) ?? findEffectiveMaps(files, layers, issues);
    effective.set(name, maps);
    const rules = maps.find(({ id }) => id === map)?.rules;
    return rules?.find(({ id }) => id === rule)?.rule;
  };
  return (held, { layers, onUnmapped }) => {
    const table = mappings.table(held.table, layers);
    if (table === undefined || isAnswered(held, table)) return false;
    const rule = findRule(held, layers);
    if (rule !== undefined && rule.table !== held.table) return false;
    const isTheTables = rule !== undefined || held.map === undefined;
    return (rule?.onUnmapped ?? onUnmapped ?? (isTheTables ? table.policy : 'hold')) === 'hold';
  };
}

type Rule = Pick<RuleDocument, 'table' | 'onUnmapped'>;

/** The table says what becomes of the code, be it nothing, or is not for codes of its system any more. */
function isAnswered({ code, system, isTarget = false }: HeldCode, table: Table): boolean {
  if (isTarget) return table.findSource(code) !== undefined || table.isFixed(code);
  if (table.translate(code) !== undefined || table.has(code)) return true;
  return system !== undefined && table.sources.size > 0 && !table.sources.has(system);
}
