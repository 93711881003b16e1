import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import type { Usage } from '../../core/hl7v2/definitions/definitions.ts';
import { isWithin, type Version } from '../../core/hl7v2/definitions/versions.ts';
import type { Draft, DraftElement } from './draft.ts';
import { parseElementLine } from './element-line.ts';

/**
 * What the sources have wrong, do not have, or end before; in `corrections/*.yaml`, in the order of the files'
 * names. Everything in it is stated as it is to be, so that it may be applied again to a version that starts
 * as a corrected one.
 */
export interface Correction {
  readonly reason: string;
  readonly from: Version;
  readonly to?: Version;
  /** A structure's text; null where the version has no such structure. */
  readonly structures?: Readonly<Record<string, string | null>>;
  /** The structure of `ADT_A04`; null where the version has no such message. */
  readonly events?: Readonly<Record<string, string | null>>;
  /** A whole segment, a line a field; null where the version has no such segment. */
  readonly segments?: Readonly<Record<string, readonly string[] | null>>;
  /** `OBX-2`: a line where the field is new, else what differs; null where it is not there. */
  readonly fields?: Readonly<Record<string, ElementChange | string | null>>;
  readonly datatypes?: Readonly<Record<string, readonly string[] | null>>;
  /** `CX.5`, like fields. */
  readonly components?: Readonly<Record<string, ElementChange | string | null>>;
  /** By segment, `PID`, and position. */
  readonly fieldLengths?: Readonly<Record<string, Lengths>>;
  /** By datatype, `CX`, and position. */
  readonly componentLengths?: Readonly<Record<string, Lengths>>;
  readonly tables?: Readonly<Record<string, TableChange | null>>;
}

interface ElementChange {
  readonly name?: string;
  readonly datatype?: string;
  readonly usage?: Usage;
  /** `*`: without end. */
  readonly max?: number | '*';
  /** null: none. */
  readonly maxLength?: number | null;
  readonly minLength?: number | null;
  readonly conformanceLength?: number | null;
  readonly isTruncatable?: boolean;
  readonly table?: string | null;
}

/** All that is said about the length at a position of a segment or a datatype: `1..4`, `20=`, `199#`. */
type Lengths = Readonly<Record<number, string>>;

interface TableChange {
  readonly name?: string;
  readonly kind?: 'hl7' | 'user';
  /** All codes, instead of those that the sources have. */
  readonly codes?: readonly string[];
  readonly add?: readonly string[];
  readonly remove?: readonly string[];
}

const folder = path.join(import.meta.dirname, 'corrections');

export function readCorrections(): readonly Correction[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .flatMap((name) => parse(readFileSync(path.join(folder, name), 'utf8')) as Correction[]);
}

/** Changes the draft as far as the correction concerns its version. */
export function applyCorrection(draft: Draft, correction: Correction): void {
  if (!isWithin(draft.version, correction)) return;
  setAll(draft.structures, correction.structures, (text) => text.trim().replace(/\s+/g, ' '));
  for (const [event, structure] of Object.entries(correction.events ?? {})) {
    if (structure === null) draft.events.delete(event);
    else if (draft.structures.has(structure)) draft.events.set(event, structure);
  }
  setAll(draft.segments, correction.segments, (lines) => lines.map(parseElementLine));
  setAll(draft.datatypes, correction.datatypes, (lines) => lines.map(parseElementLine));
  changeElements(draft.segments, correction.fields, '-');
  changeElements(draft.datatypes, correction.components, '.');
  changeElements(draft.segments, toChanges(correction.fieldLengths, '-'), '-');
  changeElements(draft.datatypes, toChanges(correction.componentLengths, '.'), '.');
  for (const [id, change] of Object.entries(correction.tables ?? {})) {
    if (change === null) draft.tables.delete(id);
    else changeTable(draft, id, change);
  }
}

function setAll<T, U>(
  target: Map<string, U>,
  values: Readonly<Record<string, T | null>> | undefined,
  toValue: (value: T) => U,
): void {
  for (const [name, value] of Object.entries(values ?? {})) {
    if (value === null) target.delete(name);
    else target.set(name, toValue(value));
  }
}

function changeElements(
  owners: Map<string, DraftElement[]>,
  changes: Correction['fields'],
  separator: string,
): void {
  for (const [place, change] of Object.entries(changes ?? {})) {
    const [owner = '', position] = place.split(separator);
    const elements = owners.get(owner);
    const index = Number(position) - 1;
    if (elements === undefined) throw new Error(`A correction of ${place} has nothing to correct`);
    const element = elements[index];
    if (change === null) elements.length = Math.min(elements.length, index);
    else if (typeof change === 'string') elements[index] = parseElementLine(change);
    else if (element === undefined) throw new Error(`A correction of ${place} is no whole line`);
    else elements[index] = changeElement(element, change);
  }
}

/** The lengths of each owner as changes of its elements: `CX.1`. */
function toChanges(
  owners: Readonly<Record<string, Lengths>> | undefined,
  separator: string,
): Readonly<Record<string, ElementChange>> {
  const changes = Object.entries(owners ?? {}).flatMap(([owner, lengths]) =>
    Object.entries(lengths).map(
      ([position, text]) => [`${owner}${separator}${position}`, parseLength(text)] as const,
    ),
  );
  return Object.fromEntries(changes);
}

function parseLength(text: string): ElementChange {
  const [, least, most, conformance, mark] =
    /^(?:([1-9]\d*)\.\.([1-9]\d*)|([1-9]\d*)([=#]))$/.exec(text) ?? [];
  if (most === undefined && conformance === undefined) {
    throw new Error(`A correction has ${text} where a length is 1..4, 20= or 199#`);
  }
  return {
    minLength: least === undefined ? null : Number(least),
    maxLength: most === undefined ? null : Number(most),
    conformanceLength: conformance === undefined ? null : Number(conformance),
    isTruncatable: mark === '#',
  };
}

function changeElement(element: DraftElement, change: ElementChange): DraftElement {
  const { max, maxLength, minLength, conformanceLength, table, ...plain } = change;
  return {
    ...element,
    ...plain,
    ...(max === undefined ? {} : { max: max === '*' ? Infinity : max }),
    ...(maxLength === undefined ? {} : { maxLength: maxLength ?? undefined }),
    ...(minLength === undefined ? {} : { minLength: minLength ?? undefined }),
    ...(conformanceLength === undefined
      ? {}
      : { conformanceLength: conformanceLength ?? undefined }),
    ...(table === undefined ? {} : { table: table ?? undefined }),
  };
}

function changeTable(draft: Draft, id: string, change: TableChange): void {
  const table = draft.tables.get(id);
  const codes = new Set(change.codes ?? table?.codes);
  for (const code of change.add ?? []) codes.add(code);
  for (const code of change.remove ?? []) codes.delete(code);
  draft.tables.set(id, {
    name: change.name ?? table?.name ?? '',
    kind: change.kind ?? table?.kind ?? 'user',
    codes,
  });
}
