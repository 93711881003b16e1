import type { Issue } from '../../issue.ts';
import { compareValues } from '../compare.ts';
import { listResources } from '../blocks.ts';
import { findLayer, flattenFiles } from '../compile.ts';
import type {
  ConceptMapDocument,
  MapDocument,
  MappingFile,
  PartDocument,
  ResourceDocument,
} from '../document.ts';
import { type Located, parseFiles } from '../parse-files.ts';
import { Table } from '../tables.ts';

/** Mapping files, and the layers over them in their order. */
export interface MappingSide {
  readonly files: readonly MappingFile[];
  readonly layers: readonly string[];
}

/** One thing that is otherwise on the other side. */
export interface MappingDifference {
  /**
   * `PID.Patient#PID-8.gender`, a rule or a resource; `PID.Patient`, a whole map; `PID.Patient:identity`, another part
   * of it; `sex`, a whole table; `sex#F`, a code of it; `sex#*`, what it says of all other codes.
   */
  readonly id: string;
  /** Undefined: it was not there. */
  readonly before?: unknown;
  /** Undefined: it is there no more. */
  readonly after?: unknown;
}

/** What differs between two states of the mappings, maps first; faults of either side are pushed to `issues`. */
export function compareMappings(
  before: MappingSide,
  after: MappingSide,
  issues: Issue[],
): readonly MappingDifference[] {
  const [old, now] = [readSide(before, issues), readSide(after, issues)];
  const parts = comparePartsOf(old.maps, now.maps);
  const changed = new Set(parts.map(({ id }) => id));
  // What a block changes of all maps that include it is told once, of the block.
  const isOfBlock = ({ id, before: was, after: is }: MappingDifference): boolean => {
    const [one, other] = [old.origins.get(id), now.origins.get(id)];
    const origin = one ?? other;
    if (origin === undefined || !changed.has(origin)) return false;
    return (was === undefined || one === origin) && (is === undefined || other === origin);
  };
  return [
    ...parts.filter((part) => !isOfBlock(part)),
    ...compareOrder(old.maps, now.maps),
    ...comparePartsOf(old.tables, now.tables),
  ];
}

/** By the id of a map or table: what it is made of, by the name of the part as a difference has it. */
type Parts = ReadonlyMap<string, ReadonlyMap<string, unknown>>;

function readSide(
  { files, layers }: MappingSide,
  issues: Issue[],
): {
  readonly maps: Parts;
  readonly tables: Parts;
  /** Of the resources that a map has by a block: what they are in the block. */
  readonly origins: ReadonlyMap<string, string>;
} {
  const maps = flattenFiles(files, layers, issues).map(({ document }) => document);
  const { tables } = parseFiles(files, []);
  const ids = [...new Set(tables.map(({ document }) => document.id))];
  return {
    maps: new Map(maps.map((map) => [map.id, toParts(map)])),
    tables: new Map(ids.map((id) => [id, toCodes(id, selectTables(id, tables, layers))])),
    origins: new Map(maps.flatMap(toOrigins)),
  };
}

function comparePartsOf(before: Parts, after: Parts): readonly MappingDifference[] {
  return [...new Set([...before.keys(), ...after.keys()])].sort().flatMap((id) => {
    const [old, now] = [before.get(id), after.get(id)];
    if (old === undefined) return [{ id, after: `${now?.size ?? 0} parts` }];
    if (now === undefined) return [{ id, before: `${old.size} parts` }];
    return [...new Set([...old.keys(), ...now.keys()])].flatMap((part) => {
      const [one, other] = [old.get(part), now.get(part)];
      if (compareValues(one, other).length === 0) return [];
      return [
        {
          id: part,
          ...(one === undefined ? {} : { before: one }),
          ...(other === undefined ? {} : { after: other }),
        },
      ];
    });
  });
}

/** A rule may depend on what those before it have written: `ifNone`, `[-1]`. */
function compareOrder(before: Parts, after: Parts): readonly MappingDifference[] {
  return [...before].flatMap(([id, old]) => {
    const now = after.get(id) ?? new Map<string, unknown>();
    const [one, other] = [
      [...old.keys()].filter((part) => now.has(part)),
      [...now.keys()].filter((part) => old.has(part)),
    ];
    const moved = one.findIndex((part, index) => part !== other[index]);
    if (moved < 0) return [];
    const from = (parts: readonly string[]): string => `${parts[moved] ?? ''} comes first`;
    return [{ id: `${id}:order`, before: from(one), after: from(other) }];
  });
}

/** What says what a map is, and not what it does. */
const labels: ReadonlySet<string> = new Set(['kind', 'id', 'extends', 'layer', 'note']);

/** Where a map keeps what it does, part by part. */
const ownParts: ReadonlySet<string> = new Set(['rules', 'resources', 'segments']);

function toOwnParts(
  map: MapDocument,
): readonly { readonly id: string; readonly override?: unknown; readonly blocks?: unknown }[] {
  if ('resources' in map) return toResources(map.resources, []);
  return map.kind === 'V2MessageMap' ? map.segments : map.rules;
}

function toParts(map: MapDocument): ReadonlyMap<string, unknown> {
  const parts = new Map<string, unknown>();
  const own = toOwnParts(map);
  for (const [key, value] of Object.entries(map)) {
    if (!labels.has(key) && !ownParts.has(key)) {
      parts.set(`${map.id}:${key}`, value);
    }
  }
  for (const { override: _how, blocks: _whence, ...rule } of own) {
    parts.set(`${map.id}#${rule.id}`, rule);
  }
  return parts;
}

function toOrigins(map: MapDocument): readonly (readonly [string, string])[] {
  if (map.kind !== 'MessageMap') return [];
  return listResources(map.resources).flatMap(({ id, blocks = [] }) =>
    blocks.slice(-1).map((block) => [`${map.id}#${id}`, `${block}#${id}`] as const),
  );
}

/** Each with the groups for each of which it is made. */
function toResources(
  parts: readonly PartDocument[],
  groups: readonly string[],
): readonly ResourceDocument[] {
  return parts.flatMap((one) => {
    if ('forEach' in one) return toResources(one.resources, [...groups, one.forEach]);
    if ('include' in one) return [];
    return [{ ...one, ...(groups.length === 0 ? {} : { forEach: groups.join('.') }) }];
  });
}

/** The tables of the id, that of the base first. */
const selectTables = (
  id: string,
  tables: readonly Located<ConceptMapDocument>[],
  layers: readonly string[],
): readonly ConceptMapDocument[] =>
  [undefined, ...layers].flatMap((layer) =>
    tables
      .filter((one) => one.document.id === id && findLayer(one) === layer)
      .map(({ document }) => document),
  );

function toCodes(id: string, documents: readonly ConceptMapDocument[]): Map<string, unknown> {
  const [base, ...over] = documents;
  const parts = new Map<string, unknown>();
  // A table that only layers which do not count here have.
  if (base === undefined) return parts;
  const table = new Table(base, over);
  for (const { group } of documents) {
    for (const { element } of group) {
      for (const { code } of element) parts.set(`${id}#${code}`, table.find(code) ?? 'no target');
    }
  }
  const others = table.translate('') ?? table.policy;
  parts.set(`${id}#*`, others);
  return parts;
}
