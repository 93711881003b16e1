/** What stands for anything that is there, in expected values. */
const mask = '*';

/** One place where a value is not the expected one. */
export interface Difference {
  /** Below the compared value: `name[0].family`; empty for the value itself. */
  readonly path: string;
  /** Undefined: nothing was expected there. */
  readonly expected: unknown;
  /** Undefined: nothing is there. */
  readonly found: unknown;
}

/**
 * The places where `found` is not as expected; in what is expected `'*'` stands for anything that is there, null for
 * nothing.
 */
export function compareMasked(expected: unknown, found: unknown): readonly Difference[] {
  const differences: Difference[] = [];
  compare(expected, found, '', { into: differences, isMasked });
  return differences;
}

function isMasked(expected: unknown, found: unknown): boolean {
  const isThere = found !== undefined && found !== null;
  return expected === mask ? isThere : expected === null && !isThere;
}

/** The places where `found` is another than `expected`, element by element. */
export function compareValues(expected: unknown, found: unknown): readonly Difference[] {
  const differences: Difference[] = [];
  compare(expected, found, '', { into: differences, isMasked: () => false });
  return differences;
}

interface Comparison {
  readonly into: Difference[];
  readonly isMasked: (expected: unknown, found: unknown) => boolean;
}

function compare(expected: unknown, found: unknown, path: string, comparison: Comparison): void {
  if (comparison.isMasked(expected, found)) return;
  if (isObject(expected) && isObject(found) && Array.isArray(expected) === Array.isArray(found)) {
    for (const key of new Set([...Object.keys(expected), ...Object.keys(found)])) {
      compare(expected[key], found[key], toPath(path, key, Array.isArray(found)), comparison);
    }
  } else if (!Object.is(expected, found)) comparison.into.push({ path, expected, found });
}

/** What is there now, masked where it was masked before: a golden output written anew. */
export function keepMasks(before: unknown, now: unknown): unknown {
  if (before === mask && now !== undefined) return mask;
  if (Array.isArray(now)) {
    const old: readonly unknown[] = Array.isArray(before) ? before : [];
    return now.map((value, index) => keepMasks(old[index], value));
  }
  if (!isObject(now)) return now;
  const old = isObject(before) ? before : {};
  return Object.fromEntries(
    Object.entries(now).map(([key, value]) => [key, keepMasks(old[key], value)]),
  );
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

function toPath(path: string, key: string, isIndex: boolean): string {
  if (isIndex) return `${path}[${key}]`;
  return path === '' ? key : `${path}.${key}`;
}
