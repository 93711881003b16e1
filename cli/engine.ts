import { askEngine, type ControlAnswer, type Method } from '../runtime/control-client.ts';
import { readSettings } from '../runtime/settings.ts';

/** Asks the running engine of HILUM_DATA. Throws with words for people. */
export function ask(method: Method, path: string, body?: object): Promise<ControlAnswer> {
  const read = readSettings(process.env);
  if (!read.ok) throw new Error(read.problems.join(' '));
  const question = { method, path, ...(body === undefined ? {} : { body }) };
  return askEngine(read.settings.controlSocket, question);
}

/** The answer's JSON. Throws with the engine's own words where it refuses. */
export async function askFor(method: Method, path: string, body?: object): Promise<unknown> {
  const answer = await ask(method, path, body);
  if (answer.status >= 300) throw new Error(toReason(answer));
  return answer.body;
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
