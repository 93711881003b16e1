import type { Segment } from '../message.ts';
import { checkElement, reportAbsence } from './check-element.ts';
import { findUsage } from './condition.ts';
import { dividers, marks } from './marks.ts';
import type { Scan } from './scan.ts';
import type { FieldCheck, SegmentCheck } from './segment-check.ts';

/** Reads a segment once, from left to right, and holds every field against its rules. */
export function checkSegment(scan: Scan, segment: Segment, check: SegmentCheck): void {
  const { text, table } = scan;
  const { end } = segment.range;
  const { fields } = check;
  scan.startSegment(segment);
  // MSH-1 and MSH-2 are the delimiters themselves, which the parser judges.
  const isHeader = segment.name === 'MSH' || segment.name === 'FHS' || segment.name === 'BHS';
  let at = segment.range.start + 3;
  let position = 0;
  if (isHeader) {
    at = skipField(scan, at + 1, end);
    position = 2;
  }
  while (at < end) {
    const start = ++at;
    let kinds = 0;
    let count = 0;
    for (; at < end; at++) {
      const kind = table[text.charCodeAt(at)] ?? 0;
      if (kind === 0) continue;
      if (kind === marks.field) break;
      kinds |= kind;
      if ((kind & dividers) !== 0) count++;
    }
    scan.position = ++position;
    scan.keepField(position, start, at);
    const field = fields[position - 1];
    // Nothing but delimiters is nothing.
    if (at - start === count) {
      if (field?.isExpected === true) checkAbsence(scan, field);
    } else if (field !== undefined) {
      checkField(scan, field, { start, end: at, kinds });
    } else if (!check.isOpenEnded) {
      const text = 'Expected no more fields than the version has for this segment, found one';
      scan.report('field-unexpected', 'warning', `${text}; it is not checked`);
    }
  }
  for (const expected of check.expected) {
    const field = fields[expected - 1];
    if (expected <= position || field === undefined) continue;
    scan.position = expected;
    checkAbsence(scan, field);
  }
}

/** Where a value stands, and the bits of the marks in it. */
interface Extent {
  readonly start: number;
  readonly end: number;
  readonly kinds: number;
}

function skipField({ text, table }: Scan, start: number, end: number): number {
  let at = start;
  while (at < end && table[text.charCodeAt(at)] !== marks.field) at++;
  return at;
}

function checkAbsence(scan: Scan, { element }: FieldCheck): void {
  reportAbsence(scan, element, 'field');
}

function checkField(scan: Scan, field: FieldCheck, extent: Extent): void {
  const { element } = field;
  if (element.usage === 'X' || element.condition !== undefined) {
    const usage = findUsage(scan, element);
    if (usage === 'X') {
      const text = 'Expected no value, since this field is not supported here, found one';
      scan.report('value-unsupported', 'error', text);
      return;
    }
  }
  const { start, end, kinds } = extent;
  if ((kinds & marks.repetition) === 0) {
    checkElement(scan, element, start, end, kinds);
    if (field.min > 1) reportTooFew(scan, 1, field.min);
    return;
  }
  checkRepetitions(scan, field, extent);
}

function checkRepetitions(scan: Scan, field: FieldCheck, { start, end }: Extent): void {
  const { text, table } = scan;
  let from = start;
  let kinds = 0;
  let divided = 0;
  let count = 0;
  for (let at = start; at <= end; at++) {
    const kind = at === end ? marks.repetition : (table[text.charCodeAt(at)] ?? 0);
    if (kind === 0) continue;
    if (kind !== marks.repetition) {
      kinds |= kind;
      if ((kind & dividers) !== 0) divided++;
      continue;
    }
    if (at - from > divided) {
      count++;
      if (count === field.max + 1) {
        const limit = field.max === 1 ? 'one repetition' : `${field.max} repetitions`;
        scan.report('repetitions-too-many', 'error', `Expected ${limit} at most, found more`);
      }
      checkElement(scan, field.element, from, at, kinds);
    }
    scan.repetition++;
    from = at + 1;
    kinds = 0;
    divided = 0;
  }
  scan.repetition = 1;
  if (count < field.min) reportTooFew(scan, count, field.min);
}

function reportTooFew(scan: Scan, count: number, min: number): void {
  const text = `Expected ${min} repetitions at least, found ${count}`;
  scan.report('repetitions-too-few', 'error', text);
}
