import type { SegmentDefinition, StructureItem } from '../definitions/definitions.ts';
import { toMax } from './element-rules.ts';
import type { ItemRule } from './profile.ts';
import { isAtEnd } from './rule-paths.ts';

/** A rule of `segments`, ready to be applied. */
export interface StructureRule {
  /** `['ORDER_OBSERVATION', 'OBR']`: how the place ends. */
  readonly path: readonly string[];
  readonly rule: ItemRule;
  readonly report: (message: string) => void;
  /** Called for each place that the rule is applied to. */
  readonly use: () => void;
}

/** All that is said about the structures of a profile's messages. */
export interface StructureRules {
  readonly items: readonly StructureRule[];
  readonly additions: readonly Addition[];
  /** The rules of a segment at a place, where there are some of this very place. */
  readonly findDefinition: (place: readonly string[]) => SegmentDefinition | undefined;
}

/** A segment that a profile adds to a structure. */
export interface Addition {
  readonly name: string;
  readonly side: 'before' | 'after';
  /** How the place ends that it is added to. */
  readonly anchor: readonly string[];
  readonly report: (message: string) => void;
  readonly use: () => void;
}

/** A message structure with rules over it. */
export function applyToStructure(structure: StructureItem, rules: StructureRules): StructureItem {
  return { ...structure, items: applyToItems(structure, [structure.name], rules) };
}

/** A choice has no place of its own: what it is between stands where it stands. */
function applyToItems(
  parent: StructureItem,
  place: readonly string[],
  rules: StructureRules,
): readonly StructureItem[] {
  return parent.items.flatMap((item) => {
    const here = item.kind === 'choice' ? place : [...place, item.name];
    const own = applyToItem(item, here, rules);
    if (item.kind === 'choice') return [own];
    const add = (side: 'before' | 'after'): StructureItem[] =>
      rules.additions
        .filter((addition) => addition.side === side && isAtEnd(here, addition.anchor))
        .filter((addition) => checkParent(addition, parent))
        .map((addition) => buildAddition(addition, place, rules));
    return [...add('before'), own, ...add('after')];
  });
}

function checkParent({ report, use }: Addition, parent: StructureItem): boolean {
  use();
  if (parent.kind !== 'choice') return true;
  report('the place is one of a choice, where nothing can be added');
  return false;
}

function buildAddition(
  { name }: Addition,
  place: readonly string[],
  rules: StructureRules,
): StructureItem {
  const item: StructureItem = { kind: 'segment', name, items: [], min: 0, max: 1 };
  return applyToItem(item, [...place, name], rules);
}

function applyToItem(
  item: StructureItem,
  place: readonly string[],
  rules: StructureRules,
): StructureItem {
  let changed = item;
  if (item.kind !== 'choice') {
    for (const rule of rules.items) {
      if (isAtEnd(place, rule.path)) {
        rule.use();
        changed = applyItemRule(changed, rule);
      }
    }
  }
  if (item.kind !== 'segment') return { ...changed, items: applyToItems(item, place, rules) };
  const definition = rules.findDefinition(place);
  return definition === undefined ? changed : { ...changed, definition };
}

function applyItemRule(item: StructureItem, { rule, report }: StructureRule): StructureItem {
  const { usage } = rule;
  let { min } = item;
  if (rule.min !== undefined) min = Number(rule.min);
  else if (usage !== undefined) min = usage === 'R' ? Math.max(1, min) : 0;
  const max = rule.max === undefined ? item.max : toMax(rule.max);
  const known = usage ?? item.usage;
  if (max === 0) report('max: 0 says that it must be absent; use usage: X');
  if (min > max) report(`min ${min} is more than max ${max}`);
  if (min > 0 && (known === 'O' || known === 'X')) {
    report(`min: ${min} needs usage R or RE, found ${known}`);
  }
  return { ...item, min, max, ...(known === undefined ? {} : { usage: known }) };
}

/** The places of all segments and groups of a structure, written as paths. */
export function listPlaces(structure: StructureItem): readonly (readonly string[])[] {
  const places: (readonly string[])[] = [];
  const walk = (item: StructureItem, place: readonly string[]): void => {
    for (const each of item.items) {
      const here = each.kind === 'choice' ? place : [...place, each.name];
      if (each.kind !== 'choice') places.push(here);
      walk(each, here);
    }
  };
  walk(structure, [structure.name]);
  return places;
}
