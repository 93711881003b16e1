import { createRequire } from 'node:module';
import type { Usage } from '../../core/hl7v2/definitions/definitions.ts';
import type { Version } from '../../core/hl7v2/definitions/versions.ts';
import { type Draft, type DraftElement, toTableId } from './draft.ts';

// The package `hl7-dictionary`: 2.1 to 2.7.1, a message for every event, fields and components in order.

interface SourceElement {
  readonly datatype: string;
  readonly desc: string;
  /** 1 optional, 2 required, 3 conditional, 4 withdrawn. */
  readonly opt: number;
  /** 0: without end. */
  readonly rep: number;
  readonly len?: number;
  readonly table?: number;
}

interface SourceItem {
  readonly name: string | null;
  readonly min: number;
  /** 0: without end. */
  readonly max: number;
  readonly children?: readonly SourceItem[];
  /** A choice; how often it comes is not told. */
  readonly compounds?: readonly SourceItem[];
}

interface SourceVersion {
  readonly messages: Readonly<
    Record<string, { readonly segments: { readonly segments: readonly SourceItem[] } }>
  >;
  readonly segments: Readonly<Record<string, { readonly fields: readonly SourceElement[] }>>;
  readonly fields: Readonly<Record<string, { readonly subfields?: readonly SourceElement[] }>>;
}

type SourceTables = Readonly<Record<string, { readonly desc: string }>>;

const require = createRequire(import.meta.url);

/** A version as the package has it; a structure for every event. Throws for versions that it lacks. */
export function readHl7Dictionary(version: Version): Draft {
  const source = require(`hl7-dictionary/lib/${version}/index.js`) as SourceVersion;
  return {
    version,
    structures: new Map(
      Object.entries(source.messages).map(([name, message]) => [
        name,
        toText(message.segments.segments),
      ]),
    ),
    events: new Map(),
    segments: new Map(
      Object.entries(source.segments).map(([name, { fields }]) => [name, fields.map(toElement)]),
    ),
    datatypes: new Map(
      Object.entries(source.fields).map(([name, { subfields = [] }]) => [
        toDatatype(name),
        subfields.map(toElement),
      ]),
    ),
    tables: new Map(),
  };
}

/** The names of tables, by their four digits. */
export function readTableNames(): ReadonlyMap<string, string> {
  const tables = require('hl7-dictionary/lib/tables.js') as SourceTables;
  return new Map(Object.entries(tables).map(([id, { desc }]) => [id.padStart(4, '0'), desc]));
}

const usages: readonly Usage[] = ['O', 'O', 'R', 'C', 'W'];

function toElement(source: SourceElement): DraftElement {
  return {
    name: source.desc,
    datatype: toDatatype(source.datatype),
    usage: usages[source.opt] ?? 'O',
    max: toMax(source.rep),
    maxLength: isLength(source.len) ? source.len : undefined,
    table: toTableId(source.table),
  };
}

function toDatatype(name: string): string {
  if (name === 'CQ_QUANTITY') return 'CQ';
  return /^(varies|var|\*)$/i.test(name) ? 'varies' : name;
}

const toMax = (count: number): number => (count === 0 ? Infinity : count);

/** 65535 and more stand for no limit at all. */
const isLength = (length: number | undefined): boolean =>
  length !== undefined && length > 0 && length < 65_535;

function toText(items: readonly SourceItem[]): string {
  return items.map(toItemText).join(' ');
}

function toItemText(item: SourceItem): string {
  if (item.compounds !== undefined) {
    return `<${item.compounds.map((each) => each.name ?? '?').join('|')}>`;
  }
  const name = item.name ?? '?';
  const inner =
    item.children === undefined ? name : `${toGroupName(name)}: ${toText(item.children)}`;
  const repeats = item.max === 0 ? `{${inner}}` : inner;
  if (item.min === 0) return `[${repeats}]`;
  return item.children !== undefined && item.max !== 0 ? `(${inner})` : repeats;
}

/** Without the blanks, slashes and misprints of some: a group's name stands in paths. */
function toGroupName(name: string): string {
  return name.replace(/\W+/g, '_').replace('TIIMING', 'TIMING').toUpperCase();
}
