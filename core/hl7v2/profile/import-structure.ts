import type { StructureItem } from '../definitions/definitions.ts';
import type { ImportedPlace, ImportLosses } from './import-fields.ts';
import type { ItemRule } from './profile.ts';
import type { XmlElement } from './read-xml.ts';
import { isAtEnd } from './rule-paths.ts';
import { listPlaces } from './structure-rules.ts';

interface ImportedStructure {
  readonly segments: Readonly<Record<string, ItemRule>>;
  /** Every segment of the XML, with the place that it has in the version's structure. */
  readonly places: readonly ImportedPlace[];
}

interface StaticItem {
  readonly element: XmlElement;
  /** By the names that the XML gives to groups. */
  readonly path: readonly string[];
  readonly parent: StaticItem | undefined;
}

type Place = readonly string[];

/** The rules of segments and groups, where they differ from the version's structure. */
export function importStructure(
  definition: XmlElement,
  structure: StructureItem,
  losses: ImportLosses,
): ImportedStructure {
  const items = listItems(definition, undefined, losses);
  const places = listPlaces(structure);
  const counterparts = findCounterparts(items, places);
  const segments: Record<string, ItemRule> = {};
  const found: ImportedPlace[] = [];
  for (const item of items) {
    const { element } = item;
    const name = element.attributes['Name'] ?? '';
    const place = counterparts.get(item);
    const isSegment = element.name === 'Segment';
    if (place === undefined && !isSegment) {
      losses.add('a group that the version does not have is not imported; its segments are', name);
      continue;
    }
    const key = place === undefined ? name : toKey(place, places);
    if (isSegment) found.push({ element, name, key });
    const known = place === undefined ? undefined : findItem(structure, place);
    const addition = place === undefined ? toAddition(item, { items, counterparts, places }) : {};
    if (place === undefined && Object.keys(addition).length === 0) {
      losses.add('a segment could not be placed and is not imported', name);
      continue;
    }
    const rule = { ...addition, ...toItemRule(element, known, losses) };
    if (Object.keys(rule).length > 0) segments[key] = rule;
  }
  return { segments, places: found };
}

function listItems(
  parent: XmlElement,
  around: StaticItem | undefined,
  losses: ImportLosses,
): readonly StaticItem[] {
  return parent.children.flatMap((element): readonly StaticItem[] => {
    if (element.name !== 'Segment' && element.name !== 'SegGroup') {
      losses.see(element);
      return [];
    }
    losses.check(element);
    const item = {
      element,
      path: [...(around?.path ?? []), element.attributes['Name'] ?? ''],
      parent: around,
    };
    return element.name === 'Segment' ? [item] : [item, ...listItems(element, item, losses)];
  });
}

/**
 * Where the items of the XML stand in the version: by their names; segments else by their count, where both
 * have the same number of them; groups, which tools name as they like, by the segment that opens them.
 */
function findCounterparts(
  items: readonly StaticItem[],
  places: readonly Place[],
): ReadonlyMap<StaticItem, Place> {
  const found = new Map<StaticItem, Place>();
  const segments = items.filter(({ element }) => element.name === 'Segment');
  for (const [name, own] of Map.groupBy(segments, ({ element }) => element.attributes['Name'])) {
    const known = places.filter((place) => place.at(-1) === name);
    own.forEach((item, index) => {
      const byName = known.find((place) => isAtEnd(place, item.path));
      const place = byName ?? (known.length === own.length ? known[index] : undefined);
      if (place !== undefined) found.set(item, place);
    });
  }
  for (const item of items) {
    if (item.element.name !== 'SegGroup') continue;
    const byName = places.find((place) => isAtEnd(place, item.path));
    const opener = segments.find((segment) => isAtStart(segment.path, item.path));
    const opened = opener === undefined ? undefined : found.get(opener);
    // The structure's own name is in front of every place.
    const isAlike = opener !== undefined && opened?.length === opener.path.length + 1;
    const place = byName ?? (isAlike ? opened.slice(0, item.path.length + 1) : undefined);
    if (place !== undefined) found.set(item, place);
  }
  return found;
}

const isAtStart = (place: Place, path: Place): boolean =>
  place.length > path.length && path.every((name, at) => place[at] === name);

/** The shortest end of a place that no other one has. */
function toKey(place: Place, places: readonly Place[]): string {
  for (let length = 1; length < place.length; length++) {
    const end = place.slice(-length);
    if (places.filter((other) => isAtEnd(other, end)).length === 1) return end.join('.');
  }
  return place.slice(1).join('.');
}

function findItem(structure: StructureItem, place: Place): StructureItem | undefined {
  let item: StructureItem | undefined = structure;
  for (const name of place.slice(1)) item = item && findIn(item, name);
  return item;
}

function findIn({ items }: StructureItem, name: string): StructureItem | undefined {
  for (const item of items) {
    const found = item.kind === 'choice' ? findIn(item, name) : item;
    if (found?.name === name) return found;
  }
  return undefined;
}

/** A segment that the version does not have there: behind the one before it, or in front of the next. */
function toAddition(
  item: StaticItem,
  context: {
    readonly items: readonly StaticItem[];
    readonly counterparts: ReadonlyMap<StaticItem, Place>;
    readonly places: readonly Place[];
  },
): ItemRule {
  const { items, counterparts, places } = context;
  const siblings = items.filter(({ parent }) => parent === item.parent);
  const at = siblings.indexOf(item);
  const isPlaced = (each: StaticItem): boolean => counterparts.has(each);
  const before = siblings.slice(0, at).findLast(isPlaced);
  const after = siblings.slice(at + 1).find(isPlaced);
  const anchor = counterparts.get(before ?? after ?? item);
  if (anchor === undefined) return {};
  const key = toKey(anchor, places);
  return before === undefined ? { before: key } : { after: key };
}

function toItemRule(
  element: XmlElement,
  known: StructureItem | undefined,
  losses: ImportLosses,
): ItemRule {
  const { Name: name = '', Usage: written = '', Min: min = '', Max: max = '' } = element.attributes;
  let usage: ItemRule['usage'];
  switch (written) {
    case 'R':
    case 'RE':
    case 'O':
    case 'X':
      usage = written;
      break;
    case 'C':
    case 'CE':
      losses.add('a segment or group with usage C has no condition here; it became optional', name);
      usage = 'O';
      break;
    default:
      losses.add(`usage "${written}" of a segment or group is not imported`, name);
  }
  const isKnown =
    (usage === 'R' && (known?.min ?? 0) > 0) || (usage === 'O' && known?.min === 0) || !usage;
  const most = known === undefined ? '1' : known.max === Infinity ? '*' : String(known.max);
  return {
    ...(isKnown ? {} : { usage }),
    ...(usage !== 'X' && /^\d{1,5}$/.test(min) && Number(min) > 1 ? { min } : {}),
    ...(usage !== 'X' && /^(?:[1-9]\d{0,4}|\*)$/.test(max) && max !== most ? { max } : {}),
  } as ItemRule;
}
