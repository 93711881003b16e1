/**
 * A byte that its message's character set has not is kept in the text as a mark of its own: the half of a
 * surrogate pair U+DC00 to U+DCFF, which no set's character is, and is written as that byte again.
 */
const firstMark = 0xdc00;

/** The mark for a byte. */
export function markByte(byte: number): string {
  return String.fromCharCode(firstMark + byte);
}

/** The byte that a mark stands for. */
export function unmarkByte(mark: string): number {
  return mark.charCodeAt(0) - firstMark;
}

/** Whether this character, taken whole, is a mark. */
export function isMark(character: string): boolean {
  const code = character.charCodeAt(0);
  return character.length === 1 && code >= firstMark && code <= firstMark + 0xff;
}

/** Marks in a text; the second half of a pair is none. */
export const marksPattern = /(?<![\ud800-\udbff])[\udc00-\udcff]+/g;

/** With more of them than this a message is not of the set that it was read as. */
export const maxMarks = 1_000;
