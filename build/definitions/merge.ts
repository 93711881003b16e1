import {
  isWithin,
  versions,
  type Version,
  type VersionRange,
} from '../../core/hl7v2/definitions/versions.ts';
import { applyCorrection, type Correction, readCorrections } from './corrections.ts';
import { copyDraft, type Draft, type DraftElement } from './draft.ts';
import { addListedEvents, mapEvents } from './events.ts';
import { readHl7Dictionary, readTableNames } from './hl7-dictionary.ts';
import * as client from './node-hl7-client.ts';
import { readTable0354 } from './table-0354.ts';

/** The last version that `hl7-dictionary` has; later ones start as the one before them. */
const lastOfDictionary: Version = '2.7.1';
/** Before 2.3 every event has an abstract message of its own. */
const firstOfStructures: VersionRange = { from: '2.3' };
/** The last version that `node-hl7-client` has. */
const lastOfClient: Version = '2.8';

interface Sources {
  readonly corrections: readonly Correction[];
  readonly structures: ReadonlyMap<string, string>;
  readonly tableNames: ReadonlyMap<string, string>;
}

/**
 * All versions, merged. Structures, datatypes and fields are those of `hl7-dictionary`; the usages that it
 * does not tell (B, C, W, X) and the codes of tables come from `node-hl7-client`, and the fields that are new
 * in 2.8. Corrections win over all of them.
 */
export function buildDrafts(): readonly Draft[] {
  const sources: Sources = {
    corrections: readCorrections(),
    structures: readTable0354(),
    tableNames: readTableNames(),
  };
  const drafts: Draft[] = [];
  for (const version of versions) {
    const draft = startDraft(version, drafts.at(-1), sources);
    addUsages(draft);
    if (version === lastOfClient) addNewFields(draft);
    addTables(draft, sources.tableNames);
    for (const correction of sources.corrections) applyCorrection(draft, correction);
    for (const fields of draft.segments.values()) withdraw(fields);
    if (isWithin(version, firstOfStructures)) addListedEvents(draft, sources.structures);
    addReferredTables(draft, sources.tableNames);
    openTables(draft);
    drafts.push(draft);
  }
  return drafts;
}

/** A version as the dictionary has it, or as the version before it where the dictionary has ended. */
function startDraft(version: Version, before: Draft | undefined, sources: Sources): Draft {
  if (before !== undefined && !isWithin(version, { from: '2.1', to: lastOfDictionary })) {
    return copyDraft(before, version);
  }
  const draft = readHl7Dictionary(version);
  const corrected = sources.corrections
    .filter((correction) => isWithin(version, correction))
    .flatMap(({ events = {} }) => Object.entries(events));
  const listed = isWithin(version, firstOfStructures) ? sources.structures : new Map();
  mapEvents(draft, listed, new Map(corrected));
  return draft;
}

/** What is required is better told by `hl7-dictionary`; of the rest, the other package knows more. */
function addUsages(draft: Draft): void {
  for (const [segment, fields] of draft.segments) {
    for (const [index, field] of fields.entries()) {
      const usage = client.findUsage(segment, index + 1, draft.version);
      if (usage === undefined || usage === 'R' || usage === 'O') continue;
      if (field.usage !== 'R') field.usage = usage;
    }
  }
}

/** What was withdrawn may hold anything: a receiver ignores it, and no version tells its rules. */
function withdraw(fields: DraftElement[]): void {
  for (const [index, { name, usage }] of fields.entries()) {
    if (usage === 'W') fields[index] = { name, usage, datatype: 'varies', max: Infinity };
  }
}

function addNewFields(draft: Draft): void {
  for (const segment of client.readNewestSegments()) {
    const fields: DraftElement[] = draft.segments.get(segment) ?? [];
    const newest = client.readNewestFields(segment);
    for (let next = newest.get(fields.length + 1); next !== undefined;) {
      fields.push(next);
      next = newest.get(fields.length + 1);
    }
    draft.segments.set(segment, fields);
  }
}

/** The codes of the version's tables; none are known later, where the version before has some. */
function addTables(draft: Draft, names: ReadonlyMap<string, string>): void {
  if (!isWithin(draft.version, { from: '2.1', to: lastOfClient })) return;
  for (const [id, codes] of client.readCodes(draft.version)) {
    draft.tables.set(id, { name: names.get(id) ?? '', kind: 'hl7', codes: new Set(codes) });
  }
  const elements = [...draft.segments.values(), ...draft.datatypes.values()].flat();
  const binding = new Set(elements.filter(({ datatype }) => datatype === 'ID').map(toTable));
  for (const [id, table] of draft.tables) table.kind = binding.has(id) ? 'hl7' : 'user';
}

/**
 * A table whose print says that it goes on (`...`, `TD<integer>`, `99zzz`) does not list its codes: what it
 * lists are examples, so it cannot bind.
 */
function openTables(draft: Draft): void {
  for (const table of draft.tables.values()) {
    for (const code of table.codes) {
      if (!isPattern.test(code)) continue;
      table.codes.delete(code);
      table.kind = 'user';
    }
  }
}

const isPattern = /\.\.\.|…|<|zzz|^etc$|^no values defined$/i;

/** Tables that only the site has codes for. */
function addReferredTables(draft: Draft, names: ReadonlyMap<string, string>): void {
  const elements = [...draft.segments.values(), ...draft.datatypes.values()].flat();
  for (const { table } of elements) {
    if (table === undefined || draft.tables.has(table)) continue;
    draft.tables.set(table, { name: names.get(table) ?? '', kind: 'user', codes: new Set() });
  }
}

const toTable = ({ table }: DraftElement): string | undefined => table;
