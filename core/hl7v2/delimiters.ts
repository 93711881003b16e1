import type { Issue } from '../issue.ts';
import type { Delimiters } from './message.ts';
import { findMark } from './scan.ts';

/** MSH-1 and MSH-2 as nearly everybody sends them: `|^~\&`. */
export const usualDelimiters: Delimiters = {
  field: '|',
  component: '^',
  repetition: '~',
  escape: '\\',
  subcomponent: '&',
};

/** The delimiters with findings that do not stand in the way, or the reasons why there are none. */
export type DelimitersResult =
  | { readonly ok: true; readonly delimiters: Delimiters; readonly issues: readonly Issue[] }
  | { readonly ok: false; readonly issues: readonly Issue[] };

const none: readonly Issue[] = [];
const usual: DelimitersResult = { ok: true, delimiters: usualDelimiters, issues: none };

/**
 * MSH-1 and MSH-2 (or those of FHS, BHS) of the segment at `[start, end)`. Escape and sub-component
 * separator may be missing and are `''` then. HL7 v2 chapter 2, message delimiters.
 */
export function readDelimiters(text: string, start: number, end: number): DelimitersResult {
  if (text.startsWith('|^~\\&|', start + 3)) return usual;
  const field = text.charAt(start + 3);
  if (start + 4 > end) {
    return refuse(
      'header-too-short',
      'MSH-1',
      'Expected a field separator after MSH, found the end',
    );
  }
  if (!isDelimiter(field)) {
    const message =
      'Expected a punctuation mark as field separator, found a letter, digit or space';
    return refuse('delimiter-invalid', 'MSH-1', message);
  }
  const encoding = text.slice(start + 4, findMark(text, field, start + 4, end));
  const [component = '', repetition = '', escape = '', subcomponent = '', truncation] =
    Array.from(encoding);
  if (repetition === '') {
    const message = `Expected the encoding characters, usually ^~\\&, found ${encoding.length} of them`;
    return refuse('header-too-short', 'MSH-2', message);
  }
  const all = [field, ...Array.from(encoding.slice(0, 5))];
  if (!all.every(isDelimiter)) {
    const message =
      'Expected punctuation marks as encoding characters, found a letter, digit or space';
    return refuse('delimiter-invalid', 'MSH-2', message);
  }
  if (new Set(all).size !== all.length) {
    const message = 'Expected delimiters that differ from one another, found one twice';
    return refuse('delimiters-not-distinct', 'MSH-2', message);
  }
  const delimiters = { field, component, repetition, escape, subcomponent };
  return {
    ok: true,
    delimiters: truncation === undefined ? delimiters : { ...delimiters, truncation },
    issues:
      encoding.length === 4 || encoding.length === 5 ? none : [buildCountIssue(encoding.length)],
  };
}

/** One of the marks that HL7 could mean: not a letter, digit, space or control character; one UTF-16 unit. */
function isDelimiter(mark: string): boolean {
  return mark.length === 1 && /^[^\p{L}\p{N}\p{Z}\p{C}]$/u.test(mark);
}

function buildCountIssue(found: number): Issue {
  const message = `Expected four encoding characters, or five with the truncation character, found ${found}`;
  return { code: 'encoding-characters-count', severity: 'warning', location: 'MSH-2', message };
}

function refuse(code: string, location: string, message: string): DelimitersResult {
  return { ok: false, issues: [{ code, severity: 'fatal', location, message }] };
}
