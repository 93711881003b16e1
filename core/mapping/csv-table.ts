import type { Issue } from '../issue.ts';
import { type CsvRow, findSeparator, readCsv } from './csv.ts';
import {
  type ConceptMapDocument,
  type MappingFile,
  type UnmappedPolicy,
  unmappedExtension,
  unmappedPolicies,
} from './document.ts';

const columns = ['code', 'target', 'system', 'display', 'equivalence', 'source'] as const;
type Column = (typeof columns)[number];

/** Of ConceptMap.group.element.target.equivalence, FHIR R4, those that name a target, and `unmatched`. */
const equivalences: readonly string[] = [
  'relatedto',
  'equivalent',
  'equal',
  'wider',
  'subsumes',
  'narrower',
  'specializes',
  'inexact',
  'unmatched',
];

/** In place of a code: what becomes of every code that the table does not hold. */
const everythingElse = '*';

type Group = ConceptMapDocument['group'][number];
type MutableGroup = { -readonly [key in keyof Group]: Group[key] } & {
  readonly element: Group['element'][number][];
};

/**
 * A code table as a spreadsheet exports it, as a ConceptMap; its id is the file's name. The first line names the
 * columns, in any order: `code` and `target`, and where wanted `system` (of the target), `display`, `equivalence`
 * and `source` (the system of the code). A code without a target has none. The code `*` stands for all others: with
 * a target they become that, else `equivalence` says `keep`, `omit`, `error` or `hold`. Cells between `,`, `;` or
 * tabs; codes are text, so that leading zeros stay. All problems are pushed to `issues`, each as `file:line`.
 */
export function parseCsvTable(
  { path, text }: MappingFile,
  issues: Issue[],
): ConceptMapDocument | undefined {
  let faults = 0;
  const report = (line: number, message: string): void => {
    faults += 1;
    issues.push({
      code: 'mapping-invalid',
      severity: 'error',
      location: `${path}:${line}`,
      message,
    });
  };
  const id = /([^/]*)\.csv$/.exec(path)?.[1] ?? '';
  if (!/^[A-Za-z0-9._@-]+$/.test(id)) {
    report(1, 'Expected a name of letters, digits, dots and hyphens: it is the id of the table');
  }
  const broken = /[\uFFFD\0]/.exec(text);
  if (broken !== null) {
    const line = text.slice(0, broken.index).split(/\r\n|\r|\n/).length;
    report(line, 'The file is not UTF-8; save it again as "CSV UTF-8"');
    return undefined;
  }
  const { rows, problems } = readCsv(text, findSeparator(text.replace(/^\uFEFF/, '')));
  for (const { line, message } of problems) report(line, message);
  const [head, ...body] = rows;
  const places = readHead(head, report);
  if (places === undefined) return undefined;
  const table = toTable(
    body.map((row) => toCells(row, places, report)),
    report,
  );
  return faults > 0 ? undefined : { resourceType: 'ConceptMap', id, ...table };
}

type Report = (line: number, message: string) => void;
type Places = ReadonlyMap<Column, number>;

function readHead(head: CsvRow | undefined, report: Report): Places | undefined {
  const names = head?.cells.map((cell) => cell.trim().toLowerCase()) ?? [];
  const places = new Map<Column, number>();
  const known: readonly string[] = columns;
  names.forEach((name, index) => {
    if (name === '') return;
    if (!known.includes(name)) {
      report(head?.line ?? 1, `There is no column "${name}"; there are ${columns.join(', ')}`);
    } else if (places.has(name as Column))
      report(head?.line ?? 1, `The column ${name} stands there twice`);
    else places.set(name as Column, index);
  });
  if (places.has('code') && places.has('target')) return places;
  report(head?.line ?? 1, 'Expected the columns code and target in the first line');
  return undefined;
}

type Cells = Readonly<Record<Column, string>> & { readonly line: number };

function toCells({ line, cells }: CsvRow, places: Places, report: Report): Cells {
  const at = (column: Column): string => (cells[places.get(column) ?? -1] ?? '').trim();
  const last = Math.max(...places.values());
  if (cells.slice(last + 1).some((cell) => cell.trim() !== '')) {
    report(
      line,
      `Expected ${last + 1} cells, found ${cells.length}; quote a cell that holds the separator`,
    );
  }
  return {
    line,
    code: at('code'),
    target: at('target'),
    system: at('system'),
    display: at('display'),
    equivalence: at('equivalence').toLowerCase(),
    source: at('source'),
  };
}

function toTable(
  rows: readonly Cells[],
  report: Report,
): Pick<ConceptMapDocument, 'group' | 'extension'> {
  const groups = new Map<string, MutableGroup>();
  const lines = new Map<string, number>();
  let onUnmapped: UnmappedPolicy | undefined;
  for (const row of rows) {
    if (!isSound(row, lines, report)) continue;
    const key = JSON.stringify([row.source, row.system]);
    let group = groups.get(key);
    if (group === undefined) {
      group = {
        ...(row.source === '' ? {} : { source: row.source }),
        ...(row.system === '' ? {} : { target: row.system }),
        element: [],
      };
      groups.set(key, group);
    }
    if (row.code !== everythingElse) group.element.push(toElement(row));
    else if (row.target !== '') group.unmapped = { mode: 'fixed', code: row.target };
    else onUnmapped = unmappedPolicies.find((policy) => policy === row.equivalence);
  }
  const group = [...groups.values()];
  if (onUnmapped === undefined) return { group };
  return { group, extension: [{ url: unmappedExtension, valueCode: onUnmapped }] };
}

function isSound(row: Cells, lines: Map<string, number>, report: Report): boolean {
  const { line, code, target, equivalence } = row;
  const before = lines.get(code);
  lines.set(code, line);
  if (code === '') report(line, 'Expected a code in the column code, found none');
  else if (before !== undefined) report(line, `The code stands in line ${before} already`);
  else if ([code, target].some((cell) => /^\d([.,]\d+)?E\+\d+$/i.test(cell))) {
    report(
      line,
      'A spreadsheet has rewritten a long number; format the column as text before typing',
    );
  } else if ([code, target].some((cell) => /^="[^"]*"$/.test(cell))) {
    report(line, 'Expected a code, found a formula of a spreadsheet; write 02 and not ="02"');
  } else if (code === everythingElse && target === '') {
    const policies: readonly string[] = unmappedPolicies;
    if (policies.includes(equivalence)) return true;
    report(
      line,
      `Expected a target for all other codes, or in equivalence one of ${policies.join(', ')}`,
    );
  } else if (equivalence !== '' && !equivalences.includes(equivalence)) {
    report(line, `Expected an equivalence of FHIR R4, one of ${equivalences.join(', ')}`);
  } else return true;
  return false;
}

function toElement({ code, target, display, equivalence }: Cells): Group['element'][number] {
  if (target === '' || equivalence === 'unmatched') return { code };
  return { code, target: [{ code: target, ...(display === '' ? {} : { display }) }] };
}
