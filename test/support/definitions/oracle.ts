import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type {
  ElementDefinition,
  FieldDefinition,
  VersionDefinitions,
} from '../../../core/hl7v2/definitions/definitions.ts';
import type { Version } from '../../../core/hl7v2/definitions/versions.ts';
import { type Automaton, findDistinction } from './automaton.ts';

interface OracleElement {
  readonly seq: number;
  readonly type: string;
  readonly required: boolean;
  readonly repeat?: boolean;
  readonly max?: number;
  /** `HL70001` */
  readonly table?: string;
}

/** Definitions that somebody else made, to compare ours with. */
export interface Oracle {
  readonly structures: Readonly<Record<string, Automaton>>;
  readonly fields: Readonly<Record<string, readonly OracleElement[]>>;
  readonly datatypes: Readonly<Record<string, { readonly components: readonly OracleElement[] }>>;
  readonly tables: Readonly<
    Record<string, { readonly type: 'hl7' | 'user'; readonly codes: readonly string[] }>
  >;
}

export const kinds = [
  'structure',
  'field',
  'field datatype',
  'field required',
  'field repeats',
  'field length',
  'field table',
  'component',
  'component datatype',
  'component required',
  'table',
  'table kind',
  'table codes',
] as const;

export type Kind = (typeof kinds)[number];

export interface Disagreement {
  readonly kind: Kind;
  /** `ADT_A01`, `PID-3`, `CX.5`, `0001` */
  readonly place: string;
  readonly ours: string;
  readonly theirs: string;
}

const folder = join(import.meta.dirname, '../../../../shared/data/hl7-definitions');

/** Whether the definitions to compare with lie beside the repository. */
export const isOracleHere = existsSync(folder);

export function readOracle(version: Version): Oracle {
  const file = join(folder, `${version}.json.gz`);
  // Two names for one thing: any segment.
  const text = gunzipSync(readFileSync(file)).toString().replaceAll('"anyZSegment"', '"Hxx"');
  return JSON.parse(text) as Oracle;
}

/** Everything about which the two say different things. */
export function compare(ours: VersionDefinitions, theirs: Oracle): readonly Disagreement[] {
  return [
    ...compareStructures(ours, theirs),
    ...Object.entries(theirs.fields).flatMap(([segment, fields]) =>
      compareElements(`${segment}-`, ours.findSegment(segment)?.fields, fields),
    ),
    ...Object.entries(theirs.datatypes).flatMap(([datatype, { components }]) =>
      compareElements(`${datatype}.`, ours.findDatatype(datatype)?.components, components),
    ),
    ...compareTables(ours, theirs),
  ];
}

function compareStructures(ours: VersionDefinitions, theirs: Oracle): readonly Disagreement[] {
  return Object.entries(theirs.structures).flatMap(([place, automaton]): Disagreement[] => {
    const structure = ours.findStructure(place);
    if (structure === undefined) return [{ kind: 'structure', place, ours: 'none', theirs: 'one' }];
    const found = findDistinction(structure, automaton);
    if (found === undefined) return [];
    const text = found.segments.join(' ');
    return [
      found.allowedBy === 'ours'
        ? { kind: 'structure', place, ours: text, theirs: '' }
        : { kind: 'structure', place, ours: '', theirs: text },
    ];
  });
}

/** Of a segment (`PID-`) or a datatype (`CX.`). */
function compareElements(
  owner: string,
  ours: readonly (ElementDefinition | FieldDefinition)[] | undefined,
  theirs: readonly OracleElement[],
): readonly Disagreement[] {
  const isSegment = owner.endsWith('-');
  const label = isSegment ? 'field' : 'component';
  if (ours === undefined) {
    return [{ kind: label, place: owner.slice(0, -1), ours: 'none', theirs: 'one' }];
  }
  const last = Math.max(ours.length, ...theirs.map(({ seq }) => seq));
  return Array.from({ length: last }, (_, index) => index + 1).flatMap((position) => {
    const place = `${owner}${position}`;
    const our = ours[position - 1];
    const their = theirs.find(({ seq }) => seq === position);
    // What a version has withdrawn may stand there with a name alone, or not at all.
    if (their === undefined && (our === undefined || our.usage === 'W')) return [];
    if (our === undefined || their === undefined) {
      return [{ kind: label, place, ours: nameOf(our), theirs: nameOf(their) }];
    }
    return isSegment
      ? compareField(place, our as FieldDefinition, their)
      : compareComponent(place, our, their);
  });
}

const nameOf = (element: object | undefined): string => (element === undefined ? 'none' : 'one');

function compareField(
  place: string,
  ours: FieldDefinition,
  theirs: OracleElement,
): readonly Disagreement[] {
  // What was withdrawn has no rules any more; the one still tells the old ones, the other does not.
  if (ours.usage === 'W') return [];
  return differing([
    ['field datatype', place, toDatatype(ours.datatype), toDatatype(theirs.type)],
    ['field required', place, ours.usage === 'R', theirs.required],
    ['field repeats', place, ours.max > 1, theirs.repeat ?? false],
    ['field length', place, ours.maxLength ?? '', toLength(theirs.max)],
    ['field table', place, ours.table ?? '', toTable(theirs.table)],
  ]);
}

function compareComponent(
  place: string,
  ours: ElementDefinition,
  theirs: OracleElement,
): readonly Disagreement[] {
  return differing([
    ['component datatype', place, toDatatype(ours.datatype), toDatatype(theirs.type)],
    ['component required', place, ours.usage === 'R', theirs.required],
  ]);
}

function compareTables(ours: VersionDefinitions, theirs: Oracle): readonly Disagreement[] {
  return Object.entries(theirs.tables).flatMap(([id, table]): readonly Disagreement[] => {
    const our = ours.findTable(id);
    if (our === undefined) {
      if (table.codes.length === 0) return [];
      return [{ kind: 'table', place: id, ours: 'none', theirs: `${table.codes.length} codes` }];
    }
    const codes = table.codes.filter(isCode);
    const missing = codes.filter((code) => !our.codes.has(code));
    const extra = [...our.codes].filter((code) => isCode(code) && !codes.includes(code));
    return differing([
      ['table kind', id, our.kind, table.type],
      ['table codes', id, extra.join(' '), missing.join(' ')],
    ]);
  });
}

/** Ranges and omissions stand in printed tables: `...`, `10 ...19`. */
const isCode = (code: string): boolean => !code.includes('...') && !code.includes(' ');

/** The one has a name for each composite of 2.1 to 2.3, the other calls all of them CM. */
function toDatatype(name: string): string {
  if (name.startsWith('CM_')) return 'CM';
  return name === '*' || name === 'var' ? 'varies' : name;
}

/** 64 kB and 99999 stand for no limit. */
const toLength = (length: number | undefined): number | '' =>
  length === undefined || length >= 65_535 ? '' : length;

/** 9999 stands for no table. */
const toTable = (table: string | undefined): string =>
  table === undefined || table === 'HL79999' ? '' : table.slice(3);

type Comparison = readonly [Kind, string, string | number | boolean, string | number | boolean];

function differing(comparisons: readonly Comparison[]): readonly Disagreement[] {
  return comparisons
    .filter(([, , ours, theirs]) => ours !== theirs)
    .map(([kind, place, ours, theirs]) => ({
      kind,
      place,
      ours: String(ours),
      theirs: String(theirs),
    }));
}
