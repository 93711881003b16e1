import { findFailure, toLine } from '../core/errors.ts';
import type { Issue } from '../core/issue.ts';
import type { Provenance } from '../core/mapping/mapper.ts';
import { report } from './input.ts';

/** The agreed keys of an issue, in their order. */
export function toPlain({ code, severity, location, message }: Issue): Issue {
  return { code, severity, ...(location === undefined ? {} : { location }), message };
}

/** An issue below the name of what it is about. */
export const toIndentedLine = (issue: Issue): string => `  ${issue.severity}: ${toLine(issue)}\n`;

export const toProvenanceLine = ({ target, source, rule }: Provenance): string =>
  `${target} <- ${source} <- ${rule}\n`;

/** What no rule reads, as a line for people on standard error; nothing where that is nothing. */
export function reportUnconsumed(file: string, paths: readonly string[], number?: number): void {
  if (paths.length === 0) return;
  const where = number === undefined ? '' : `message ${number}: `;
  report(file, `${where}no rule reads ${paths.join(', ')}`);
}

/** What was opened; undefined where the mapping files have faults, which are printed. */
export function tryOpen<T>(open: () => T): T | undefined {
  try {
    return open();
  } catch (error) {
    const failure = findFailure(error);
    if (failure === undefined) throw error;
    for (const issue of failure.issues) process.stderr.write(`${toLine(issue)}\n`);
    return undefined;
  }
}
