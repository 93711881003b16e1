import { readCsv } from '../csv.ts';
import type { MappingFile } from '../document.ts';
import type { Issue } from '../../issue.ts';

/** The folders of the guide's CSV files. */
export const guideKinds = ['messages', 'segments', 'datatypes', 'codesystems'] as const;
export type GuideKind = (typeof guideKinds)[number];

/**
 * One row of the HL7 Version 2 to FHIR guide: what it says of one message segment, field, component or code.
 * Cells that a kind of sheet does not have are empty. Wording (names, comments) is not read.
 */
export interface GuideRow {
  readonly line: number;
  /** `ORU_R01.MSH`, `PID-3`, `CX.4`, `PID` or, in a code table, the code. */
  readonly identifier: string;
  /** The column for the computable condition, as it stands there. */
  readonly condition: string;
  /** What only a person can decide. */
  readonly narrative: string;
  /** `Patient[1]`, `identifier[2]`, or the code in FHIR. */
  readonly target: string;
  /** The system of a code table's target; the type of an element. */
  readonly targetType: string;
  /** `CX[Identifier]`; in a message `PID[Patient]`. */
  readonly map: string;
  /** The code table that translates the value: `AdministrativeSex`. */
  readonly table: string;
  /** What is assigned, or in a message the references that are made. */
  readonly assignment: string;
  /** Of a code table: the table of the code, `HL70001`. */
  readonly source: string;
}

/** One CSV file of the guide. */
export interface GuideSheet {
  readonly kind: GuideKind;
  /** `PID[Patient]`, `ORU_R01`, `AdministrativeSex`. */
  readonly name: string;
  readonly path: string;
  readonly rows: readonly GuideRow[];
}

/** Where each cell stands; absent where the sheet has no such column. */
type Columns = Partial<Record<Exclude<keyof GuideRow, 'line'>, number>>;

/** Which columns a kind of sheet has, by the letters of their heads; the first that is there counts. */
const heads: Record<'messages' | 'elements', readonly (readonly [keyof Columns, RegExp])[]> = {
  messages: [
    ['identifier', /^identifier$/],
    ['target', /^primarytarget$/],
    ['map', /^segmentmap$/],
    ['assignment', /^references$/],
  ],
  elements: [
    ['identifier', /^identifier$/],
    ['target', /^fhirattribute/],
    ['map', /^datatypemapping$/],
    ['table', /^vocabularymapping/],
    ['assignment', /^(assignment|derivedmapping)$/],
  ],
};

/**
 * Reads one CSV file of the guide by the heads of its columns, since sheets deviate: "Computable - ANTLR" for
 * "Computable ANTLR", columns missing, the first ones unnamed. Undefined where it is no sheet of the guide,
 * which `issues` then say by file and line.
 */
export function parseSheet(file: MappingFile, issues: Issue[]): GuideSheet | undefined {
  const report = (line: number, message: string): void => {
    issues.push({
      code: 'guide-sheet-invalid',
      severity: 'error',
      location: `${file.path}:${line}`,
      message,
    });
  };
  const kind = guideKinds.find((known) => file.path.startsWith(`${known}/`));
  const name = /_ ?(\S.*?) - [^/]*\.csv$/.exec(file.path)?.[1];
  if (kind === undefined || name === undefined) {
    report(1, `Expected a file such as segments/HL7 Segment - FHIR R4_ PID[Patient] - PID.csv`);
    return undefined;
  }
  const { rows, problems } = readCsv(file.text);
  for (const { line, message } of problems) report(line, message);
  const position = rows.slice(0, 3).findIndex(({ cells }) => toHeads(cells).includes('narrative'));
  const head = rows[position];
  if (head === undefined) {
    report(1, 'Expected two rows of heads, the second with the column "Narrative"; found none.');
    return undefined;
  }
  const columns =
    kind === 'codesystems' ? findCodeColumns(head.cells) : findColumns(kind, head.cells);
  const missing = (['identifier', 'target'] as const).filter((key) => columns[key] === undefined);
  if (missing.length > 0) {
    report(head.line, `Found no column for ${missing.join(' and ')} among the heads.`);
    return undefined;
  }
  const body = rows.slice(position + 1).map(({ line, cells }) => toRow(line, cells, columns));
  return { kind, name, path: file.path, rows: fillIdentifiers(body, kind, name) };
}

const toHead = (cell: string): string => cell.toLowerCase().replaceAll(/[^a-z]/g, '');
const toHeads = (cells: readonly string[]): string[] => cells.map(toHead);

function findColumns(kind: GuideKind, cells: readonly string[]): Columns {
  const names = toHeads(cells);
  const columns: Columns = { ...findConditions(names) };
  for (const [key, pattern] of heads[kind === 'messages' ? 'messages' : 'elements']) {
    const found = names.findIndex((name) => pattern.test(name));
    if (found >= 0) columns[key] = found;
  }
  // One sheet has no heads over its first columns; they stand as in all others.
  if (columns.identifier === undefined && names[1] === '') columns.identifier = 1;
  if (kind !== 'messages') columns.targetType = names.lastIndexOf('datatype');
  return columns;
}

function findCodeColumns(cells: readonly string[]): Columns {
  const names = toHeads(cells);
  const target = names.indexOf('code', names.indexOf('code') + 1);
  return {
    ...findConditions(names),
    ...(names.includes('code') ? { identifier: names.indexOf('code') } : {}),
    ...(target < 0 ? {} : { target }),
    source: names.indexOf('codesystem'),
    targetType: names.lastIndexOf('codesystem'),
  };
}

const findConditions = (names: readonly string[]): Columns => ({
  condition: names.findIndex((name) => name === 'computableantlr' || name === 'computable'),
  narrative: names.indexOf('narrative'),
});

/** Half of a no-break space that was decoded as Latin-1 on its way into a sheet. */
const strayByte = /\u00C2(?=\s|$)/g;

function toRow(line: number, cells: readonly string[], columns: Columns): GuideRow {
  const at = (key: keyof Columns): string =>
    (cells[columns[key] ?? -1] ?? '').replaceAll(strayByte, '').replaceAll(/\s+/g, ' ').trim();
  return {
    line,
    identifier: at('identifier'),
    condition: at('condition'),
    narrative: at('narrative'),
    target: at('target'),
    targetType: at('targetType'),
    map: at('map'),
    table: at('table'),
    assignment: at('assignment'),
    source: at('source'),
  };
}

/** A row without an identifier speaks of the whole segment or datatype; in a code table it has no code. */
function fillIdentifiers(rows: readonly GuideRow[], kind: GuideKind, name: string): GuideRow[] {
  if (kind === 'codesystems') return rows.filter(({ identifier }) => identifier !== '');
  const whole = name.replace(/\[.*$/, '');
  const fixed = kind === 'datatypes' ? /^([A-Z]{2,3})-(\d)/ : /^([A-Z][A-Z0-9]{2})\.(\d)/;
  return rows.map((row) => ({
    ...row,
    identifier:
      row.identifier === ''
        ? whole
        : row.identifier.replace(fixed, kind === 'datatypes' ? '$1.$2' : '$1-$2'),
  }));
}
