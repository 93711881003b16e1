import { HilumError } from '../errors.ts';
import { escapeText } from './escape.ts';
import { findPlaces, findRepetitions, type Ground } from './locate.ts';
import type { Delimiters, Segment, TextRange } from './message.ts';
import { formatPath, type Index, type PathExpression } from './path.ts';
import { countParts, findPart } from './scan.ts';

/** What an edit replaces, and by what. */
export interface Splice extends TextRange {
  readonly text: string;
}

/** A value to be written: unescaped text, or as it is to stand in the message. */
export interface NewValue {
  readonly value: string;
  readonly isRaw: boolean;
}

/** The text with everything replaced; the splices may come in any order and do not overlap. */
export function applySplices(text: string, splices: readonly Splice[]): string {
  const ordered = splices.length < 2 ? splices : [...splices].sort((a, b) => a.start - b.start);
  let edited = '';
  let done = 0;
  for (const { start, end, text: part } of ordered) {
    edited += text.slice(done, start) + part;
    done = end;
  }
  return edited + text.slice(done);
}

/** A value set in one segment: in the first repetition that fits, in each that is there for `[*]`. */
export function setInSegment(
  ground: Ground,
  segment: Segment,
  { expression, value }: { readonly expression: PathExpression; readonly value: NewValue },
): readonly Splice[] {
  const field = requireField(segment, expression);
  const text = toRaw(ground.delimiters, expression, value);
  const { component, subcomponent, repetition = 1 } = expression;
  const parts = { component, subcomponent };
  const spots =
    typeof repetition === 'number'
      ? [findSpot(ground, segment, { field, repetition, ...parts })]
      : chooseRepetitions(ground, segment, { field, choice: repetition }).map((range) =>
          findSpotWithin(
            ground,
            { range, padding: '' },
            { segment: segment.name, field, ...parts },
          ),
        );
  return spots.map(({ range, padding }) => ({
    start: range.start,
    end: range.end,
    text: padding + text,
  }));
}

/** The repetitions that a value is set in. */
function chooseRepetitions(
  ground: Ground,
  segment: Segment,
  { field, choice }: { readonly field: number; readonly choice: Index },
): readonly TextRange[] {
  const range = segment.fieldRange(field);
  const found = range === undefined ? [] : findRepetitions(ground, range, choice);
  if (found.length === 0) {
    const message = 'Expected a repetition that fits the path, found none';
    throw refuse('repetition-missing', { segment: segment.name, field }, message);
  }
  const ranges = found.map((place) => place.range);
  return choice === 'all' ? ranges : ranges.slice(0, 1);
}

/** One more repetition with the value in it; the first one of a field that is empty or absent. */
export function appendRepetition(
  ground: Ground,
  segment: Segment,
  { expression, value }: { readonly expression: PathExpression; readonly value: NewValue },
): Splice {
  const field = requireField(segment, expression);
  const text = toRaw(ground.delimiters, expression, value);
  const range = segment.fieldRange(field);
  const isEmpty = range === undefined || range.start === range.end;
  const count = isEmpty ? 0 : countParts(ground.text, ground.delimiters.repetition, range);
  const { component, subcomponent } = expression;
  const place = { field, repetition: count + 1, component, subcomponent };
  const spot = findSpot(ground, segment, place);
  return { ...spot.range, text: spot.padding + text };
}

/** Everything at the path taken out of one segment, or the segment itself with its end. */
export function removeFromSegment(
  ground: Ground,
  segment: Segment,
  expression: PathExpression,
): readonly Splice[] {
  const { component, repetition, field } = expression;
  if (field === undefined) {
    if (segment.name === 'MSH') throw refuseEditing(expression);
    return [
      { start: segment.range.start, end: findNextLine(ground.text, segment.range.end), text: '' },
    ];
  }
  requireField(segment, expression);
  if (component === undefined) {
    const range = segment.fieldRange(field);
    if (range === undefined) return [];
    const text = repetition === undefined ? '' : keepOthers(ground, range, repetition);
    return [{ ...range, text }];
  }
  return findPlaces(ground, segment, expression).map(({ range }) => ({ ...range, text: '' }));
}

/** The field without the repetitions that are chosen. */
function keepOthers(
  ground: Ground,
  field: TextRange,
  choice: NonNullable<PathExpression['repetition']>,
): string {
  const chosen = new Set(findRepetitions(ground, field, choice).map(({ position }) => position));
  return findRepetitions(ground, field, 'all')
    .filter(({ position }) => !chosen.has(position))
    .map(({ range }) => ground.text.slice(range.start, range.end))
    .join(ground.delimiters.repetition);
}

