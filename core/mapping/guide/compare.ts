import { listIncludes, listResources } from '../blocks.ts';
import type { MapDocument, RuleDocument } from '../document.ts';
import { mappingFunctions } from '../functions.ts';
import { toSha1 } from '../sha1.ts';
import { Decisions } from './decisions.ts';
import { type GuideCount, type GuideDifference, addCounts, checkRows, hasTarget } from './rows.ts';
import type { GuideKind, GuideRow, GuideSheet } from './sheet.ts';

/**
 * What the rows of the guide said when our rules were last compared with it: by `segments/PID[Patient]`, then by
 * identifier, one hash for each row with a target. Only hashes, so that a later release shows what it changed.
 */
export type GuideRows = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface GuideComparison {
  readonly counts: Readonly<Partial<Record<GuideKind, GuideCount>>>;
  readonly differences: readonly GuideDifference[];
  /** To be kept for the next comparison. */
  readonly rows: GuideRows;
}

interface GuideOptions {
  /** What the rows said when rules were last compared with them. */
  readonly known?: GuideRows;
  readonly decisions?: Decisions;
}

/** A map file of ours with its path. */
export interface LocatedMap {
  readonly path: string;
  readonly document: MapDocument;
}

/** A rule and the rows that it cites or ignores, as `PID-3`; `sheet` where its `ig` names one. */
interface Citation {
  readonly map: string;
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
 * A message sheet's row is mapped where the message map uses a map that follows the sheet that the row names.
 * `decisions` say of rows that no rule cites what follows them, or why nothing does.
 */
export function compareGuide(
  sheets: readonly GuideSheet[],
  maps: readonly LocatedMap[],
  { known = {}, decisions = new Decisions() }: GuideOptions = {},
): GuideComparison {
  const differences: GuideDifference[] = toFaults(decisions, sheets, maps);
  const cited = new Set<string>();
  const followers = new Map<string, Set<string>>();
  for (const citation of maps.flatMap(toCitations)) {
    const matching = findSheets(citation, sheets);
    for (const sheet of matching) {
      cited.add(`${sheet.name} ${citation.identifier}`);
      followers.set(citation.map, (followers.get(citation.map) ?? new Set()).add(sheet.name));
    }
    if (citation.ignores) continue;
    differences.push(...checkCitation(citation, matching, known));
  }
  const isCited = (sheet: GuideSheet, row: GuideRow): boolean =>
    cited.has(`${sheet.name} ${row.identifier}`) ||
    decisions.find(sheet.name, row.identifier)?.followed !== undefined;
  const counts: Partial<Record<GuideKind, GuideCount>> = {};
  const rows: Record<string, Record<string, string>> = {};
  for (const sheet of sheets) {
    if (sheet.kind === 'codesystems') continue;
    const ofMessage = sheet.kind === 'messages';
    const message = ofMessage ? findMessageMap(sheet, maps, decisions) : undefined;
    const used = message && collectUsed(message, maps, followers);
    const isFollowed = ofMessage
      ? message !== undefined
      : sheet.rows.some((row) => hasTarget(row) && isCited(sheet, row));
    const found = checkRows(sheet, {
      isFollowed,
      isMapped: ofMessage ? ({ map }) => used?.has(map) === true : (row) => isCited(sheet, row),
      isDeclined: (row) => decisions.find(sheet.name, row.identifier)?.declined !== undefined,
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
      map: document.id,
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

/** What decisions name and is not there. */
function toFaults(
  decisions: Decisions,
  sheets: readonly GuideSheet[],
  maps: readonly LocatedMap[],
): GuideDifference[] {
  const names = new Set([
    ...maps.map(({ document }) => document.id),
    ...Object.keys(mappingFunctions),
  ]);
  return decisions.faults(sheets, names).map(({ sheet, missing }) => ({
    kind: 'decision-gone',
    location: `guide-decisions.yaml:${sheet}`,
    identifier: missing,
    message: `The decision about ${sheet} names ${missing}, which does not exist.`,
  }));
}

type MessageMap = Extract<MapDocument, { kind: 'MessageMap' }>;

/** The message map of the sheet's name, or the one that a decision names. */
function findMessageMap(
  { name }: GuideSheet,
  maps: readonly LocatedMap[],
  decisions: Decisions,
): MessageMap | undefined {
  const id = decisions.follower(name) ?? name;
  const document = maps.find((map) => map.document.id === id)?.document;
  return document?.kind === 'MessageMap' ? document : undefined;
}

/** The sheets that the maps of a message follow, with those of its blocks and those that they call by `via`. */
function collectUsed(
  message: MessageMap,
  maps: readonly LocatedMap[],
  followers: ReadonlyMap<string, ReadonlySet<string>>,
): ReadonlySet<string> {
  const used = new Set<string>();
  const pending = message.bundle === undefined ? [] : [message.bundle];
  const collect = (resources: MessageMap['resources']): void => {
    pending.push(...listIncludes(resources));
    pending.push(...listResources(resources).flatMap(({ maps: own = [] }) => own));
  };
  collect(message.resources);
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    if (used.has(id)) continue;
    used.add(id);
    const document = maps.find((map) => map.document.id === id)?.document;
    if (document?.kind === 'MessageBlock') collect(document.resources);
    if (document?.kind !== 'SegmentMap' && document?.kind !== 'DatatypeMap') continue;
    pending.push(...document.rules.flatMap(({ via }) => (via === undefined ? [] : [via])));
  }
  return new Set([...used].flatMap((id) => [...(followers.get(id) ?? [])]));
}
