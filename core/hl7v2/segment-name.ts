import type { Issue } from '../issue.ts';
import { toSegmentLocation } from './location.ts';
import type { Hl7Message, Segment } from './message.ts';

/**
 * `segment-name-invalid`: a line that is no segment as HL7 knows them, most often the rest of a value
 * with a line break in it. Its location is the last segment in front of it, its message tells the number
 * of the line, 1-based. What the line says is never shown, not even where it is as short as a name: it
 * may be a patient's.
 */
export function buildNameIssue(message: Hl7Message, last: Segment, line: number): Issue {
  const text = `Expected a segment name of three capitals or digits on line ${line}, found other text: perhaps a line break inside a value, to be sent as \\.br\\ or \\X0A\\`;
  const location = toSegmentLocation(message, last);
  return { code: 'segment-name-invalid', severity: 'error', location, message: text };
}

/** Three capitals or digits, the first a letter. Looked at for every segment of every message. */
export function isSegmentName(name: string): boolean {
  if (name.length !== 3) return false;
  for (let at = 0; at < 3; at++) {
    const code = name.charCodeAt(at);
    const isLetter = code >= 65 && code <= 90;
    if (!isLetter && (at === 0 || code < 48 || code > 57)) return false;
  }
  return true;
}
