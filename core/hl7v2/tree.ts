import type { Hl7Message, Segment } from './message.ts';

/**
 * A segment as plain data: `fields[0]` is its first field (MSH-1 of MSH), a field is a list of
 * repetitions, a repetition of components, a component of decoded sub-components.
 */
export interface SegmentTree {
  readonly segment: string;
  readonly fields: readonly (readonly (readonly (readonly string[])[])[])[];
}

/** The whole message as plain data, for scripts; decoded, so delimiters inside values are only text. */
export function toTree(message: Hl7Message): readonly SegmentTree[] {
  return message.segments.map((segment) => ({
    segment: segment.name,
    fields: count(segment.fieldCount, (field) => toRepetitions(segment, field)),
  }));
}

/**
 * The whole message as indented text for people: a line a segment, and below it a line a value with its
 * position, empty ones left out. Line breaks inside values are shown as `\n`.
 */
export function formatTree(message: Hl7Message): string {
  const lines: string[] = [];
  for (const segment of message.segments) {
    const several = message.segmentsNamed(segment.name).length > 1;
    const name = several ? `${segment.name}[${segment.occurrence}]` : segment.name;
    lines.push(toOneLine(name), ...formatFields(segment, toOneLine(name)));
  }
  return lines.map((line) => `${line}\n`).join('');
}

/** A value on one line: each line break inside it as `\n`. */
export function toOneLine(text: string): string {
  return text.replaceAll(/\r\n|\r|\n/g, '\\n');
}

function formatFields(segment: Segment, name: string): readonly string[] {
  return count(segment.fieldCount, (position) => {
    const repetitions = toRepetitions(segment, position);
    return repetitions.flatMap((components, repetition) => {
      const field = `${name}-${position}${repetitions.length > 1 ? `[${repetition + 1}]` : ''}`;
      return formatComponents(components, field);
    });
  }).flat();
}

function formatComponents(components: readonly (readonly string[])[], field: string): string[] {
  return components.flatMap((subcomponents, component) => {
    const place =
      components.length > 1 || subcomponents.length > 1 ? `${field}.${component + 1}` : field;
    return subcomponents.flatMap((text, subcomponent) => {
      if (text === '') return [];
      const path = subcomponents.length > 1 ? `${place}.${subcomponent + 1}` : place;
      return [`  ${path}  ${toOneLine(text)}`];
    });
  });
}

type Repetitions = readonly (readonly (readonly string[])[])[];

/** Divided in one pass each: asking for one component after the other would be quadratic. */
function toRepetitions({ delimiters, decode }: Reader, segment: Segment, position: number): Repetitions {
  const { repetitions } = segment.field(position);
  return repetitions.map((repetition) => {
    if (isHeader(segment) && position <= 2) return [[repetition.raw]];
    const components = split(repetition.raw, delimiters.component);
    return components.map((each) => split(each, delimiters.subcomponent).map(decode));
  });
}

function count<T>(length: number, build: (position: number) => T): readonly T[] {
  return Array.from({ length }, (_, index) => build(index + 1));
}
