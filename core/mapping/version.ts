import type { Issue } from '../issue.ts';
import { listIncludes, listResources } from './blocks.ts';
import { findLayer, flattenFiles } from './compile.ts';
import { isToFhir, type MapDocument, type MappingFile } from './document.ts';
import { toHash } from './effective.ts';
import { parseFiles } from './parse-files.ts';
import { codeSystems, identifierSystems } from './system-uri.ts';

/** A message map with all that it uses, as it is with some layers. */
export interface MessageMapVersion {
  /** `ORU_R01`. */
  readonly id: string;
  /** The message types that it maps: `ORU^R01`. */
  readonly messages: readonly string[];
  /**
   * A hash, 16 hex digits, over the message map and every map and table that it reaches, with the layers over them:
   * equal for equal output, and another as soon as a rule or code is.
   */
  readonly version: string;
}

/** The message maps in their order; what is wrong with files and layers is pushed to `issues`. */
export function findVersions(
  files: readonly MappingFile[],
  layers: readonly string[],
  issues: Issue[],
): readonly MessageMapVersion[] {
  const documents = flattenFiles(files, layers, issues).map(({ document }) => document);
  const { tables } = parseFiles(files, []);
  const hashOfTable = (id: string): string =>
    toHash(
      [undefined, ...layers].flatMap((layer) =>
        tables
          .filter((one) => one.document.id === id && findLayer(one) === layer)
          .map(({ document }) => document),
      ),
    );
  return documents.flatMap((document) => {
    if (document.kind !== 'MessageMap') return [];
    const reached = findReached(documents, document.id);
    const used = documents.filter((one) => reached.has(one.id) || isFinish(one));
    const ids = new Set(used.flatMap((map) => [...findTables(map)]));
    const tableHashes = [...ids].sort().map((id) => [id, hashOfTable(id)]);
    const mapHashes = used.map((map) => [map.id, toHash(map)]).sort();
    const { messages = [] } = document.source ?? {};
    return [{ id: document.id, messages, version: toHash([mapHashes, tableHashes]) }];
  });
}

/** The maps from FHIR with their versions. */
export interface FromFhirVersions {
  /** Those to FHIR, each over itself and its tables. */
  readonly maps: readonly { readonly id: string; readonly version: string }[];
  /** Over all maps whose rules go back to HL7 v2, and all tables. */
  readonly version: string;
}

/** As {@link findVersions}, of the maps from FHIR. */
export function findFromFhirVersions(
  files: readonly MappingFile[],
  layers: readonly string[],
  issues: Issue[],
): FromFhirVersions {
  const documents = flattenFiles(files, layers, issues).map(({ document }) => document);
  const tables = parseFiles(files, []).tables.filter((one) => {
    const layer = findLayer(one);
    return layer === undefined || layers.includes(layer);
  });
  const hashOf = (used: (id: string) => boolean): string =>
    toHash([layers, tables.filter(({ document }) => used(document.id)).map((one) => one.document)]);
  const maps = documents.flatMap((document) => {
    if (document.kind !== 'FhirMap') return [];
    const used = new Set(document.rules.map(({ table }) => table));
    return [{ id: document.id, version: toHash([document, hashOf((id) => used.has(id))]) }];
  });
  const others = new Set<MapDocument['kind']>(['FhirMap', 'V2Map', 'MessageBlock']);
  const back = documents.filter(({ kind }) => !others.has(kind));
  return { maps, version: toHash([back, hashOf(() => true)]) };
}

/** The ids of a map and of all maps that it uses, directly or not; those that layers make it use included. */
export function findReached(documents: readonly MapDocument[], id: string): ReadonlySet<string> {
  const reached = new Set<string>();
  const waiting = [id];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (reached.has(next)) continue;
    reached.add(next);
    for (const document of documents) {
      if ((document.extends ?? document.id) === next) waiting.push(...findUsed(document));
    }
  }
  return reached;
}

function findUsed(document: MapDocument): readonly string[] {
  if ('resources' in document) {
    const maps = listResources(document.resources).flatMap(({ maps: own = [] }) => own);
    const bundle = document.kind === 'MessageMap' ? (document.bundle ?? []) : [];
    return maps.concat(listIncludes(document.resources), bundle);
  }
  return isToFhir(document) ? document.rules.flatMap(({ via }) => via ?? []) : [];
}

const isFinish = (document: MapDocument): boolean =>
  document.kind === 'FhirMap' && document.finish === true;

function findTables(document: MapDocument): readonly string[] {
  if (document.kind === 'FhirMap') return document.rules.flatMap(({ table }) => table ?? []);
  if (!isToFhir(document) || document.kind === 'MessageMap') return [];
  return document.rules.flatMap(({ table, fn }) => [
    ...(table === undefined ? [] : [table]),
    ...(fn === 'codeSystem' || fn === 'oid' ? [codeSystems] : []),
    ...(fn === 'authority' || fn === 'entityAuthority' ? [identifierSystems] : []),
  ]);
}
