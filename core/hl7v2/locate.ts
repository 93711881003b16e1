import type { Delimiters, TextRange } from './message.ts';
import type { Path } from './path.ts';
import { findMark, findPart } from './scan.ts';
import type { SegmentView } from './segment.ts';

/** Where a path leads in one segment: the value's place, and whether a value below it has to be decoded whole. */
export interface Place {
  readonly range: TextRange;
  /** Not divided any further: what stands there is one value. */
  readonly single: boolean;
}

/** The place of a path that leads into `segment`; the first repetition where none is given. */
export function findPlace(
  segment: SegmentView,
  path: Path,
  text: string,
  delimiters: Delimiters,
): Place | undefined {
  if (path.field === undefined) return { range: segment.range, single: false };
  const field = segment.fieldRange(path.field);
  if (field === undefined) return undefined;
  if (segment.isHeader && path.field <= 2) return findLiteral(field, path);
  const repetition = findPart(text, delimiters.repetition, field, path.repetition ?? 1);
  return repetition && findInRepetition(repetition, path, text, delimiters);
}

/** All places of a path in a segment: in every repetition where none is given, from left to right. */
export function findPlaces(
  segment: SegmentView,
  path: Path,
  text: string,
  delimiters: Delimiters,
): readonly Place[] {
  const isLiteral = segment.isHeader && path.field !== undefined && path.field <= 2;
  if (path.field === undefined || path.repetition !== undefined || isLiteral) {
    const place = findPlace(segment, path, text, delimiters);
    return place === undefined ? [] : [place];
  }
  const field = segment.fieldRange(path.field);
  if (field === undefined) return [];
  const places: Place[] = [];
  for (let start = field.start; start <= field.end;) {
    const end = findMark(text, delimiters.repetition, start, field.end);
    const place = findInRepetition({ start, end }, path, text, delimiters);
    if (place !== undefined) places.push(place);
    start = end + 1;
  }
  return places;
}

function findInRepetition(
  repetition: TextRange,
  path: Path,
  text: string,
  delimiters: Delimiters,
): Place | undefined {
  if (path.component === undefined) return toPlace(text, delimiters, repetition);
  const component = findPart(text, delimiters.component, repetition, path.component);
  if (component === undefined) return undefined;
  if (path.subcomponent === undefined) return toPlace(text, delimiters, component);
  const range = findPart(text, delimiters.subcomponent, component, path.subcomponent);
  return range === undefined ? undefined : { range, single: true };
}

/** MSH-1 and MSH-2 are one value: their characters divide everything but themselves. */
function findLiteral(range: TextRange, path: Path): Place | undefined {
  const deepest = Math.max(path.repetition ?? 1, path.component ?? 1, path.subcomponent ?? 1);
  return deepest === 1 ? { range, single: false } : undefined;
}

function toPlace(text: string, delimiters: Delimiters, range: TextRange): Place {
  const { start, end } = range;
  const single =
    findMark(text, delimiters.component, start, end) === end &&
    findMark(text, delimiters.subcomponent, start, end) === end;
  return { range, single };
}
