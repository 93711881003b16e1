import type { MapDocument, RuleDocument } from '../document.ts';
import { toSha1 } from '../sha1.ts';
import { parseGuideCondition } from './condition.ts';
import type { GuideKind, GuideRow, GuideSheet } from './sheet.ts';

/**
 * What the rows of the guide said when our rules were last compared with it: by `segments/PID[Patient]`, then by
 * identifier, one hash for each row with a target. Only hashes, so that a later release shows what it changed.
 */
export type GuideRows = Readonly<Record<string, Readonly<Record<string, string>>>>;

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
  unmapped: 0,
  conditions: 0,
  parsed: 0,
  narrative: 0,
};

export interface GuideComparison {
  readonly counts: Readonly<Partial<Record<GuideKind, GuideCount>>>;
  readonly differences: readonly GuideDifference[];
  /** To be kept for the next comparison. */
  readonly rows: GuideRows;
}

/** A map file of ours with its path. */
export interface LocatedMap {
  readonly path: string;
  readonly document: MapDocument;
}

/** A rule and the rows that it cites or ignores, as `PID-3`; `sheet` where its `ig` names one. */
interface Citation {
  readonly rule: string;
  readonly location: string;
  readonly sheet: string | undefined;
  readonly identifier: string;
  /** `PID` or `PID.Patient`'s sheet `PID[Patient]`, best first. */
  readonly sheets: readonly string[];
  readonly ignores: boolean;
}

/**
 * Compares the guide's sheets for messages, segments and datatypes with our rules, by their `ig`: `PID-3`, several
 * (`XTN.1, XTN.4`), or with the sheet before it where the map's id does not say which (`OBX[Observation] OBX-5`).
 * A message sheet's row is mapped where the message map uses the segment map that the row names.
 */
export function compareGuide(
  sheets: readonly GuideSheet[],
  maps: readonly LocatedMap[],
  known: GuideRows,
): GuideComparison {
  const differences: GuideDifference[] = [];
  const citations = maps.flatMap(toCitations);
  const cited = new Set<string>();
  for (const citation of citations) {
    const matching = findSheets(citation, sheets);
    for (const sheet of matching) cited.add(`${sheet.name} ${citation.identifier}`);
    if (citation.ignores) continue;
    differences.push(...checkCitation(citation, matching, known));
  }
  const followed = findFollowed(maps, sheets, cited);
  const counts: Partial<Record<GuideKind, GuideCount>> = {};
  const rows: Record<string, Record<string, string>> = {};
  for (const sheet of sheets) {
    if (sheet.kind === 'codesystems') continue;
    const isFollowed = followed.has(sheet);
    const found = checkRows(sheet, {
      isFollowed,
      isMapped:
        sheet.kind === 'messages'
          ? toUse(sheet, maps)
          : (row) => cited.has(`${sheet.name} ${row.identifier}`),
      known: known[toKey(sheet)],
    });
    differences.push(...found.differences);
    counts[sheet.kind] = addCounts(counts[sheet.kind], {
      ...found.count,
      sheets: 1,
      followed: isFollowed ? 1 : 0,
    });
    rows[toKey(sheet)] = toHashes(sheet);
  }
  return { counts, differences, rows };
}

const toKey = ({ kind, name }: GuideSheet): string => `${kind}/${name}`;

/** A row counts where it says that something becomes of its field. */
const hasTarget = (row: GuideRow): boolean => row.target !== '';

const toHash = ({ line: _, ...facts }: GuideRow): string =>
  [...toSha1(JSON.stringify(facts)).slice(0, 4)]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');

function toHashes(sheet: GuideSheet): Record<string, string> {
  const hashes: Record<string, string> = {};
  for (const row of sheet.rows) {
    if (!hasTarget(row)) continue;
    const before = hashes[row.identifier];
    hashes[row.identifier] = before === undefined ? toHash(row) : `${before} ${toHash(row)}`;
  }
  return hashes;
}

function toCitations({ path, document }: LocatedMap): Citation[] {
  if (document.kind !== 'SegmentMap' && document.kind !== 'DatatypeMap') return [];
  if (document.extends !== undefined) return [];
  const [source = '', ...rest] = document.id.split('.');
  const sheets = [`${source}[${rest.join('.')}]`, `${source}[${document.target.fhir}]`];
  return document.rules.flatMap((rule) =>
    citedBy(rule, source).map(({ sheet, identifier }) => ({
      rule: `${document.id}#${rule.id}`,
      location: `${path}:${rule.id}`,
      sheet,
      identifier,
      sheets,
      ignores: rule.ignore !== undefined && rule.ig === undefined,
    })),
  );
}

type Cited = Pick<Citation, 'sheet' | 'identifier'>;

