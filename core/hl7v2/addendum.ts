import type { Issue } from '../issue.ts';
import { findStart, forEachLine } from './scan.ts';

/** A segment as its line, with what ends it. */
export interface SegmentLine {
  readonly name: string;
  readonly body: string;
  /** CR, LF or CRLF and empty lines behind it; `''` where the text ends. */
  readonly end: string;
}

/** A text's lines; what stands in front of the first is left out. */
export function readLines(text: string): readonly SegmentLine[] {
  const ranges: { readonly start: number; readonly end: number }[] = [];
  forEachLine(text, 0, (start, end) => {
    ranges.push({ start: ranges.length === 0 ? findStart(text) : start, end });
  });
  return ranges.map(({ start, end }, index) => ({
    name: text.slice(start, start + 3),
    body: text.slice(start, end),
    end: text.slice(end, ranges[index + 1]?.start ?? text.length),
  }));
}

/** The lines as a text again; each but the last ends, if need be as the first does. */
export function writeLines(lines: readonly SegmentLine[]): string {
  const usual = /^(?:\r\n|\r|\n)/.exec(lines[0]?.end ?? '')?.[0] ?? '\r';
  return lines
    .map(({ body, end }, index) => body + (end === '' && index < lines.length - 1 ? usual : end))
    .join('');
}

const whole = new Set(['MSH', 'MSA', 'DSC', 'PID', 'QRD', 'QRF', 'URD', 'URS']);

/**
 * Lines with what ADD segments hold added to the segment in front, at the character where that was cut. An
 * ADD without fields says that the next ADD has the rest. `addendum-missing`: it has none, and no DSC says
 * that a next message has it; `addendum-unexpected`: nothing in front, or a segment that HL7 does not let
 * be continued (MSH, MSA, DSC, PID, QRD, QRF, URD, URS). HL7 v2 chapter 2, continuation segments.
 */
export function mergeAddenda(
  lines: readonly SegmentLine[],
  separator: string,
): { readonly lines: readonly SegmentLine[]; readonly issues: readonly Issue[] } {
  const merged: { readonly name: string; readonly bodies: string[]; end: string }[] = [];
  const issues: Issue[] = [];
  for (const [index, line] of lines.entries()) {
    const last = merged.at(-1);
    const rest = findRest(line, separator);
    if (rest === undefined) {
      merged.push({ name: line.name, bodies: [line.body], end: line.end });
      continue;
    }
    const next = lines[index + 1];
    const isContinued = next !== undefined && findRest(next, separator) !== undefined;
    if (last === undefined || whole.has(last.name)) {
      issues.push(buildIssue('addendum-unexpected', last?.name, index + 1));
      merged.push({ name: line.name, bodies: [line.body], end: line.end });
    } else if (rest !== '') {
      last.bodies.push(rest);
      last.end = line.end;
    } else if (!isContinued) {
      if (next?.name !== 'DSC') issues.push(buildIssue('addendum-missing', last.name, index + 1));
      merged.push({ name: line.name, bodies: [line.body], end: line.end });
    }
  }
  return {
    lines: merged.map(({ name, bodies, end }) => ({ name, body: bodies.join(''), end })),
    issues,
  };
}

/** What an ADD adds, `''` for a mere marker; undefined for another segment. */
function findRest({ name, body }: SegmentLine, separator: string): string | undefined {
  if (name !== 'ADD' || (body.length > 3 && body.charAt(3) !== separator)) return undefined;
  return body.slice(4);
}

function buildIssue(
  code: 'addendum-missing' | 'addendum-unexpected',
  name: string | undefined,
  line: number,
): Issue {
  const message =
    code === 'addendum-missing'
      ? `Expected the rest of ${name ?? 'a segment'} in an ADD behind the ADD on line ${line}, found none; part of the message is missing`
      : `Expected a segment that may be continued in front of the ADD on line ${line}, found ${name ?? 'none'}`;
  return { code, severity: 'error', location: 'ADD', message };
}
