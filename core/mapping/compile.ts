import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { parse as parseYaml } from 'yaml';
import type { Issue } from '../issue.ts';
import { parseCsvTable } from './csv-table.ts';
import type {
  ConceptMapDocument,
  DatatypeMapDocument,
  MapDocument,
  MappingFile,
  RuleDocument,
  SegmentMapDocument,
} from './document.ts';
import { compileIdentity } from './identity.ts';
import { applyResources, applyRules, isLayer } from './layers.ts';
import { type CompiledMessageMap, compileMessageMap } from './message-map.ts';
import { type CompiledMap, compileRule, compileWhen } from './rule.ts';
import { mappingSchemas } from './schema.ts';
import { Table } from './tables.ts';

/** All maps and tables of a set of files, ready to run. */
export interface Compiled {
  readonly messages: readonly CompiledMessageMap[];
  readonly tables: ReadonlyMap<string, Table>;
}

/** What a file holds, and its path. */
export interface Located<T> {
  readonly path: string;
  readonly document: T;
}

type ElementMapDocument = SegmentMapDocument | DatatypeMapDocument;

type Kind = 'map' | 'messageMap' | 'conceptMap';

const ajv = new Ajv2020({
  allErrors: true,
  strict: true,
  allowUnionTypes: true,
  strictRequired: false,
});
const validators = new Map<Kind, ValidateFunction>();

/** Compiled when the first such file is read: that takes tenths of a second, and many processes read none. */
function compiledFor(kind: Kind): ValidateFunction {
  const validate = validators.get(kind) ?? ajv.compile(mappingSchemas[kind]);
  validators.set(kind, validate);
  return validate;
}

/** Compiles mapping files; all problems are pushed to `issues`, each located as `file:rule`. */
export function compileFiles(
  files: readonly MappingFile[],
  layers: readonly string[],
  issues: Issue[],
): Compiled {
  const report = (location: string, message: string): void => {
    issues.push({ code: 'mapping-invalid', severity: 'error', location, message });
  };
  const { maps: documents, tables: tableDocuments } = parseFiles(files, issues);
  const tables = buildTables(tableDocuments, layers, report);
  checkLayers(
    layers,
    [...documents.map(({ document }) => document.layer), ...tableDocuments.map(findLayer)],
    report,
  );
  const bases = flatten(documents, layers, report);
  const maps = declareMaps(bases, report);
  const messages: CompiledMessageMap[] = [];
  for (const { path, document } of bases) {
    const context = {
      maps,
      tables,
      mapId: document.id,
      report: (message: string, rule?: string) => report(toPlace(path, rule), message),
    };
    if (document.kind === 'MessageMap') messages.push(compileMessageMap(document, context));
    else fillSteps(document, path, { maps, tables, report });
  }
  return { messages, tables };
}