function citedBy(rule: RuleDocument, source: string): Cited[] {
  if (rule.ig === undefined) {
    if (rule.ignore === undefined || rule.from === undefined) return [];
    const position = rule.from.replace(/\[[^\]]*\]/g, '');
    return [
      { sheet: undefined, identifier: /^\d/.test(position) ? `${source}.${position}` : position },
    ];
  }
  return rule.ig.split(',').map((text) => {
    const words = text.trim().split(' ');
    return { sheet: words.length > 1 ? words[0] : undefined, identifier: words.at(-1) ?? '' };
  });
}

/** The sheets that a citation can mean: the best named one that has the row, else all of the source that do. */
function findSheets(citation: Citation, sheets: readonly GuideSheet[]): GuideSheet[] {
  const { identifier } = citation;
  const wanted = citation.sheet === undefined ? citation.sheets : [citation.sheet];
  const has = (sheet: GuideSheet): boolean =>
    sheet.rows.some((row) => row.identifier === identifier);
  for (const name of wanted) {
    const best = sheets.find((sheet) => sheet.name === name && has(sheet));
    if (best !== undefined) return [best];
  }
  if (citation.sheet !== undefined) return [];
  const source = identifier.replace(/[-.].*$/, '');
  return sheets.filter(
    (sheet) => sheet.kind !== 'codesystems' && sheet.name.startsWith(`${source}[`) && has(sheet),
  );
}

function checkCitation(
  { rule, location, identifier, sheet }: Citation,
  matching: readonly GuideSheet[],
  known: GuideRows,
): GuideDifference[] {
  if (matching.length === 0) {
    const where = sheet === undefined ? '' : ` in ${sheet}`;
    const message = `The rule cites ${identifier}${where}, which the guide does not have.`;
    return [{ kind: 'rule-row-gone', location, identifier, message, rule }];
  }
  return matching.flatMap((found): GuideDifference[] => {
    const before = known[toKey(found)]?.[identifier];
    const now = toHashes(found)[identifier] ?? '';
    if (before === undefined || before === now) return [];
    const line = found.rows.find((row) => row.identifier === identifier)?.line ?? 1;
    const message = `What ${found.name} says of ${identifier} has changed since rules were last compared with it.`;
    return [
      { kind: 'rule-row-changed', location: `${found.path}:${line}`, identifier, message, rule },
    ];
  });
}

/** The sheets of which a map of ours follows some row; of messages the ones that have a message map. */
function findFollowed(
  maps: readonly LocatedMap[],
  sheets: readonly GuideSheet[],
  cited: ReadonlySet<string>,
): Set<GuideSheet> {
  const ids = new Set(maps.map(({ document }) => document.id));
  return new Set(
    sheets.filter(({ kind, name, rows }) =>
      kind === 'messages'
        ? ids.has(name)
        : rows.some((row) => cited.has(`${name} ${row.identifier}`)),
    ),
  );
}

/** Whether the message map of the sheet's name uses the segment map that a row names. */
function toUse(sheet: GuideSheet, maps: readonly LocatedMap[]): (row: GuideRow) => boolean {
  const document = maps.find((map) => map.document.id === sheet.name)?.document;
  if (document?.kind !== 'MessageMap') return () => false;
  const used = new Set<string>(document.bundle === undefined ? [] : [document.bundle]);
  const collect = (resources: typeof document.resources): void => {
    for (const resource of resources) {
      if ('forEach' in resource) collect(resource.resources);
      else for (const map of resource.maps ?? []) used.add(map);
    }
  };
  collect(document.resources);
  return ({ map }) => used.has(map.replace('[', '.').replace(']', ''));
}

interface RowChecks {
  readonly isFollowed: boolean;
  readonly isMapped: (row: GuideRow) => boolean;
  readonly known: Readonly<Record<string, string>> | undefined;
}

function checkRows(
  sheet: GuideSheet,
  { isFollowed, isMapped, known }: RowChecks,
): {
  readonly differences: GuideDifference[];
  readonly count: Omit<GuideCount, 'sheets' | 'followed'>;
} {
  const differences: GuideDifference[] = [];
  const rows = sheet.rows.filter(hasTarget);
  const count = {
    rows: rows.length,
    mapped: 0,
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
    else {
      count.unmapped += 1;
      if (isFollowed) tell('row-unmapped', `No rule of ours follows the row: ${toSummary(row)}.`);
    }
    const isNew = known !== undefined && known[row.identifier] === undefined;
    if (isNew)
      tell('row-new', 'The row had no target when rules were last compared with the guide.');
  }
  if (!isFollowed && rows.length > 0) {
    const message = `No map of ours follows this sheet (${rows.length} rows with a target).`;
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

function addCounts(before: GuideCount | undefined, more: GuideCount): GuideCount {
  if (before === undefined) return more;
  const sum = { ...before };
  for (const key of Object.keys(more) as (keyof GuideCount)[]) {
    (sum as Record<string, number>)[key] = before[key] + more[key];
  }
  return sum;
}
