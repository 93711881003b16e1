import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { parse as parseYaml } from 'yaml';
import type { Issue } from '../issue.ts';
import { parseCsvTable } from './csv-table.ts';
import type { ConceptMapDocument, MapDocument, MappingFile } from './document.ts';
import { mappingSchemas } from './schema.ts';
import { findOwn } from '../own.ts';
import { describeFault, describeNoYaml } from '../schema-fault.ts';

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
    report(file.path, describeNoYaml(error));
    return undefined;
  }
  const kind = readKind(content);
  if (kind === undefined) {
    report(
      file.path,
      `Expected kind: ${Object.keys(kinds).join(', ')}, or resourceType: ConceptMap`,
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
  return typeof kind === 'string' ? findOwn(kinds, kind) : undefined;
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
  if (error.keyword === 'anyOf' || error.keyword === 'oneOf') {
    return `${where} is incomplete: a rule has to and one of from, const or via; or from and ignore`;
  }
  return `${where}: ${describeFault(error)}`;
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
