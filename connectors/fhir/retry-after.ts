/** Nobody is left alone for longer, whatever the server asks. */
const longestMs = 3_600_000;

/**
 * How long a server asks to be left alone, in milliseconds, at most an hour: Retry-After in seconds or as a date,
 * which counts from the server's own Date, so that its clock need not be right. Undefined where it asks for nothing, or
 * for what cannot be read. RFC 9110, 10.2.3.
 */
export function parseRetryAfter(answer: {
  readonly retryAfter?: string;
  readonly date?: string;
  readonly nowMs: number;
}): number | undefined {
  const { retryAfter = '', date = '', nowMs } = answer;
  const text = retryAfter.trim();
  if (/^\d+$/.test(text)) return Math.min(longestMs, Number(text) * 1000);
  // JavaScript reads much as a date that is none, such as `-5`.
  const until = /^[A-Z][a-z]{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(until)) return undefined;
  const from = Date.parse(date);
  return Math.min(longestMs, Math.max(0, until - (Number.isNaN(from) ? nowMs : from)));
}
