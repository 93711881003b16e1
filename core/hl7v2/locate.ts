import type { Delimiters, Segment, TextRange } from './message.ts';
import type { Index, Path, PathExpression, Selector } from './path.ts';
import { findMark, findPartStart } from './scan.ts';

/** What places are looked for in. */
export interface Ground {
  readonly text: string;
  readonly delimiters: Delimiters;
  decode(raw: string): string;
}

/** A place that an expression leads to. */
export interface Located {
  readonly path: Path;
  readonly range: TextRange;
}

/** A repetition of a field, 1-based, and where it stands. */
export interface RepetitionPlace {
  readonly position: number;
  readonly range: TextRange;
}

/** The places of an expression in one of its segments, from left to right. */
export function findPlaces(
  ground: Ground,
  segment: Segment,
  expression: PathExpression,
): readonly Located[] {
  const { field, component, subcomponent } = expression;
  const path: Path = { segment: segment.name, occurrence: segment.occurrence };
  if (field === undefined) return [{ path, range: segment.range }];
  const range = segment.fieldRange(field);
  if (range === undefined) return [];
  if (segment.isHeader && field <= 2) {
    return isFirst(expression) ? [{ path: { ...path, field }, range }] : [];
  }
  return findRepetitions(ground, range, expression.repetition).flatMap((repetition) => {
    const found = findWithin(ground, repetition.range, expression);
    if (found === undefined) return [];
    const place = { ...path, field, repetition: repetition.position };
    const deeper = {
      ...(component === undefined ? {} : { component }),
      ...(subcomponent === undefined ? {} : { subcomponent }),
    };
    return [{ path: { ...place, ...deeper }, range: found }];
  });
}

/** MSH-1 and MSH-2 are one value: their characters divide everything but themselves. */
function isFirst({ repetition = 1, component = 1, subcomponent = 1 }: PathExpression): boolean {
  return (repetition === 1 || repetition === 'all') && component === 1 && subcomponent === 1;
}

/** The repetitions of a field that are chosen, from left to right: every one where nothing says which. */
export function findRepetitions(
  ground: Ground,
  field: TextRange,
  choice: Index | undefined,
): readonly RepetitionPlace[] {
  const { text, delimiters } = ground;
  const found: RepetitionPlace[] = [];
  let position = 0;
  for (let { start } = field; start <= field.end;) {
    const end = findMark(text, delimiters.repetition, start, field.end);
    position++;
    const place = { position, range: { start, end } };
    if (typeof choice === 'number') {
      if (position === choice) return [place];
    } else if (typeof choice !== 'object' || isChosen(ground, place.range, choice)) {
      found.push(place);
    }
    start = end + 1;
  }
  return found;
}

/** Whether the selector's component of a repetition has the selector's value. */
export function isChosen(ground: Ground, repetition: TextRange, selector: Selector): boolean {
  const range = findWithin(ground, repetition, selector);
  if (range === undefined) return false;
  const raw = ground.text.slice(range.start, range.end);
  return raw === selector.value || ground.decode(raw) === selector.value;
}

/** Where the component and sub-component of a path stand in a repetition; undefined beyond the end. */
export function findWithin(
  { text, delimiters }: Ground,
  repetition: TextRange,
  { component, subcomponent }: Pick<Path, 'component' | 'subcomponent'>,
): TextRange | undefined {
  if (component === undefined) return repetition;
  const start = findPartStart(text, delimiters.component, repetition, component);
  if (start === -1) return undefined;
  const range = { start, end: findMark(text, delimiters.component, start, repetition.end) };
  if (subcomponent === undefined) return range;
  const inner = findPartStart(text, delimiters.subcomponent, range, subcomponent);
  if (inner === -1) return undefined;
  return { start: inner, end: findMark(text, delimiters.subcomponent, inner, range.end) };
}

/** What stands in a range, decoded where it is one value, as it stands where it is divided any further. */
export function readValue(ground: Ground, { start, end }: TextRange): string {
  const raw = ground.text.slice(start, end);
  const { component, subcomponent, escape } = ground.delimiters;
  if (escape === '' || !raw.includes(escape)) return raw;
  const isDivided = raw.includes(component) || (subcomponent !== '' && raw.includes(subcomponent));
  return isDivided ? raw : ground.decode(raw);
}
