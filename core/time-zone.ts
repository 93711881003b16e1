/** Whether a text is a time zone: an offset from UTC (`+01:00`), or a name that the system knows (`Europe/Berlin`). */
export function isTimeZone(text: string): boolean {
  if (/^[+-](?:0\d|1[0-4]):[0-5]\d$/.test(text)) return true;
  try {
    new Intl.DateTimeFormat('en', { timeZone: text });
    return true;
  } catch {
    return false;
  }
}
