import type { Issue } from '../issue.ts';
import { decodeMessage } from './charset.ts';
import type { Definitions, VersionDefinitions } from './definitions/definitions.ts';
import { readDelimiters } from './delimiters.ts';
import { toSegmentLocation } from './location.ts';
import { MessageView } from './message-view.ts';
import type { Hl7Message, ParseResult, Segment } from './message.ts';
import { buildNoHeader } from './no-header.ts';
import { findLineEnd, findStart } from './scan.ts';
import { buildNameIssue, isSegmentName } from './segment-name.ts';

/** How to read a message. */
export interface ParseOptions {
  /**
   * Of bytes: the sender's character set where MSH-18 does not tell the truth, named as in table 0211. Of
   * text: what it was decoded from, which its `\X..\` are in.
   */
  readonly charset?: string;
  /** For paths with groups, such as `ORDER_OBSERVATION[2].OBX-5`. */
  readonly definitions?: Definitions | VersionDefinitions;
}

/**
 * Parses one message: finds its delimiters and segments, and nothing else until it is asked for. Never
 * throws. Not a message are: `message-empty`, `header-missing` (no MSH), `batch-unsplit` (FHS or BHS in
 * front), `header-too-short`, `delimiter-invalid`, `delimiters-not-distinct`. Findings that let it pass:
 * `segment-name-invalid` (a line that is no segment, perhaps a wrapped one), `header-repeated` (a second
 * message: split the text first), and those of the character set.
 */
export function parseMessage(source: string | Uint8Array, options: ParseOptions = {}): ParseResult {
  if (typeof source === 'string') return parseText(source, [], options);
  const { text, charset, issues } = decodeMessage(source, options.charset);
  return parseText(text, issues, { ...options, charset });
}

function parseText(text: string, issues: readonly Issue[], context: ParseOptions): ParseResult {
  const start = findStart(text);
  if (!text.startsWith('MSH', start)) {
    return { ok: false, issues: [...issues, buildNoHeader(text, start)] };
  }
  const read = readDelimiters(text, start, findLineEnd(text, start));
  if (!read.ok) return { ok: false, issues: [...issues, ...read.issues] };
  const message = new MessageView(text, read.delimiters, context);
  return new Parsed(message, [...issues, ...read.issues]);
}

/** A message and its findings, which are looked for when they are asked for: that takes all segments. */
class Parsed {
  readonly ok = true;
  readonly message: MessageView;
  private readonly before: readonly Issue[];
  private found: readonly Issue[] | undefined;

  constructor(message: MessageView, before: readonly Issue[]) {
    this.message = message;
    this.before = before;
  }

  get issues(): readonly Issue[] {
    return (this.found ??= [...this.before, ...findFindings(this.message)]);
  }
}

/** Lines that are no segments and headers after the first, in their order. */
function findFindings(message: Hl7Message): readonly Issue[] {
  const issues: Issue[] = [];
  let last: Segment | undefined;
  for (const segment of message.segments) {
    if (!isSegmentName(segment.name)) {
      issues.push(buildNameIssue(message, last ?? segment, segment.line));
      continue;
    }
    if (segment.name === 'MSH' && last !== undefined) {
      issues.push({
        code: 'header-repeated',
        severity: 'error',
        location: toSegmentLocation(message, segment),
        message: `Expected one message, found another MSH on line ${segment.line}; split the text first`,
      });
    }
    last = segment;
  }
  return issues;
}