/** The maps with the rules of the layers over them; what is wrong with files and layers is pushed to `issues`. */
export function flattenFiles(
  files: readonly MappingFile[],
  layers: readonly string[],
  issues: Issue[],
): readonly Located<MapDocument>[] {
  const report: Report = (location, message) => {
    issues.push({ code: 'mapping-invalid', severity: 'error', location, message });
  };
  const { maps, tables } = parseFiles(files, issues);
  checkLayers(
    layers,
    [...maps.map(({ document }) => document.layer), ...tables.map(findLayer)],
    report,
  );
  return flatten(maps, layers, report);
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

/** Maps and tables as they were written, those of layers too; problems of form are pushed to `issues`. */
export function parseFiles(
  files: readonly MappingFile[],
  issues: Issue[],
): {
  readonly maps: readonly Located<MapDocument>[];
  readonly tables: readonly Located<ConceptMapDocument>[];
} {
  const maps: Located<MapDocument>[] = [];
  const tables: Located<ConceptMapDocument>[] = [];
  for (const file of files) {
    const document = file.path.endsWith('.csv')
      ? parseCsvTable(file, issues)
      : readDocument(file, (location, message) => {
          issues.push({ code: 'mapping-invalid', severity: 'error', location, message });
        });
    if (document === undefined) continue;
    if (isConceptMap(document)) tables.push({ path: file.path, document });
    else maps.push({ path: file.path, document });
  }
  return { maps, tables };
}

type Report = (location: string, message: string) => void;

const toPlace = (path: string, rule?: string): string =>
  rule === undefined ? path : `${path}:${rule}`;

function readDocument(
  file: MappingFile,
  report: Report,
): MapDocument | ConceptMapDocument | undefined {
  let content: unknown;
  try {
    content = file.path.endsWith('.json') ? JSON.parse(file.text) : parseYaml(file.text);
  } catch (error) {
    const [reason] = (error instanceof Error ? error.message : String(error)).split('\n');
    report(file.path, `The file is no YAML or JSON: ${reason ?? ''}`);
    return undefined;
  }
  const kind = readKind(content);
  if (kind === undefined) {
    report(
      file.path,
      'Expected kind: MessageMap, SegmentMap or DatatypeMap, or resourceType: ConceptMap',
    );
    return undefined;
  }
  const validate = compiledFor(kind);
  if (validate(content)) return content as MapDocument | ConceptMapDocument;
  for (const error of relevant(validate.errors ?? [])) {
    report(toPlace(file.path, findRule(content, error.instancePath)), describe(error));
  }
  return undefined;
}

function readKind(content: unknown): Kind | undefined {
  if (typeof content !== 'object' || content === null) return undefined;
  const { kind, resourceType } = content as { kind?: unknown; resourceType?: unknown };
  if (resourceType === 'ConceptMap') return 'conceptMap';
  if (kind === 'MessageMap') return 'messageMap';
  return kind === 'SegmentMap' || kind === 'DatatypeMap' ? 'map' : undefined;
}

const isConceptMap = (content: MapDocument | ConceptMapDocument): content is ConceptMapDocument =>
  'resourceType' in content;

/** A failed choice reports each of its branches: where a plain reason exists, that one is enough. */
function relevant(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const choices = new Set(['anyOf', 'oneOf']);
  const plain = errors.filter(
    ({ keyword, schemaPath }) => !choices.has(keyword) && !/\/(anyOf|oneOf)\//.test(schemaPath),
  );
  return plain.length > 0 ? plain : errors.filter(({ keyword }) => choices.has(keyword));
}

function describe(error: ErrorObject): string {
  const where = error.instancePath === '' ? 'The file' : error.instancePath.slice(1);
  const detail: unknown = error.params['additionalProperty'] ?? error.params['allowedValues'];
  const tail = detail === undefined ? '' : `: ${JSON.stringify(detail)}`;
  if (error.keyword === 'anyOf' || error.keyword === 'oneOf') {
    return `${where} is incomplete: a rule has to and one of from, const or via; or from and ignore`;
  }
  return `${where} ${error.message ?? 'is invalid'}${tail}`;
}

/** The id of the innermost thing that has one, along the path into the document. */
function findRule(content: unknown, instancePath: string): string | undefined {
  let found: string | undefined;
  let at: unknown = content;
  for (const key of instancePath.split('/').slice(1)) {
    at = (at as Record<string, unknown> | undefined)?.[key];
    const id: unknown = (at as { id?: unknown } | undefined)?.id;
    if (typeof id === 'string') found = id;
  }
  return found;
}

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
  for (const layer of layers) {
    const own = documents.filter(({ document }) => document.layer === layer);
    for (const over of own) {
      const base = bases.get(over.document.extends ?? '');
      if (base !== undefined) bases.set(base.document.id, merge(base, over, report));
    }
  }
  return [...bases.values()];
}

/** A map with a layer and nothing that it extends is there with its layer alone. */
const isElsewhere = ({ layer }: MapDocument, layers: readonly string[]): boolean =>
  layer !== undefined && !layers.includes(layer);

function merge(
  base: Located<MapDocument>,
  over: Located<MapDocument>,
  report: Report,
): Located<MapDocument> {
  const reportRule = (rule: string, message: string): void =>
    report(toPlace(over.path, rule), message);
  if (base.document.kind === 'MessageMap' && over.document.kind === 'MessageMap') {
    return { ...base, document: applyResources(base.document, over.document, reportRule) };
  }
  if (base.document.kind === 'MessageMap' || over.document.kind === 'MessageMap') {
    report(over.path, `extends: ${base.document.id} is of another kind`);
    return base;
  }
  const rules = applyRules(base.document.rules, over.document.rules, reportRule);
  return { ...base, document: { ...base.document, rules } };
}

function declareMaps(
  bases: readonly Located<MapDocument>[],
  report: Report,
): Map<string, CompiledMap> {
  const maps = new Map<string, CompiledMap>();
  for (const { path, document } of bases) {
    if (document.kind === 'MessageMap') continue;
    const type = document.target.fhir;
    maps.set(document.id, {
      id: document.id,
      source: document.source.v2,
      type,
      isSegmentMap: document.kind === 'SegmentMap',
      when: compileWhen(document.when, (message) => report(path, message)),
      identify:
        document.identity &&
        compileIdentity(document.identity, type, (message) => report(path, message)),
      steps: [],
    });
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
    const step = compileRule(rule, { ...context, mapId: document.id, report });
    return step === undefined ? [] : [step];
  });
}
