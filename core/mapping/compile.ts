import type { Issue } from '../issue.ts';
import type {
  ConceptMapDocument,
  DatatypeMapDocument,
  MapDocument,
  MappingFile,
  RuleDocument,
  SegmentMapDocument,
} from './document.ts';
import { isToFhir } from './document.ts';
import { compileFinish, type Finish } from './fhir/finish.ts';
import { flattenMaps } from './flatten.ts';
import { compileIdentity } from './identity.ts';
import { type CompiledMessageMap, compileMessageMap } from './message-map.ts';
import { CompiledMap } from './compiled-map.ts';
import { type Located, parseFiles, toPlace } from './parse-files.ts';
import { placeIssues } from './place-issues.ts';
import { compileRule, compileTree } from './rule.ts';
import { suggestMeant } from '../suggest.ts';
import { Table } from './tables.ts';

/** All maps and tables of a set of files, ready to run. */
export interface Compiled {
  readonly messages: readonly CompiledMessageMap[];
  readonly tables: ReadonlyMap<string, Table>;
  /** What is done to the resources of a message when all are there, in the order of the files. */
  readonly finishes: readonly Finish[];
}

type ElementMapDocument = SegmentMapDocument | DatatypeMapDocument;

/** Compiles mapping files; all problems are pushed to `issues`, each located as `file:line:rule`. */
export function compileFiles(
  files: readonly MappingFile[],
  layers: readonly string[],
  issues: Issue[],
): Compiled {
  const report = (location: string, message: string): void => {
    issues.push({ code: 'mapping-invalid', severity: 'error', location, message });
  };
  const { bases, tables } = openFiles(files, layers, issues);
  const maps = declareMaps(bases, report);
  const messages: CompiledMessageMap[] = [];
  const finishes: Finish[] = [];
  for (const { path, document } of bases) {
    if (document.kind === 'FhirMap' && document.finish === true) {
      finishes.push(compileFinish(document, { path, tables, issues }));
    }
    if (!isToFhir(document)) continue;
    const context = {
      maps,
      tables,
      mapId: document.id,
      report: (message: string, rule?: string) => report(toPlace(path, rule), message),
    };
    if (document.kind === 'MessageMap') messages.push(compileMessageMap(document, context));
    else fillSteps(document, path, { maps, tables, report });
  }
  placeIssues(issues, files, layers);
  return { messages, tables, finishes };
}

/** All maps with the rules of the layers over them, and the tables; what is wrong with files and layers is pushed to `issues`. */
export function openFiles(
  files: readonly MappingFile[],
  layers: readonly string[],
  issues: Issue[],
): { readonly bases: readonly Located<MapDocument>[]; readonly tables: Map<string, Table> } {
  const report: Report = (location, message) => {
    issues.push({ code: 'mapping-invalid', severity: 'error', location, message });
  };
  const { maps, tables } = parseFiles(files, issues);
  checkFolders(maps, report);
  const known = [
    ...maps.map(({ document }) => document.layer),
    // Also where a file is faulty: what is wrong with it is told.
    ...files.map(findLayer),
  ];
  checkLayers(layers, new Set(known.filter((layer) => layer !== undefined)), report);
  const opened = {
    bases: flattenMaps(maps, layers, report),
    tables: buildTables(tables, layers, report),
  };
  placeIssues(issues, files, layers);
  return opened;
}

/** As {@link openFiles}, the maps alone. */
export function flattenFiles(
  files: readonly MappingFile[],
  layers: readonly string[],
  issues: Issue[],
): readonly Located<MapDocument>[] {
  return openFiles(files, layers, issues).bases;
}

function checkLayers(layers: readonly string[], known: ReadonlySet<string>, report: Report): void {
  const names = [...known].sort().join(', ');
  const others = known.size === 0 ? '' : `; there are ${names}`;
  for (const layer of layers) {
    if (known.has(layer)) continue;
    const hint = suggestMeant(layer, known) || others;
    report(layer, `There is no mapping file of the layer ${layer}${hint}`);
  }
}

/** A file below `layers/acme/` that says to be of another layer would be left out unseen. */
function checkFolders(maps: readonly Located<MapDocument>[], report: Report): void {
  for (const located of maps) {
    const [folder, { layer }] = [findLayer(located), located.document];
    if (folder === undefined || folder === layer) continue;
    const found = layer === undefined ? 'none' : `layer: ${layer}`;
    report(located.path, `Expected layer: ${folder}, as the folder is named, found ${found}`);
  }
}

type Report = (location: string, message: string) => void;

/** A table below `layers/acme/` is of the layer acme: a file of a table has no other place to say so. */
export const findLayer = ({ path }: { readonly path: string }): string | undefined =>
  /^layers\/([^/]+)\//.exec(path)?.[1];

/** The tables by id, with those of the active layers over them. */
function buildTables(
  located: readonly Located<ConceptMapDocument>[],
  layers: readonly string[],
  report: Report,
): Map<string, Table> {
  const byId = new Map<string, ConceptMapDocument[]>();
  for (const layer of [undefined, ...layers]) {
    const seen = new Set<string>();
    for (const one of located.filter((table) => findLayer(table) === layer)) {
      const { id } = one.document;
      if (seen.has(id)) report(one.path, `There is another table with the id ${id}`);
      else byId.set(id, [...(byId.get(id) ?? []), one.document]);
      seen.add(id);
    }
  }
  const tables = new Map<string, Table>();
  for (const [id, [base, ...over]] of byId) {
    if (base !== undefined) tables.set(id, new Table(base, over));
  }
  return tables;
}

function declareMaps(
  bases: readonly Located<MapDocument>[],
  report: Report,
): Map<string, CompiledMap> {
  const maps = new Map<string, CompiledMap>();
  for (const { path, document } of bases) {
    if (!isToFhir(document) || document.kind === 'MessageMap') continue;
    const type = document.target.fhir;
    const fail = (message: string): void => report(path, message);
    const when = compileTree(document.when, fail);
    const map = {
      id: document.id,
      source: document.source.v2,
      type,
      isSegmentMap: document.kind === 'SegmentMap',
      identify: document.identity && compileIdentity(document.identity, type, fail),
    };
    maps.set(document.id, new CompiledMap(map, when));
  }
  return maps;
}

function fillSteps(
  document: ElementMapDocument,
  path: string,
  context: { maps: Map<string, CompiledMap>; tables: Map<string, Table>; report: Report },
): void {
  const map = context.maps.get(document.id);
  if (map === undefined) return;
  const seen = new Set<string>();
  map.steps = document.rules.flatMap((rule: RuleDocument) => {
    const report = (message: string): void => context.report(toPlace(path, rule.id), message);
    if (seen.has(rule.id)) report('There is another rule with this id in the map');
    seen.add(rule.id);
    if (rule.dir === 'toV2') return [];
    const step = compileRule(rule, { ...context, mapId: document.id, report });
    return step === undefined ? [] : [step];
  });
}
