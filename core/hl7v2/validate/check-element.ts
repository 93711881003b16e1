import { checkOwnRules } from './check-value.ts';
import { findUsage } from './condition.ts';
import type { ElementCheck } from './element-check.ts';
import { dividers, marks } from './marks.ts';
import type { Scan } from './scan.ts';

const quote = 34;

/**
 * Holds a field's repetition against its rules, with all its parts: `[start, end)` is not empty, and
 * `kinds` are the bits of the marks in it. Here and below these are numbers and not an object, since every
 * value of every message passes.
 */
export function checkElement(
  scan: Scan,
  check: ElementCheck,
  start: number,
  end: number,
  kinds: number,
): void {
  checkAt(scan, check, start, end, kinds, marks.component);
}

/** `mark` is what divides the element: the component, the sub-component, or nothing (0). */
function checkAt(
  scan: Scan,
  check: ElementCheck,
  start: number,
  end: number,
  kinds: number,
  mark: number,
): void {
  // The HL7 null may stand everywhere: the value is to be deleted.
  if (end - start === 2 && isNull(scan.text, start)) return;
  const { components } = check;
  if (components === undefined) {
    checkPrimitive(scan, check, start, end, kinds);
    return;
  }
  if (check.hasOwnRules) checkOwnRules(scan, check, start, end, mark);
  if ((kinds & mark) !== 0) {
    checkParts(scan, check, start, end, mark);
    return;
  }
  const [first] = components;
  if (first !== undefined) checkPart(scan, first, start, end, kinds, mark);
  const absent = check.expected & ~1;
  if (absent !== 0) checkAbsent(scan, check, absent, mark);
}

function isNull(text: string, start: number): boolean {
  return text.charCodeAt(start) === quote && text.charCodeAt(start + 1) === quote;
}

/** A part that was found: below it the next delimiter divides. */
function checkPart(
  scan: Scan,
  check: ElementCheck,
  start: number,
  end: number,
  kinds: number,
  mark: number,
): void {
  if (check.usage === 'X' || check.condition !== undefined) {
    if (findUsage(scan, check) === 'X') {
      const text = 'Expected no value, since this component is not supported here, found one';
      scan.report('value-unsupported', 'error', text);
      return;
    }
  }
  const next = mark === marks.component ? marks.subcomponent : 0;
  checkAt(scan, check, start, end, kinds, next);
}

function checkParts(
  scan: Scan,
  check: ElementCheck,
  start: number,
  end: number,
  mark: number,
): void {
  const { text, table } = scan;
  const components = check.components ?? [];
  let position = 1;
  let from = start;
  let kinds = 0;
  let divided = 0;
  let found = 0;
  for (let at = start; at <= end; at++) {
    const kind = at === end ? mark : (table[text.charCodeAt(at)] ?? 0);
    if (kind === 0) continue;
    if (kind !== mark) {
      kinds |= kind;
      if ((kind & dividers) !== 0) divided++;
      continue;
    }
    if (at - from > divided) {
      place(scan, position, mark);
      const part = components[position - 1];
      if (position <= 31) found |= 1 << (position - 1);
      if (part !== undefined) checkPart(scan, part, from, at, kinds, mark);
      else if (position <= components.length + 1) reportUnexpected(scan, mark);
    }
    position++;
    from = at + 1;
    kinds = 0;
    divided = 0;
  }
  place(scan, 0, mark);
  const absent = check.expected & ~found;
  if (absent !== 0) checkAbsent(scan, check, absent, mark);
  if (check.isHierarchic) checkAuthority(scan, found, mark);
}

function place(scan: Scan, position: number, mark: number): void {
  if (mark === marks.component) scan.component = position;
  else scan.subcomponent = position;
}

function checkPrimitive(
  scan: Scan,
  check: ElementCheck,
  start: number,
  end: number,
  kinds: number,
): void {
  if ((kinds & marks.control) !== 0) {
    const text = 'Expected characters that can be shown, found a control character';
    scan.report('character-invalid', 'warning', `${text}; send it as an escape sequence`);
  }
  if (check.isOpaque) {
    if (check.hasOwnRules) checkOwnRules(scan, check, start, end, 0);
    return;
  }
  const isDivided = (kinds & (marks.component | marks.subcomponent)) !== 0;
  const valueEnd = isDivided ? findFirstEnd(scan, start, end) : end;
  if (isDivided) {
    const text = `Expected one value (${check.datatype}), found one that delimiters divide`;
    scan.report('component-unexpected', 'warning', `${text}; in text they are to be escaped`);
  }
  if (valueEnd === start) return;
  // What has not even the form of its type is not held against anything else.
  if (hasForm(scan, check, start, valueEnd, kinds)) {
    if (check.hasOwnRules) checkOwnRules(scan, check, start, valueEnd, 0);
  } else {
    scan.report('value-invalid', 'error', `Expected ${check.form?.expected}, found other text`);
  }
}

function hasForm(
  scan: Scan,
  { form }: ElementCheck,
  start: number,
  end: number,
  kinds: number,
): boolean {
  if (form === undefined || form.test(scan.text, start, end)) return true;
  if ((kinds & marks.escape) === 0) return false;
  const value = scan.decode(start, end);
  return value === '' || form.test(value, 0, value.length);
}

/** Where the first part of a value ends that ought to have only one: that one is read. */
function findFirstEnd({ text, table }: Scan, start: number, end: number): number {
  let at = start;
  while (at < end && ((table[text.charCodeAt(at)] ?? 0) & dividers) === 0) at++;
  return at;
}

function reportUnexpected(scan: Scan, mark: number): void {
  const what = mark === marks.component ? 'components' : 'sub-components';
  const text = `Expected no more ${what} than the datatype has, found one`;
  scan.report('component-unexpected', 'warning', `${text}; it is not checked`);
}

/** HL7 v2 chapter 2A, HD: an authority's identifier and its type come together. */
function checkAuthority(scan: Scan, found: number, mark: number): void {
  const both = found & 6;
  if (both !== 2 && both !== 4) return;
  place(scan, both === 2 ? 3 : 2, mark);
  const text =
    both === 2
      ? 'Expected the type of the universal id in front of it, such as ISO, found none'
      : 'Expected a universal id of the type behind it, found none';
  scan.report('required-field-missing', 'error', text);
  place(scan, 0, mark);
}

function checkAbsent(scan: Scan, check: ElementCheck, absent: number, mark: number): void {
  for (const [index, part] of (check.components ?? []).slice(0, 31).entries()) {
    if ((absent & (1 << index)) === 0) continue;
    place(scan, index + 1, mark);
    reportAbsence(scan, part, 'component');
  }
  place(scan, 0, mark);
}

/** What is to be said where a field or component is absent, by its usage. */
export function reportAbsence(scan: Scan, check: ElementCheck, what: 'field' | 'component'): void {
  const { condition } = check;
  const usage = findUsage(scan, check);
  if (usage === 'RE') {
    const text = `Expected a value in this ${what} where the sender has one, found none`;
    scan.report('value-expected', 'information', text);
  } else if (usage === 'R') {
    const why =
      condition === undefined ? `this required ${what}` : `this ${what}, as ${condition.text}`;
    scan.report('required-field-missing', 'error', `Expected a value in ${why}, found none`);
  }
}
