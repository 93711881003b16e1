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
import { expandBlocks } from './blocks.ts';
import { KnownLabels } from './check-labels.ts';
import { compileFinish, type Finish } from './fhir/finish.ts';
import { compileIdentity } from './identity.ts';
import { applyLayer, isLayer } from './layers.ts';
import { type CompiledMessageMap, compileMessageMap } from './message-map.ts';
import { CompiledMap } from './compiled-map.ts';
import { type Located, parseFiles } from './parse-files.ts';
import { compileRule, compileTree } from './rule.ts';
import { Table } from './tables.ts';

/** All maps and tables of a set of files, ready to run. */
export interface Compiled {
  readonly messages: readonly CompiledMessageMap[];
  readonly tables: ReadonlyMap<string, Table>;
  /** What is done to the resources of a message when all are there, in the order of the files. */
  readonly finishes: readonly Finish[];
}

type ElementMapDocument = SegmentMapDocument | DatatypeMapDocument;

/** Compiles mapping files; all problems are pushed to `issues`, each located as `file:rule`. */
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
  checkLayers(
    layers,
    [...maps.map(({ document }) => document.layer), ...tables.map(findLayer)],
    report,
  );
  return {
    bases: flatten(maps, layers, report),
    tables: buildTables(tables, layers, report),
  };
}

/** As {@link openFiles}, the maps alone. */
export function flattenFiles(
  files: readonly MappingFile[],
  layers: readonly string[],
  issues: Issue[],
): readonly Located<MapDocument>[] {
  return openFiles(files, layers, issues).bases;
}

function checkLayers(
  layers: readonly string[],
  known: readonly (string | undefined)[],
  report: Report,
): void {
  for (const layer of layers) {
    if (!known.includes(layer)) report(layer, `There is no mapping file of the layer ${layer}`);
  }
}

type Report = (location: string, message: string) => void;

const toPlace = (path: string, rule?: string): string =>
  rule === undefined ? path : `${path}:${rule}`;

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

/** The maps with the rules of the active layers over them, in the order of `layers`. */
function flatten(
  documents: readonly Located<MapDocument>[],
  layers: readonly string[],
  report: Report,
): Located<MapDocument>[] {
  const bases = new Map<string, Located<MapDocument>>();
  for (const located of documents) {
    const { path, document } = located;
    if (isLayer(document) || isElsewhere(document, layers)) continue;
    if (bases.has(document.id)) report(path, `There is another map with the id ${document.id}`);
    else bases.set(document.id, located);
  }
  for (const { path, document } of documents) {
    if (document.extends !== undefined && !bases.has(document.extends)) {
      report(path, `extends: there is no map ${document.extends}`);
    }
  }
  const overs = layers.flatMap((layer) =>
    documents.filter(({ document }) => document.layer === layer && isLayer(document)),
  );
  const apply = (over: Located<MapDocument>): void => {
    const base = bases.get(over.document.extends ?? '');
    if (base !== undefined) bases.set(base.document.id, merge(base, over, report));
  };
  const labels = new KnownLabels();
  // A map has a block as it is with the layers over it, and may then change what it has of it.
  const [ofBlocks, others] = [true, false].map((isBlock) =>
    overs.filter(({ document }) => (document.kind === 'MessageBlock') === isBlock),
  );
  if (ofBlocks?.length) {
    for (const base of bases.values()) labels.add(expandBlocks(base, bases, ignore).document);
  }
  ofBlocks?.forEach(apply);
  for (const [id, base] of bases) bases.set(id, expandBlocks(base, bases, report));
  for (const { document } of bases.values()) labels.add(document);
  for (const over of others ?? []) apply(expandBlocks(over, bases, report));
  for (const { path, document } of bases.values()) {
    labels.add(document);
    labels.check(document, (message, rule) => report(toPlace(path, rule), message));
  }
  return [...bases.values()];
}

/** What is wrong with blocks is told when maps are expanded with what layers make of them. */
const ignore: Report = () => undefined;

/** A map with a layer and nothing that it extends is there with its layer alone. */
const isElsewhere = ({ layer }: MapDocument, layers: readonly string[]): boolean =>
  layer !== undefined && !layers.includes(layer);

function merge(
  base: Located<MapDocument>,
  over: Located<MapDocument>,
  report: Report,
): Located<MapDocument> {
  const document = applyLayer(base.document, over.document, (rule, message) =>
    report(toPlace(over.path, rule), message),
  );
  if (document !== undefined) return { ...base, document };
  report(over.path, `extends: ${base.document.id} is of another kind`);
  return base;
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
