import { HilumError } from '../errors.ts';
import { escapeText } from './escape.ts';
import type { Delimiters, TextRange } from './message.ts';
import { formatPath, type Path } from './path.ts';
import { countParts, findPart } from './scan.ts';
import type { SegmentView } from './segment.ts';

/** What an edit works on. */
export interface EditTarget {
  readonly text: string;
  readonly delimiters: Delimiters;
  /** The segment that the path names, its first where it gives no occurrence. */
  readonly segment: SegmentView | undefined;
}

/**
 * The message's text with the escaped value at the path and every other character as it was; delimiters
 * are added where the place lies beyond an end. Throws a permanent HilumError: `segment-missing`,
 * `path-not-editable` (a whole segment, MSH-1, MSH-2), `delimiter-missing` (MSH-2 has not what is needed).
 */
export function setText(target: EditTarget, path: Path, value: string): string {
  const { text, delimiters, segment } = target;
  if (segment === undefined) {
    throw refuse(
      'segment-missing',
      path,
      `Expected a segment ${path.segment} to set a value in, found none`,
    );
  }
  if (path.field === undefined || (segment.isHeader && path.field <= 2)) {
    throw refuse('path-not-editable', path, 'Expected a path to a field other than the delimiters');
  }
  const escaped = escapeText(value, delimiters);
  if (escaped === undefined) throw refuseDelimiter(path, 'an escape character');
  const spot = findSpot(target, segment, path);
  return text.slice(0, spot.range.start) + spot.padding + escaped + text.slice(spot.range.end);
}

/** What to replace, and the delimiters to put in front where it lies beyond the end. */
interface Spot {
  readonly range: TextRange;
  readonly padding: string;
}

function findSpot(target: EditTarget, segment: SegmentView, path: Path): Spot {
  const { text, delimiters } = target;
  const { field = 1 } = path;
  const range = segment.fieldRange(field);
  let spot: Spot =
    range === undefined
      ? {
          range: { start: segment.range.end, end: segment.range.end },
          padding: delimiters.field.repeat(field - segment.fieldCount),
        }
      : { range, padding: '' };
  spot = descend(text, spot, delimiters.repetition, path.repetition ?? 1);
  if (path.component !== undefined) {
    spot = descend(text, spot, delimiters.component, path.component);
  }
  if (path.subcomponent !== undefined) {
    if (delimiters.subcomponent === '' && path.subcomponent > 1) {
      throw refuseDelimiter(path, 'a sub-component separator');
    }
    spot = descend(text, spot, delimiters.subcomponent, path.subcomponent);
  }
  return spot;
}

function descend(text: string, spot: Spot, mark: string, position: number): Spot {
  const range = findPart(text, mark, spot.range, position);
  if (range !== undefined) return { range, padding: spot.padding };
  const { end } = spot.range;
  const missing = position - countParts(text, mark, spot.range);
  return { range: { start: end, end }, padding: spot.padding + mark.repeat(missing) };
}

function refuseDelimiter(path: Path, what: string): HilumError {
  return refuse('delimiter-missing', path, `Expected ${what} in MSH-2 for this value, found none`);
}

function refuse(code: string, path: Path, message: string): HilumError {
  return new HilumError('permanent', [
    { code, severity: 'error', location: formatPath(path), message },
  ]);
}
