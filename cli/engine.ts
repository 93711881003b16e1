import { askEngine, type ControlAnswer } from '../runtime/control-client.ts';
import { readSettings } from '../runtime/settings.ts';

/** Asks the running engine of HILUM_DATA. Throws with words for people. */
export function ask(method: 'GET' | 'POST', path: string): Promise<ControlAnswer> {
  const read = readSettings(process.env);
  if (!read.ok) throw new Error(read.problems.join(' '));
  return askEngine(read.settings.controlSocket, method, path);
}

/** Columns of text, each as wide as its widest cell. */
export function toTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, cell.length)));
  }
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** What an error answer of the API says. */
export function toReason({ status, body }: ControlAnswer): string {
  const error = (body as { error?: { message?: string } } | null)?.error;
  return error?.message ?? `the engine answered ${status}`;
}
