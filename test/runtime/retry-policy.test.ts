import fc from 'fast-check';
import { defaultRetry } from '../../core/interface.ts';
import {
  backoffMs,
  decideDelivery,
  jitteredMs,
  type FailedDelivery,
} from '../../runtime/retry-policy.ts';

const issues = [{ code: 'x', severity: 'error', message: 'y' }] as const;
const failed: FailedDelivery = {
  ...{ errorClass: 'transient', issues, failuresOfClass: 1, failures: 1, ageMs: 0 },
};
const decide = (given: Partial<FailedDelivery>, settings = {}, random = () => 1) =>
  decideDelivery({ ...failed, ...given }, { ...defaultRetry, ...settings }, random);
const codesOf = (decision: ReturnType<typeof decide>) =>
  decision.retry ? undefined : decision.issues.map(({ code }) => code);

describe('a delivery that failed', () => {
  it('for good is given up with its findings alone', () => {
    expect(decide({ errorClass: 'permanent' })).toEqual({ retry: false, issues });
  });

  it('for a while is tried for as long as it takes, or as the settings allow', () => {
    expect(decide({ failuresOfClass: 100_000, ageMs: 1e12 }).retry).toBe(true);
    expect(decide({ failuresOfClass: 2 }, { maxTransientAttempts: 3 }).retry).toBe(true);
    expect(codesOf(decide({ failuresOfClass: 3 }, { maxTransientAttempts: 3 }))).toEqual([
      'x',
      'retries-exhausted',
    ]);
  });

  it('with nobody knowing is tried ten times, counted by itself', () => {
    const ambiguous = { errorClass: 'ambiguous' } as const;
    expect(decide({ ...ambiguous, failuresOfClass: 9, failures: 400 }).retry).toBe(true);
    expect(codesOf(decide({ ...ambiguous, failuresOfClass: 10, failures: 12 }))).toEqual([
      'x',
      'retries-exhausted',
    ]);
  });

  it.each(['transient', 'ambiguous'] as const)('and is too old is given up: %s', (errorClass) => {
    const settings = { maxAgeMs: 86_400_000 };
    expect(decide({ errorClass, ageMs: 86_400_000 }, settings).retry).toBe(true);
    const decision = decide({ errorClass, ageMs: 86_400_001 }, settings);
    expect(codesOf(decision)).toEqual(['x', 'message-expired']);
    expect(decision).toHaveProperty(['issues', 1, 'message'], expect.stringContaining('24 h'));
  });

  it('waits as long as the partner asks, if that is longer', () => {
    expect(decide({ retryAfterMs: 5_000 })).toEqual({ retry: true, delayMs: 5_000 });
    expect(decide({ retryAfterMs: 0, failures: 3 })).toEqual({ retry: true, delayMs: 4_000 });
  });
});

describe('the delay before another attempt', () => {
  it('grows by the factor up to the longest, at its most', () => {
    const delays = [1, 2, 3, 4, 5_000].map((failures) =>
      jitteredMs({ ...defaultRetry, factor: 3, maxDelayMs: 20_000 }, failures, () => 1),
    );
    expect(delays).toEqual([1_000, 3_000, 9_000, 20_000, 20_000]);
  });

  it('is anything between nothing and that', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (failures, random) => {
          const most = jitteredMs(defaultRetry, failures, () => 1);
          const delay = jitteredMs(defaultRetry, failures, () => random);
          return delay >= 0 && delay <= most && Math.abs(delay - most * random) <= 1;
        },
      ),
    );
  });

  it('of what is ours doubles up to a minute', () => {
    expect([1, 2, 3, 6, 7, 5_000].map(backoffMs)).toEqual([
      1_000, 2_000, 4_000, 32_000, 60_000, 60_000,
    ]);
  });
});
