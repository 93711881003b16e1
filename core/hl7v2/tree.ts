import { toSegmentLocation } from './location.ts';
import type { Hl7Message, Segment } from './message.ts';

/** A field as its repetitions, those as components, those as decoded sub-components. */
type FieldTree = readonly (readonly (readonly string[])[])[];

/** A segment as plain data: `fields[0]` is its first field, which in MSH is the separator. */
export interface SegmentTree {
  readonly segment: string;
  readonly fields: readonly FieldTree[];
}

/** The whole message as plain data, for scripts; decoded, so delimiters inside values are only text. */
export function toTree(message: Hl7Message): readonly SegmentTree[] {
  return message.segments.map((segment) => ({
    segment: segment.name,
    fields: Array.from({ length: segment.fieldCount }, (_, at) =>
      toField(message, segment, at + 1),
    ),
  }));
}

/**
 * The whole message as indented text for people: a line a segment, and below it a line a value with its
 * position, empty ones left out. Line breaks inside values are shown as `\n`.
 */
export function formatTree(message: Hl7Message): string {
  const lines = message.segments.flatMap((segment) => {
    const name = toOneLine(toSegmentLocation(message, segment));
    const fields = Array.from({ length: segment.fieldCount }, (_, at) =>
      formatField(toField(message, segment, at + 1), `${name}-${at + 1}`),
    );
    return [name, ...fields.flat()];
  });
  return lines.map((line) => `${line}\n`).join('');
}

/** A value on one line: each line break inside it as `\n`. */
export function toOneLine(text: string): string {
  return text.replaceAll(/\r\n|\r|\n/g, '\\n');
}

/** Divided in one pass: asking for one component after the other would be quadratic. */
function toField(message: Hl7Message, segment: Segment, position: number): FieldTree {
  const { delimiters } = message;
  const field = segment.field(position);
  if (position <= 2 && /^(?:MSH|FHS|BHS)$/.test(segment.name)) return [[[field.raw]]];
  return field.repetitions.map((repetition) =>
    divide(repetition.raw, delimiters.component).map((component) =>
      divide(component, delimiters.subcomponent).map((raw) => message.decode(raw)),
    ),
  );
}

/** By a mark that may not exist: `''` would divide between all characters. */
function divide(text: string, mark: string): readonly string[] {
  return mark === '' ? [text] : text.split(mark);
}

function formatField(repetitions: FieldTree, field: string): readonly string[] {
  return repetitions.flatMap((components, index) =>
    formatComponents(components, repetitions.length > 1 ? `${field}[${index + 1}]` : field),
  );
}

function formatComponents(
  components: readonly (readonly string[])[],
  field: string,
): readonly string[] {
  return components.flatMap((subcomponents, index) => {
    const single = components.length === 1 && subcomponents.length === 1;
    const component = single ? field : `${field}.${index + 1}`;
    return subcomponents.flatMap((text, at) => {
      const path = subcomponents.length > 1 ? `${component}.${at + 1}` : component;
      return text === '' ? [] : [`  ${path}  ${toOneLine(text)}`];
    });
  });
}
