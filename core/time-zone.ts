/** Whether a text is a time zone: an offset from UTC (`+01:00`), or a name that the system knows (`Europe/Berlin`). */
export function isTimeZone(text: string): boolean {
  // What else the system takes for an offset (+15:00) FHIR has no time in.
  if (/^[+-]/.test(text)) return /^[+-](?:(?:0\d|1[0-3])(?::?[0-5]\d)?|14(?::?00)?)$/.test(text);
  try {
    new Intl.DateTimeFormat('en', { timeZone: text });
    return true;
  } catch {
    return false;
  }
}
