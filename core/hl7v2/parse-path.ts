import { HilumError } from '../errors.ts';
import type { Index, Path, PathExpression, PathResult } from './path.ts';
import { readPath } from './path-reader.ts';
import { toNameCode } from './segment-list.ts';

/**
 * Reads a place, as issues name it: `PID`, `PID-5`, `PID-3[2].4.1`, `OBX[3]-5`; `PID.3.1` with a dot is read
 * too. The issue is about the path and has no location; its message says at which character which part was
 * expected.
 */
export function parsePath(text: string): PathResult<Path> {
  const result = readPath(text);
  if (!result.ok) return result;
  const { groups, occurrence, repetition, ...rest } = result.path;
  if (groups.length > 0 || isChoice(occurrence) || isChoice(repetition)) {
    const message = `Expected one place such as PID-3[2].4.1, found a choice in the path "${text.slice(0, 60)}"`;
    return { ok: false, issue: { code: 'path-invalid', severity: 'error', message } };
  }
  return {
    ok: true,
    path: {
      ...rest,
      ...(typeof occurrence === 'number' ? { occurrence } : {}),
      ...(typeof repetition === 'number' ? { repetition } : {}),
    },
  };
}

/** As {@link parsePath}; throws a permanent HilumError, `path-invalid`. */
export function toPath(text: string): Path {
  const result = parsePath(text);
  if (!result.ok) throw new HilumError('permanent', [result.issue]);
  return result.path;
}

function isChoice(index: Index | undefined): boolean {
  return index !== undefined && typeof index !== 'number';
}

/**
 * Reads what finds values: everything that {@link parsePath} reads, `[*]` for every one, `PID-3[type=MR].1`,
 * `PID-3[5=MR].1`, `OBX[3.1=2345-7]-5`, and groups in front (`PATIENT_RESULT.ORDER_OBSERVATION[2].OBX[1]-5`).
 */
export function parsePathExpression(text: string): PathResult<PathExpression> {
  return readPath(text);
}

/** An expression with what looking for it needs, prepared once. */
export interface PreparedPath {
  readonly expression: PathExpression;
  readonly nameCode: number;
  /** Only numbers: the quick way. */
  readonly plain: Path | undefined;
}

/** As {@link parsePathExpression}, prepared; throws a permanent HilumError, `path-invalid`. */
export function preparePath(text: string): PreparedPath {
  const known = cache.get(text);
  if (known !== undefined) return known;
  const result = readPath(text);
  if (!result.ok) throw new HilumError('permanent', [result.issue]);
  const expression = result.path;
  const plain = parsePath(text);
  const prepared = {
    expression,
    nameCode: toNameCode(expression.segment),
    plain: plain.ok ? plain.path : undefined,
  };
  // Flows ask the same few paths of every message; names made up from data must not pile up.
  if (cache.size >= 4_096) cache.clear();
  cache.set(text, prepared);
  return prepared;
}

const cache = new Map<string, PreparedPath>();
