import type { Issue } from '../../issue.ts';
import { compareValues } from '../compare.ts';
import { findLayer, flattenFiles } from '../compile.ts';
import type {
  ConceptMapDocument,
  ForEachDocument,
  MapDocument,
  MappingFile,
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
  return [
    ...comparePartsOf(old.maps, now.maps),
    ...compareOrder(old.maps, now.maps),
    ...comparePartsOf(old.tables, now.tables),
  ];
}

/** By the id of a map or table: what it is made of, by the name of the part as a difference has it. */
type Parts = ReadonlyMap<string, ReadonlyMap<string, unknown>>;

function readSide(
  { files, layers }: MappingSide,
  issues: Issue[],
): { readonly maps: Parts; readonly tables: Parts } {
  const maps = flattenFiles(files, layers, issues).map(({ document }) => document);
  const { tables } = parseFiles(files, []);
  const ids = [...new Set(tables.map(({ document }) => document.id))];
  return {
    maps: new Map(maps.map((map) => [map.id, toParts(map)])),
    tables: new Map(ids.map((id) => [id, toCodes(id, selectTables(id, tables, layers))])),
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
): readonly { readonly id: string; readonly override?: unknown }[] {
  if (map.kind === 'MessageMap') return toResources(map.resources, []);
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
  for (const { override: _how, ...rule } of own) parts.set(`${map.id}#${rule.id}`, rule);
  return parts;
}

/** Each with the groups for each of which it is made. */
function toResources(
  resources: readonly (ResourceDocument | ForEachDocument)[],
  groups: readonly string[],
): readonly ResourceDocument[] {
  return resources.flatMap((one) =>
    'forEach' in one
      ? toResources(one.resources, [...groups, one.forEach])
      : [{ ...one, ...(groups.length === 0 ? {} : { forEach: groups.join('.') }) }],
  );
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
