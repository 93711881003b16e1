import { findUcum, isUcum, ucumSystem } from '../fhir/ucum.ts';
import type { Issue } from '../issue.ts';
import type { Entry, TraceEntry } from './run.ts';
import { type Draft, isPlainObject } from './target.ts';

/** What becomes of units that are said to be UCUM's and are not. */
export interface UnitFindings {
  readonly issues: readonly Issue[];
  /** Source paths of codes that stand nowhere any more. */
  readonly unconsumed: readonly string[];
}

const none: UnitFindings = { issues: [], unconsumed: [] };

/**
 * Takes the system and code from every element of the entries whose code is not of UCUM as it claims: what reads it would
 * calculate with it. The code stays as the text of the unit where there is no other. `explain` gives the same entries
 * with provenance: asked only where there is such a unit.
 */
export function takeFalseUnits(
  entries: readonly Entry[],
  explain: () => readonly Entry[],
): UnitFindings {
  if (!entries.some(({ resource }) => hasFalseUnit(resource))) return none;
  const explained = explain();
  const issues = new Map<string, Issue>();
  const unconsumed = new Set<string>();
  entries.forEach((entry, index) => {
    const trace = explained[index]?.trace ?? [];
    for (const { path, holder } of findFalseUnits(entry.resource, '')) {
      const code = holder['code'] as string;
      const source = trace.find(({ target }) => target === `${path}.code`)?.source;
      const location = source ?? `${entry.type}.${path}`;
      const isKept = takeUnit(holder, path, entry.trace);
      if (!isKept && source !== undefined) unconsumed.add(source);
      issues.set(location, toIssue(code, location));
    }
  });
  return { issues: [...issues.values()], unconsumed: [...unconsumed] };
}

/** A resource without such units, and what was found: itself where it has none. */
export function withoutFalseUnits(resource: unknown): {
  readonly resource: unknown;
  readonly issues: readonly Issue[];
} {
  if (!hasFalseUnit(resource)) return { resource, issues: [] };
  const copy = structuredClone(resource);
  const type = isPlainObject(copy) ? String(copy['resourceType']) : 'Resource';
  const issues = findFalseUnits(copy, type).map(({ path, holder }) => {
    const issue = toIssue(holder['code'] as string, `${path}.code`);
    takeUnit(holder, path, []);
    return issue;
  });
  return { resource: copy, issues };
}

/** Whether the code still stands somewhere: as the text, or in it. */
function takeUnit(holder: Draft, path: string, trace: TraceEntry[]): boolean {
  const { code, system: _, ...rest } = holder;
  const text = /coding(\[\d+\])?$/i.test(path) || 'display' in rest ? 'display' : 'unit';
  const isMoved = rest[text] === undefined;
  if (isMoved) holder[text] = code;
  delete holder['system'];
  delete holder['code'];
  const kept = trace.filter(({ target }) => target !== `${path}.system`);
  trace.length = 0;
  for (const entry of kept) {
    if (entry.target !== `${path}.code`) trace.push(entry);
    else if (isMoved) trace.push({ ...entry, target: `${path}.${text}` });
  }
  return isMoved || rest[text] === code;
}

interface FalseUnit {
  readonly path: string;
  readonly holder: Draft;
}

/** Most messages have none, and for those no path is made. */
function hasFalseUnit(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some(hasFalseUnit);
  const object = value as Draft;
  if (isFalse(object)) return true;
  for (const key in object) {
    const inner = object[key];
    if (typeof inner === 'object' && hasFalseUnit(inner)) return true;
  }
  return false;
}

function findFalseUnits(value: unknown, path: string): FalseUnit[] {
  if (Array.isArray(value)) {
    return value.flatMap((each, index) => findFalseUnits(each, `${path}[${index}]`));
  }
  if (!isPlainObject(value)) return [];
  const inner = Object.entries(value).flatMap(([key, each]) =>
    findFalseUnits(each, path === '' ? key : `${path}.${key}`),
  );
  return isFalse(value) ? [{ path, holder: value }, ...inner] : inner;
}

const isFalse = ({ system, code }: Draft): boolean =>
  system === ucumSystem && typeof code === 'string' && !isUcum(code);

function toIssue(code: string, location: string): Issue {
  const found = toShownUnit(code);
  const meant = findUcum(code);
  const advice =
    meant === undefined
      ? 'Send a unit of UCUM, or translate it by a table.'
      : `Perhaps ${meant} is meant: send that, or translate it by a table.`;
  return {
    code: 'unit-not-ucum',
    severity: 'warning',
    location,
    message: `Expected a unit of UCUM, as the coding system says, found ${found}; it was kept as text. ${advice}`,
  };
}

/** Free text in the place of a unit may be about a patient. */
const toShownUnit = (code: string): string =>
  /^[\w.:/+*^%[\]{}()'#°µμ²³-]{1,30}$/.test(code) ? `"${code}"` : 'something else';
