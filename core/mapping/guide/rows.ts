import { parseGuideCondition } from './condition.ts';
import type { GuideRow, GuideSheet } from './sheet.ts';

/** One difference between the guide and our rules. */
export interface GuideDifference {
  readonly kind:
    /** No map of ours follows the sheet. */
    | 'sheet-unmapped'
    /** The row has a target, and no rule of ours cites or ignores its field. */
    | 'row-unmapped'
    /** The row was not there, or had no target, when rules were last compared. */
    | 'row-new'
    /** The row that a rule cites says something else than when rules were last compared. */
    | 'rule-row-changed'
    /** The row that a rule cites is not in the guide. */
    | 'rule-row-gone'
    /** A decision names a sheet, row, map or function that does not exist. */
    | 'decision-gone'
    /** The condition of the row cannot be put into our grammar. */
    | 'condition-unparsable'
    /** A code that our table does not have; one for which it decides otherwise; one whose row is no use. */
    | 'code-unmapped'
    | 'code-differs'
    | 'code-faulty';
  /** `segments/….csv:12`, or the rule's file and id where there is no row. */
  readonly location: string;
  readonly identifier: string;
  readonly message: string;
  /** `PID.Patient#PID-3.identifier`. */
  readonly rule?: string;
}

/** How much of one kind of sheet our rules follow. */
export interface GuideCount {
  readonly sheets: number;
  /** Sheets that a map of ours follows. */
  readonly followed: number;
  /** Rows with a target. */
  readonly rows: number;
  readonly mapped: number;
  /** Rows that a decision declines. */
  readonly declined: number;
  readonly unmapped: number;
  /** Rows with a condition for machines, and of these the ones that our grammar can state. */
  readonly conditions: number;
  readonly parsed: number;
  /** Rows whose condition is in words alone. */
  readonly narrative: number;
}

export const noCount: GuideCount = {
  sheets: 0,
  followed: 0,
  rows: 0,
  mapped: 0,
  declined: 0,
  unmapped: 0,
  conditions: 0,
  parsed: 0,
  narrative: 0,
};

/** A row counts where it says that something becomes of its field. */
export const hasTarget = (row: GuideRow): boolean => row.target !== '';

/** What is known of the rows of a sheet from our rules and decisions. */
interface RowChecks {
  readonly isFollowed: boolean;
  readonly isMapped: (row: GuideRow) => boolean;
  readonly isDeclined: (row: GuideRow) => boolean;
  readonly known: Readonly<Record<string, string>> | undefined;
}

/** Counts the rows of a sheet that have a target, and tells those that nothing follows. */
export function checkRows(
  sheet: GuideSheet,
  { isFollowed, isMapped, isDeclined, known }: RowChecks,
): {
  readonly differences: GuideDifference[];
  readonly count: Omit<GuideCount, 'sheets' | 'followed'>;
} {
  const differences: GuideDifference[] = [];
  const rows = sheet.rows.filter(hasTarget);
  const count = {
    rows: rows.length,
    mapped: 0,
    declined: 0,
    unmapped: 0,
    conditions: 0,
    parsed: 0,
    narrative: 0,
  };
  for (const row of rows) {
    const place = { location: `${sheet.path}:${row.line}`, identifier: row.identifier };
    const tell = (kind: GuideDifference['kind'], message: string): void => {
      differences.push({ kind, ...place, message });
    };
    if (row.condition === '' && row.narrative !== '') count.narrative += 1;
    if (row.condition !== '') {
      count.conditions += 1;
      const condition = parseGuideCondition(row.condition, row.identifier);
      if (condition.ok) count.parsed += 1;
      else tell('condition-unparsable', `The condition cannot be read: ${condition.message}.`);
    }
    if (isMapped(row)) count.mapped += 1;
    else if (isDeclined(row)) count.declined += 1;
    else {
      count.unmapped += 1;
      if (isFollowed) tell('row-unmapped', `No rule of ours follows the row: ${toSummary(row)}.`);
    }
    const isNew = known !== undefined && known[row.identifier] === undefined;
    if (isNew)
      tell('row-new', 'The row had no target when rules were last compared with the guide.');
  }
  if (!isFollowed && count.unmapped > 0) {
    const message = `No map of ours follows this sheet (${count.unmapped} rows with a target).`;
    differences.push({
      kind: 'sheet-unmapped',
      location: `${sheet.path}:1`,
      identifier: sheet.name,
      message,
    });
  }
  return { differences, count };
}

function toSummary(row: GuideRow): string {
  const by = [row.map, row.table].filter((name) => name !== '').join(' with ');
  return `${row.target}${by === '' ? '' : ` by ${by}`}`;
}

/** The sum of two counts. */
export function addCounts(before: GuideCount | undefined, more: GuideCount): GuideCount {
  if (before === undefined) return more;
  const sum = { ...before };
  for (const key of Object.keys(more) as (keyof GuideCount)[]) {
    (sum as Record<string, number>)[key] = before[key] + more[key];
  }
  return sum;
}
