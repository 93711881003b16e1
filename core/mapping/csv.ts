/** One row of a CSV file, with the line on which it begins (1-based). */
export interface CsvRow {
  readonly line: number;
  readonly cells: readonly string[];
}

/** What is wrong with a CSV file, and on which line. */
export interface CsvProblem {
  readonly line: number;
  readonly message: string;
}

export type CsvSeparator = ',' | ';' | '\t';

/**
 * Reads CSV as spreadsheets write it: a BOM, quoted cells with line breaks and doubled quotes, CR, LF or both.
 * Cells are text as it stands there, so leading zeros stay. Rows without any content are left out. RFC 4180.
 */
export function readCsv(
  text: string,
  separator: CsvSeparator = ',',
): { readonly rows: readonly CsvRow[]; readonly problems: readonly CsvProblem[] } {
  const rows: CsvRow[] = [];
  const problems: CsvProblem[] = [];
  let line = 1;
  let row = { line, cells: [] as string[] };
  const endRow = (): void => {
    if (row.cells.some((cell) => cell.trim() !== '')) rows.push(row);
    row = { line, cells: [] };
  };
  let at = text.startsWith('\uFEFF') ? 1 : 0;
  while (at < text.length) {
    const cell = readCell(text, at, separator);
    row.cells.push(cell.content);
    if (cell.problem !== undefined) problems.push({ line, message: cell.problem });
    line += cell.lines;
    at = cell.end;
    if (text[at] === separator) {
      at += 1;
      if (at === text.length) row.cells.push('');
      continue;
    }
    at += text.startsWith('\r\n', at) ? 2 : 1;
    line += 1;
    endRow();
  }
  if (row.cells.length > 0) endRow();
  return { rows, problems };
}

interface Cell {
  readonly content: string;
  /** Where the separator, the line's end or the text's end stands. */
  readonly end: number;
  /** How many line ends the cell holds. */
  readonly lines: number;
  readonly problem?: string;
}

function readCell(text: string, start: number, separator: CsvSeparator): Cell {
  if (text[start] !== '"') {
    const end = findEnd(text, start, separator);
    return { content: text.slice(start, end), end, lines: 0 };
  }
  let content = '';
  let at = start + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote < 0) {
      const problem = 'The quote that opens here is never closed.';
      return { content: content + text.slice(at), end: text.length, lines: 0, problem };
    }
    content += text.slice(at, quote);
    at = quote + 1;
    if (text[at] !== '"') break;
    content += '"';
    at += 1;
  }
  const lines = content.match(/\r\n|\r|\n/g)?.length ?? 0;
  const end = findEnd(text, at, separator);
  if (end === at) return { content, end, lines };
  const problem =
    'Text follows the closing quote; a quote inside of a quoted cell is written twice.';
  return { content: content + text.slice(at, end), end, lines, problem };
}

function findEnd(text: string, start: number, separator: CsvSeparator): number {
  let at = start;
  while (at < text.length && text[at] !== separator && text[at] !== '\r' && text[at] !== '\n') {
    at += 1;
  }
  return at;
}

/** The separator of a file: the one that its first line holds most often, outside of quotes. */
export function findSeparator(text: string): CsvSeparator {
  const first = (/^[^\r\n]*/.exec(text)?.[0] ?? '').replaceAll(/"[^"]*"/g, '');
  const counts = ([',', ';', '\t'] as const).map(
    (separator) => [separator, first.split(separator).length] as const,
  );
  return counts.reduce((best, next) => (next[1] > best[1] ? next : best))[0];
}
