import { encodeMessage } from './charset.ts';
import type { TextRange } from './message.ts';

/**
 * Where a range of a message's text stands among its bytes, `[start, end)`, for editors that work on files.
 * `charset`: what the text was decoded from, see decodeMessage; it throws as encodeMessage does.
 */
export function toByteRange(text: string, charset: string, { start, end }: TextRange): TextRange {
  const before = encodeMessage(text.slice(0, start), charset).length;
  return { start: before, end: before + encodeMessage(text.slice(start, end), charset).length };
}
