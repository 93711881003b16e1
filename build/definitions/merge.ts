import {
  isWithin,
  versions,
  type Version,
  type VersionRange,
} from '../../core/hl7v2/definitions/versions.ts';
import { applyCorrection, readCorrections } from './corrections.ts';
import { copyDraft, type Draft, type DraftElement } from './draft.ts';
import { mapEvents } from './events.ts';
import { readHl7Dictionary, readTableNames } from './hl7-dictionary.ts';
import * as client from './node-hl7-client.ts';
import { readTable0354 } from './table-0354.ts';

/** The last version that `hl7-dictionary` has; later ones start as the one before them. */
const lastOfDictionary: Version = '2.7.1';
/** Before 2.3 every event has an abstract message of its own. */
const firstOfStructures: VersionRange = { from: '2.3' };
/** The last version that `node-hl7-client` has. */
const lastOfClient: Version = '2.8';

/**
 * All versions, merged. Structures, datatypes and fields are those of `hl7-dictionary`; the usages that it
 * does not tell (B, C, W, X) and the codes of tables come from `node-hl7-client`, and from 2.8 on the fields
 * that are new there. Corrections are applied last.
 */
export async function buildDrafts(): Promise<readonly Draft[]> {
  const corrections = readCorrections();
  const structures = readTable0354();
  const names = readTableNames();
  const drafts: Draft[] = [];
  for (const version of versions) {
    const before = drafts.at(-1);
    const isInDictionary = versions.indexOf(version) <= versions.indexOf(lastOfDictionary);
    const draft =
      isInDictionary || before === undefined
        ? readHl7Dictionary(version)
        : copyDraft(before, version);
    if (isInDictionary) {
      const given = corrections.filter((correction) => isWithin(version, correction));
      const events = given.flatMap((correction) => Object.entries(correction.events ?? {}));
      mapEvents(
        draft,
        isWithin(version, firstOfStructures) ? structures : new Map(),
        new Map(events),
      );
    }
    addUsages(draft);
    if (version === lastOfClient) addNewFields(draft);
    addTables(draft, names);
    for (const correction of corrections) applyCorrection(draft, correction);
    for (const fields of draft.segments.values()) withdraw(fields);
    drafts.push(draft);
  }
  return Promise.resolve(drafts);
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

/** Tables 0001 to 9999 that have codes, or that a field refers to. A table of IS fields is the user's. */
function addTables(draft: Draft, names: ReadonlyMap<string, string>): void {
  const isLater = versions.indexOf(draft.version) > versions.indexOf(lastOfClient);
  const codes = isLater ? new Map<string, readonly string[]>() : client.readCodes(draft.version);
  const elements = [...draft.segments.values(), ...draft.datatypes.values()].flat();
  const referred = new Map<string, string>();
  for (const { table, datatype } of elements) {
    if (table !== undefined && referred.get(table) !== 'ID') referred.set(table, datatype);
  }
  for (const id of new Set([...codes.keys(), ...referred.keys()])) {
    const known = draft.tables.get(id);
    if (known !== undefined && !codes.has(id)) continue;
    draft.tables.set(id, {
      name: names.get(id) ?? '',
      kind: referred.get(id) === 'ID' ? 'hl7' : 'user',
      codes: new Set(codes.get(id)),
    });
  }
}
