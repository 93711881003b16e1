import { parse as parseYaml } from 'yaml';
import type { Issue } from '../../issue.ts';
import type { MappingFile } from '../document.ts';
import type { GuideSheet } from './sheet.ts';

/** What was decided about rows of the guide that no rule cites: what follows them, or why nothing does. */
export interface GuideDecision {
  /** `PV1[Patient]`. */
  readonly sheet: string;
  /** `PV1-16`; all rows of the sheet where absent. */
  readonly rows?: readonly string[];
  /** The map, or the function, that does what the rows say. */
  readonly followed?: string;
  /** Why no rule follows them. */
  readonly declined?: string;
}

/** What a decision names and is not there: a sheet, a row, a map or function. */
interface DecisionFault {
  readonly sheet: string;
  readonly missing: string;
}

/** The decisions by sheet and row; of several for one row, the first that names it counts. */
export class Decisions {
  readonly #list: readonly GuideDecision[];

  constructor(list: readonly GuideDecision[] = []) {
    this.#list = list;
  }

  find(sheet: string, identifier: string): GuideDecision | undefined {
    const own = this.#list.filter((decision) => decision.sheet === sheet);
    return (
      own.find(({ rows }) => rows?.includes(identifier)) ??
      own.find(({ rows }) => rows === undefined)
    );
  }

  /** The map that follows the whole sheet. */
  follower(sheet: string): string | undefined {
    return this.#list.find((one) => one.sheet === sheet && one.rows === undefined)?.followed;
  }

  /** What decisions name that does not exist; `names` are our maps and functions. */
  faults(sheets: readonly GuideSheet[], names: ReadonlySet<string>): DecisionFault[] {
    return this.#list.flatMap(({ sheet, rows = [], followed }) => {
      const found = sheets.find(({ name }) => name === sheet);
      if (found === undefined) return [{ sheet, missing: sheet }];
      const missing = rows.filter(
        (row) => !found.rows.some(({ identifier, target }) => identifier === row && target !== ''),
      );
      if (followed !== undefined && !names.has(followed)) missing.push(followed);
      return missing.map((one) => ({ sheet, missing: one }));
    });
  }
}

/** Reads `guide-decisions.yaml`; what is no decision is told in `issues`, by its number. */
export function parseDecisions({ path, text }: MappingFile, issues: Issue[]): GuideDecision[] {
  const report = (location: string, message: string): void => {
    issues.push({ code: 'guide-decisions-invalid', severity: 'error', location, message });
  };
  let content: unknown;
  try {
    content = parseYaml(text);
  } catch (error) {
    const [reason] = (error instanceof Error ? error.message : String(error)).split('\n');
    report(path, `The file is no YAML: ${reason ?? ''}`);
    return [];
  }
  if (!Array.isArray(content)) {
    report(path, 'Expected a list of decisions, each with sheet and followed or declined.');
    return [];
  }
  return content.filter((one: unknown, index): one is GuideDecision => {
    if (isDecision(one)) return true;
    report(
      `${path}:${index + 1}`,
      'Expected sheet, followed or declined (one of them), and rows or not; nothing else.',
    );
    return false;
  });
}

const keys = new Set(['sheet', 'rows', 'followed', 'declined']);
const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';

function isDecision(one: unknown): one is GuideDecision {
  if (typeof one !== 'object' || one === null) return false;
  const { sheet, rows, followed, declined } = one as Record<string, unknown>;
  return (
    Object.keys(one).every((key) => keys.has(key)) &&
    isText(sheet) &&
    (rows === undefined || (Array.isArray(rows) && rows.length > 0 && rows.every(isText))) &&
    isText(followed) !== isText(declined)
  );
}
