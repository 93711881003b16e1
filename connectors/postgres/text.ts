/** The sign that is written in place of a NUL, which no text of PostgreSQL may have. */
const visibleNul = '\u2400';

/** A text as it is stored and looked for. */
export function toText(text: string): string {
  return text.includes('\0') ? text.replaceAll('\0', visibleNul) : text;
}

/** The same where there may be none. */
export function toTextOrNull(text: string | null | undefined): string | null {
  return text == null ? null : toText(text);
}