/** Where the line after the one that ends at `end` starts: behind CR, LF or CRLF; `end` where none of them is. */
export function findNextLine(text: string, end: number): number {
  if (!/[\r\n]/.test(text.charAt(end))) return end;
  return end + (text.startsWith('\r\n', end) ? 2 : 1);
}

/** What to replace, and the delimiters to put in front where it lies beyond the end. */
interface Spot {
  readonly range: TextRange;
  readonly padding: string;
}

/** A place with numbers alone. */
interface NumberedPath {
  readonly field: number;
  readonly repetition: number;
  readonly component: number | undefined;
  readonly subcomponent: number | undefined;
}

function findSpot(ground: Ground, segment: Segment, path: NumberedPath): Spot {
  const { text, delimiters } = ground;
  const { field, repetition, component, subcomponent } = path;
  const range = segment.fieldRange(field);
  const { end } = segment.range;
  const spot: Spot =
    range === undefined
      ? { range: { start: end, end }, padding: delimiters.field.repeat(field - segment.fieldCount) }
      : { range, padding: '' };
  const place = { segment: segment.name, field, component, subcomponent };
  return findSpotWithin(ground, descend(text, spot, delimiters.repetition, repetition), place);
}

/** The spot of a component or sub-component in that of its repetition. */
function findSpotWithin(
  { text, delimiters }: Ground,
  repetition: Spot,
  {
    component,
    subcomponent,
    ...place
  }: FieldPlace & Pick<NumberedPath, 'component' | 'subcomponent'>,
): Spot {
  if (component === undefined) return repetition;
  const spot = descend(text, repetition, delimiters.component, component);
  if (subcomponent === undefined) return spot;
  if (delimiters.subcomponent === '' && subcomponent > 1) {
    throw refuseDelimiter(place, 'a sub-component separator');
  }
  return descend(text, spot, delimiters.subcomponent, subcomponent);
}

function descend(text: string, spot: Spot, mark: string, position: number): Spot {
  const range = findPart(text, mark, spot.range, position);
  if (range !== undefined) return { range, padding: spot.padding };
  const { end } = spot.range;
  const missing = position - countParts(text, mark, spot.range);
  return { range: { start: end, end }, padding: spot.padding + mark.repeat(missing) };
}

/** The field that is edited; the delimiters themselves are not, and neither are whole segments. */
function requireField({ isHeader }: Segment, expression: PathExpression): number {
  const { field } = expression;
  if (field === undefined || (isHeader && field <= 2)) throw refuseEditing(expression);
  return field;
}

/** A value as it stands in the message. */
function toRaw(
  delimiters: Delimiters,
  { segment, field, component, subcomponent }: PathExpression,
  { value, isRaw }: NewValue,
): string {
  if (!isRaw) {
    const escaped = escapeText(value, delimiters);
    if (escaped === undefined) throw refuseDelimiter({ segment, field }, 'an escape character');
    return escaped;
  }
  const outer = ['\r', '\n', delimiters.field, delimiters.repetition];
  if (component !== undefined) outer.push(delimiters.component);
  if (subcomponent !== undefined) outer.push(delimiters.subcomponent);
  if (outer.some((mark) => mark !== '' && value.includes(mark))) {
    const message = 'Expected a value that stays within its place, found a delimiter that ends it';
    throw refuse('value-divides', { segment, field }, message);
  }
  return value;
}

function refuseEditing(expression: PathExpression): HilumError {
  const message = 'Expected a path to a field other than the delimiters';
  return refuse('path-not-editable', expression, message);
}

function refuseDelimiter(place: FieldPlace, what: string): HilumError {
  const message = `Expected ${what} in MSH-2 for this value, found none`;
  return refuse('delimiter-missing', place, message);
}

/** The segment and field of a path. */
interface FieldPlace {
  readonly segment: string;
  readonly field?: number | undefined;
}

/** A permanent HilumError at a place. */
export function refuse(code: string, { segment, field }: FieldPlace, message: string): HilumError {
  const location = formatPath({ segment, ...(field === undefined ? {} : { field }) });
  return new HilumError('permanent', [{ code, severity: 'error', location, message }]);
}
