import type { HeldCode, TableRow } from '../held-code.ts';
import { readCsv, findSeparator } from './csv.ts';
import type { ConceptMapDocument, MappingFile } from './document.ts';
import { findLayer } from './compile.ts';
import { type Located, parseFiles } from './parse-files.ts';
import type { Table } from './tables.ts';
import { findOwn } from '../own.ts';

const unknown = 'TARGET';
const columns = ['code', 'target', 'system', 'display', 'equivalence'] as const;

/** Where a code is to be added; undefined where the files have no such table. */
type FindTableRow = (
  held: HeldCode,
  of: { readonly layers: readonly string[]; readonly table: Table | undefined },
) => TableRow | undefined;

/** For one state of the files, of which the tables are read once, when something is first asked for. */
export function buildFindTableRow(files: readonly MappingFile[]): FindTableRow {
  let tables: readonly Located<ConceptMapDocument>[] | undefined;
  return (held, of) => {
    tables ??= parseFiles(files, []).tables;
    const own = tables.filter(({ document }) => document.id === held.table);
    const textOf = (path: string): string => files.find((each) => each.path === path)?.text ?? '';
    return findTableRow(held, { ...of, own, textOf });
  };
}

/**
 * The file to which a code is best added: the table of the site's own layer, the uppermost first, else the table itself
 * where it is a CSV file, else a new file in the uppermost layer; only without any layer a ConceptMap in JSON.
 */
function findTableRow(
  held: HeldCode,
  { layers, table, own, textOf }: Tables,
): TableRow | undefined {
  const ofLayer = [...layers]
    .reverse()
    .flatMap((layer) => own.filter((each) => findLayer(each) === layer));
  const base = own.find((each) => findLayer(each) === undefined);
  const isCsv = ({ path }: { readonly path: string }): boolean => path.endsWith('.csv');
  const found = ofLayer.find(isCsv) ?? (base !== undefined && isCsv(base) ? base : undefined);
  const cells = toCells(held, table);
  if (found !== undefined) {
    const text = textOf(found.path);
    return { file: found.path, ...toCsvRow(text.replace(/^\uFEFF/, ''), cells) };
  }
  const layer = layers.at(-1);
  if (base !== undefined && layer !== undefined && ofLayer.length === 0) {
    const head = [...columns, ...(cells.source === '' ? [] : ['source'])].join(',');
    return { file: `layers/${layer}/${held.table}.csv`, head, ...toCsvRow(head, cells) };
  }
  const inJson = ofLayer[0] ?? base;
  return inJson && { file: inJson.path, row: toElement(inJson.document, cells) };
}

interface Tables {
  readonly layers: readonly string[];
  readonly table: Table | undefined;
  /** The files of the table, those of layers too. */
  readonly own: readonly Located<ConceptMapDocument>[];
  readonly textOf: (path: string) => string;
}

type Cells = Readonly<Record<(typeof columns)[number] | 'source', string>>;

function toCells(
  { code, system = '', display = '', isTarget = false }: HeldCode,
  table: Table | undefined,
): Cells {
  const [target = '', ...others] = table?.targets ?? [];
  return {
    code: isTarget ? 'CODE' : code,
    target: isTarget ? code : unknown,
    system: others.length === 0 ? target : '',
    // The name of the target is not that of the code; where they are one and the same it is.
    display: isTarget ? display : '',
    equivalence: 'equivalent',
    source: (table?.sources.size ?? 0) > 0 ? system : '',
  };
}

function toCsvRow(text: string, cells: Cells): Pick<TableRow, 'row'> {
  const separator = findSeparator(text);
  const [head] = readCsv(text, separator).rows;
  const names = (head?.cells ?? columns).map((name) => name.trim().toLowerCase());
  const quote = (cell: string): string =>
    /[",;\t\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
  const all: Readonly<Record<string, string>> = cells;
  return { row: names.map((name) => quote(findOwn(all, name) ?? '')).join(separator) };
}

function toElement({ group }: ConceptMapDocument, { code, target, display }: Cells): string {
  const [{ target: system } = {}] = group;
  const to = { code: target, ...(display === '' ? {} : { display }), equivalence: 'equivalent' };
  const element = JSON.stringify({ code, target: [to] });
  return group.length > 1 && system !== undefined ? `${element} (group ${system})` : element;
}
