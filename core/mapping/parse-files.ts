import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { LineCounter, isNode, parse as parseYaml, parseDocument } from 'yaml';
import type { Issue } from '../issue.ts';
import { parseCsvTable } from './csv-table.ts';
import type { ConceptMapDocument, MapDocument, MappingFile } from './document.ts';
import { mappingSchemas } from './schema.ts';
import { findOwn } from '../own.ts';
import { describeFault, describeNoYaml, withoutBranches } from '../schema-fault.ts';

/** A document and the file that it is of. */
export interface Located<T> {
  readonly path: string;
  readonly document: T;
}

type Kind = keyof typeof mappingSchemas;

/** The schema of each kind of map. */
const kinds: Readonly<Record<string, Kind>> = {
  SegmentMap: 'map',
  DatatypeMap: 'map',
  MessageMap: 'messageMap',
  MessageBlock: 'messageBlock',
  V2SegmentMap: 'map',
  V2MessageMap: 'v2MessageMap',
  V2Map: 'v2Map',
  FhirMap: 'fhirMap',
};

const ajv = new Ajv2020({
  allErrors: true,
  verbose: true,
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

/** What the files of a mappings folder are told by. */
const endings = '.map.yaml, .csv, .conceptmap.json or, for tests, .case.yaml';

type Report = (location: string, message: string) => void;

/** Where a problem is: a file, or a rule in it. */
export const toPlace = (path: string, rule?: string): string =>
  rule === undefined ? path : `${path}:${rule}`;

function readDocument(
  { path, text }: MappingFile,
  report: Report,
): MapDocument | ConceptMapDocument | undefined {
  const content = readContent({ path, text }, report);
  if (content === undefined) return undefined;
  const kind = readKind(content.value);
  if (kind === undefined) {
    report(path, `Expected kind: ${Object.keys(kinds).join(', ')}, or resourceType: ConceptMap`);
    return undefined;
  }
  const validate = compiledFor(kind);
  if (validate(content.value)) return content.value as MapDocument | ConceptMapDocument;
  const findLine = openLines(text);
  for (const error of withoutBranches(validate.errors ?? [])) {
    const place = `${path}:${findLine(error.instancePath)}`;
    report(toPlace(place, findRule(content.value, error.instancePath)), describe(error));
  }
  return undefined;
}

/** What YAML or JSON holds; undefined where the file is neither. */
function readContent(
  { path, text }: MappingFile,
  report: Report,
): { readonly value: unknown } | undefined {
  if (!/\.(map\.(ya?ml|json)|conceptmap\.json)$/.test(path)) {
    report(path, `Expected a name that ends in ${endings}; rename the file`);
    return undefined;
  }
  const broken = text.indexOf('\uFFFD');
  if (broken >= 0) {
    const line = text.slice(0, broken).split('\n').length;
    report(`${path}:${line}`, 'The file is not UTF-8; save it again as UTF-8');
    return undefined;
  }
  const isJson = path.endsWith('.json');
  try {
    return { value: isJson ? JSON.parse(text) : parseYaml(text) };
  } catch (error) {
    report(path, isJson ? `The file is no JSON: ${toText(error)}` : describeNoYaml(error));
    return undefined;
  }
}

const toText = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function readKind(content: unknown): Kind | undefined {
  if (typeof content !== 'object' || content === null) return undefined;
  const { kind, resourceType } = content as { kind?: unknown; resourceType?: unknown };
  if (resourceType === 'ConceptMap') return 'conceptMap';
  return typeof kind === 'string' ? findOwn(kinds, kind) : undefined;
}

const isConceptMap = (content: MapDocument | ConceptMapDocument): content is ConceptMapDocument =>
  'resourceType' in content;

function describe(error: ErrorObject): string {
  const where = error.instancePath === '' ? 'The file' : error.instancePath.slice(1);
  const isRule = /\/rules\/\d+$/.test(error.instancePath);
  if (isRule && error.keyword === 'anyOf') {
    return `${where} is incomplete: a rule has to and one of from, const or via; or from and ignore`;
  }
  return `${where}: ${describeFault(error)}`;
}

/** Tells the line, 1-based, of what stands at a path into the document. */
function openLines(text: string): (instancePath: string) => number {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  return (instancePath) => {
    const node = document.getIn(instancePath.split('/').slice(1), true);
    return lines.linePos(isNode(node) ? (node.range?.[0] ?? 0) : 0).line;
  };
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
