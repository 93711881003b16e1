import type { Component, Repetition, Segment, Value } from '../hl7v2/message.ts';

/** A value of the message and where it stands; positions are 1-based, 0 where the level is not entered. */
export interface SourceValue {
  readonly segment: Segment;
  readonly field: number;
  readonly repetition: number;
  readonly component: number;
  readonly subcomponent: number;
  readonly value: Value;
}

/** The repetition of a field as a source value; `found` is it, absent where the field has fewer. */
export function toRepetition(
  segment: Segment,
  position: { readonly field: number; readonly repetition: number },
  found: Repetition | undefined,
): SourceValue {
  const { field, repetition } = position;
  return { segment, field, repetition, component: 0, subcomponent: 0, value: found ?? absent };
}

/**
 * One level deeper: component of a repetition, sub-component of a component. Of a sub-component only the
 * first exists, and is it itself: a datatype that is used one level down keeps its paths.
 */
export function toChild(source: SourceValue, position: number): SourceValue {
  const { segment, field, repetition, component, value } = source;
  if (source.subcomponent > 0) {
    return position === 1 ? source : { ...source, value: absent };
  }
  if (component === 0) {
    const found = value.present ? (value as Repetition).component(position) : absent;
    return { segment, field, repetition, component: position, subcomponent: 0, value: found };
  }
  const found = value.present ? (value as Component).subcomponent(position) : absent;
  return { segment, field, repetition, component, subcomponent: position, value: found };
}

/** The first primitive below: what a simple datatype means by its value. */
export function toLeaf(source: SourceValue): SourceValue {
  let leaf = source;
  if (leaf.component === 0) leaf = toChild(leaf, 1);
  if (leaf.subcomponent === 0) leaf = toChild(leaf, 1);
  return leaf;
}

/**
 * Decoded text of the first primitive; `''` where it is absent, empty or the HL7 null. Bytes that the
 * character set does not have, half characters in the text, are U+FFFD here: no JSON can hold them.
 */
export function toText(source: SourceValue): string {
  const { value } = toLeaf(source);
  return value.valued ? value.text.toWellFormed() : '';
}

/** `PID-3[1].4.2`, `OBX[2]-5[1]`: the segment's occurrence where it is not the first. */
export function toLocation(source: SourceValue): string {
  const { segment, field, repetition, component, subcomponent } = source;
  const base = `${toSegmentName(segment)}-${field}`;
  if (repetition === 0) return base;
  if (component === 0) return `${base}[${repetition}]`;
  if (subcomponent === 0) return `${base}[${repetition}].${component}`;
  return `${base}[${repetition}].${component}.${subcomponent}`;
}

/** `OBX` for the first of its name, `OBX[2]` for the second. */
export function toSegmentName(segment: Segment): string {
  return segment.occurrence === 1 ? segment.name : `${segment.name}[${segment.occurrence}]`;
}

const absent: Value = {
  present: false,
  raw: '',
  text: '',
  valued: false,
  range: { start: 0, end: 0 },
};
