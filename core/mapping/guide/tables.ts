import type { ConceptMapDocument } from '../document.ts';
import { type GuideCount, type GuideDifference, noCount } from './rows.ts';
import type { GuideSheet } from './sheet.ts';

/** The system of `identifier` in a table of ours that follows a sheet of the guide; its value is the sheet's name. */
export const guideSystem = 'http://hl7.org/fhir/uv/v2mappings';

/** One code of a code table's sheet. */
export interface GuideCode {
  readonly line: number;
  /** `http://terminology.hl7.org/CodeSystem/v2-0001`. */
  readonly source: string;
  readonly code: string;
  /** Absent where the guide names no target. */
  readonly target?: { readonly system: string; readonly code: string };
}

/** A code for which our table decides otherwise than the guide. */
interface TableConflict {
  readonly line: number;
  readonly code: string;
  /** What the guide has, and what our table has; undefined for none. */
  readonly guide: string | undefined;
  readonly ours: string | undefined;
}

export interface TableComparison {
  /** Codes that our table does not have. */
  readonly missing: readonly GuideCode[];
  readonly conflicts: readonly TableConflict[];
}

/** A row whose target is no code in a system that can be named. */
export interface FaultyCode {
  readonly line: number;
  readonly code: string;
  readonly message: string;
}

/** The codes of a sheet; of a code that stands twice, the first row counts. */
export function readCodes(sheet: GuideSheet): {
  readonly codes: readonly GuideCode[];
  readonly faults: readonly FaultyCode[];
} {
  const codes = new Map<string, GuideCode>();
  const faults: FaultyCode[] = [];
  for (const { line, identifier, source: table, target: named, targetType } of sheet.rows) {
    const [code, target] = [withoutQuotes(identifier), withoutQuotes(named)];
    const fault = (message: string): void => void faults.push({ line, code, message });
    const source = toSystem(table);
    if (source === undefined) {
      fault(`Expected a table such as HL70001 as the code's system, found "${table}".`);
      continue;
    }
    if (codes.has(code)) {
      fault('The code stands in the table before; the first row counts.');
      continue;
    }
    const isCode = /^\S{1,40}( \S+)?$/.test(target) && !/^create /i.test(target);
    const isSystem = /^(https?:|urn:)\S+$/.test(targetType);
    if (target !== '' && !(isCode && isSystem)) {
      fault('Expected a code with the URI of its system as target, found none that can be used.');
      continue;
    }
    const found = target === '' ? {} : { target: { system: targetType, code: target } };
    codes.set(code, { line, source, code, ...found });
  }
  return { codes: [...codes.values()], faults };
}

const withoutQuotes = (cell: string): string => cell.replace(/^"(.*)"$/, '$1');

/** `HL70001`, also as sheets misspell it (`HL7-0354`, `HL0207`), as the URI of the code system. */
function toSystem(table: string): string | undefined {
  const number = /^HL7?-?(\d{4})$/.exec(table)?.[1];
  return number === undefined ? undefined : `http://terminology.hl7.org/CodeSystem/v2-${number}`;
}

/** The table of ours that follows the sheet. */
export function findTable(
  sheet: string,
  tables: readonly ConceptMapDocument[],
): ConceptMapDocument | undefined {
  return tables.find(
    ({ identifier }) => identifier?.system === guideSystem && identifier.value === sheet,
  );
}

/** What of a sheet's codes our table lacks, and where it decides otherwise; ours stays as it is. */
export function compareTable(
  codes: readonly GuideCode[],
  table: ConceptMapDocument,
): TableComparison {
  const ours = new Map<string, string | undefined>();
  for (const { target, element } of table.group) {
    for (const { code, target: targets } of element) {
      const found = targets?.[0]?.code;
      if (ours.get(code) === undefined) {
        ours.set(code, found === undefined ? undefined : `${target ?? ''}|${found}`);
      }
    }
  }
  const missing = codes.filter(({ code }) => !ours.has(code));
  const conflicts = codes.flatMap(({ line, code, target }): TableConflict[] => {
    const guide = target === undefined ? undefined : `${target.system}|${target.code}`;
    if (!ours.has(code) || ours.get(code) === guide) return [];
    return [{ line, code, guide, ours: ours.get(code) }];
  });
  return { missing, conflicts };
}

/** What the code tables of the guide and ours say differently, and how many codes ours hold. */
export function compareTables(
  sheets: readonly GuideSheet[],
  tables: readonly ConceptMapDocument[],
): { readonly count: GuideCount; readonly differences: readonly GuideDifference[] } {
  const differences: GuideDifference[] = [];
  const count = { ...noCount };
  for (const sheet of sheets.filter(({ kind }) => kind === 'codesystems')) {
    const { codes, faults } = readCodes(sheet);
    const tell = (
      kind: GuideDifference['kind'],
      at: { line: number; code: string },
      message: string,
    ): void => {
      const location = `${sheet.path}:${at.line}`;
      differences.push({ kind, location, identifier: at.code, message });
    };
    for (const fault of faults) tell('code-faulty', fault, fault.message);
    const table = findTable(sheet.name, tables);
    count.sheets += 1;
    count.rows += codes.length;
    if (table === undefined) {
      count.unmapped += codes.length;
      if (codes.length > 0) {
        const message = `No table of ours follows this sheet (${codes.length} codes).`;
        tell('sheet-unmapped', { line: 1, code: sheet.name }, message);
      }
      continue;
    }
    const { missing, conflicts } = compareTable(codes, table);
    count.followed += 1;
    count.unmapped += missing.length;
    count.mapped += codes.length - missing.length;
    for (const code of missing)
      tell('code-unmapped', code, `The table ${table.id} does not have the code.`);
    for (const { guide = 'nothing', ours = 'nothing', ...at } of conflicts) {
      tell('code-differs', at, `${table.id} has ${ours}, the guide ${guide}.`);
    }
  }
  return { count, differences };
}
