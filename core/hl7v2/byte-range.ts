import { findCharset } from './charset-names.ts';
import { encodeMessage } from './charset.ts';
import { createIso2022Encoder } from './iso-2022.ts';
import type { TextRange } from './message.ts';

/**
 * Where ranges of a message's text stand among its bytes, `[start, end)` each, for editors that work on
 * files. `charset`: what the text was decoded from, see decodeMessage; it throws as encodeMessage does.
 * Linear in the text, however many ranges there are.
 */
export function toByteRanges(
  text: string,
  charset: string,
  ranges: readonly TextRange[],
): readonly TextRange[] {
  const measure = createMeasure(charset);
  const offsets = new Map<number, number>();
  const positions = new Set(ranges.flatMap(({ start, end }) => [start, end]));
  let done = 0;
  let bytes = 0;
  for (const position of [...positions].sort((left, right) => left - right)) {
    bytes += measure(text.slice(done, position));
    done = position;
    offsets.set(position, bytes);
  }
  const offsetOf = (position: number): number => offsets.get(position) ?? 0;
  return ranges.map(({ start, end }) => ({ start: offsetOf(start), end: offsetOf(end) }));
}

/** How many bytes a text has, one part after the other. */
function createMeasure(charset: string): (part: string) => number {
  const found = findCharset(charset);
  if (found?.codec !== 'iso-2022') return (part) => encodeMessage(part, charset).length;
  // What is switched to stays in force from part to part.
  const encode = createIso2022Encoder(found.sets ?? []);
  return (part) => encode(part)?.length ?? encodeMessage(part, charset).length;
}
