import { parseRetryAfter } from '../../../connectors/fhir/retry-after.ts';

const nowMs = Date.parse('2026-11-01T12:00:00Z');

describe('Retry-After', () => {
  it.each([
    ['120', undefined, 120_000],
    [' 0 ', undefined, 0],
    ['Sun, 01 Nov 2026 12:00:30 GMT', undefined, 30_000],
    // By the server's own clock, which is an hour behind.
    ['Sun, 01 Nov 2026 11:00:30 GMT', 'Sun, 01 Nov 2026 11:00:00 GMT', 30_000],
    ['Sun, 01 Nov 2026 11:00:00 GMT', undefined, 0],
    ['999999999', undefined, 3_600_000],
    ['Sun, 01 Nov 2099 12:00:00 GMT', undefined, 3_600_000],
    ['soon', undefined, undefined],
    ['-5', undefined, undefined],
    ['', undefined, undefined],
    [undefined, undefined, undefined],
  ])('%p (Date %p) is %p ms', (retryAfter, date, expected) => {
    const answer = {
      ...(retryAfter === undefined ? {} : { retryAfter }),
      ...(date === undefined ? {} : { date }),
      nowMs,
    };
    expect(parseRetryAfter(answer)).toBe(expected);
  });
});
