import type { Issue } from '../issue.ts';
import type { Segment } from './message.ts';

/**
 * `segment-name-invalid`: a line that is no segment as HL7 knows them, most often the rest of a value
 * with a line break in it. What the line says is never shown. Undefined for a segment.
 */
export function checkSegmentName({ name, line }: Segment): Issue | undefined {
  if (isSegmentName(name)) return undefined;
  const message = `Expected a segment name of three capitals or digits on line ${line}, found other text: perhaps a line break inside a value, to be sent as \\.br\\ or \\X0A\\`;
  return { code: 'segment-name-invalid', severity: 'error', message };
}

/** Three capitals or digits, the first a letter. Looked at for every segment of every message. */
function isSegmentName(name: string): boolean {
  if (name.length !== 3) return false;
  for (let at = 0; at < 3; at++) {
    const code = name.charCodeAt(at);
    const isLetter = code >= 65 && code <= 90;
    if (!isLetter && (at === 0 || code < 48 || code > 57)) return false;
  }
  return true;
}
