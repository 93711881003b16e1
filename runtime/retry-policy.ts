import type { RetrySettings } from '../core/interface.ts';
import type { ErrorClass } from '../core/errors.ts';
import type { Issue } from '../core/issue.ts';

/** What to do with a failed attempt. */
export type RetryDecision =
  | { readonly retry: true; readonly delayMs: number }
  | { readonly retry: false; readonly issues: readonly Issue[] };

const baseDelayMs = 1_000;
const maxDelayMs = 60_000;
/** A flow that fails without saying why (a function's exception) is most often wrong every time. */
const flowAttempts = 5;

/** Doubles from one second to a minute; `attempt` is 1-based. */
export function backoffMs(attempt: number): number {
  return Math.min(maxDelayMs, baseDelayMs * 2 ** Math.min(attempt - 1, 16));
}

/**
 * Anything from 0 to what has grown with the failures so far ("full jitter"): senders that lost their partner together
 * do not come back together. `failures` is 1-based; `random` gives 0 up to 1.
 */
export function jitteredMs(
  { firstDelayMs, factor, maxDelayMs: most }: RetrySettings,
  failures: number,
  random: () => number,
): number {
  const ceiling = Math.min(most, firstDelayMs * factor ** Math.min(failures - 1, 64));
  return Math.round(ceiling * random());
}

/** What failed, and what had failed before. */
export interface FailedDelivery {
  readonly errorClass: ErrorClass;
  readonly issues: readonly Issue[];
  /** Failures of this class, this one among them. */
  readonly failuresOfClass: number;
  /** Failures of any class, this one among them. */
  readonly failures: number;
  /** How long Hilum has had the message, or has had it again since somebody decided to try it again. */
  readonly ageMs: number;
  /** How long the partner asks to be left alone. */
  readonly retryAfterMs?: number;
}

/**
 * A delivery to a partner: transient failures are tried for as long as it takes, or the settings allow, ambiguous ones
 * a bounded number of times, permanent ones not at all. Decided by class, never by text.
 */
export function decideDelivery(
  failed: FailedDelivery,
  settings: RetrySettings,
  random: () => number,
): RetryDecision {
  const { errorClass, issues, failuresOfClass, failures, ageMs, retryAfterMs = 0 } = failed;
  if (errorClass === 'permanent') return { retry: false, issues };
  const most =
    errorClass === 'ambiguous' ? settings.maxAmbiguousAttempts : settings.maxTransientAttempts;
  if (most !== undefined && failuresOfClass >= most) {
    return { retry: false, issues: [...issues, exhausted(failures)] };
  }
  if (settings.maxAgeMs !== undefined && ageMs > settings.maxAgeMs) {
    return { retry: false, issues: [...issues, expired(settings.maxAgeMs, failures)] };
  }
  // An answer may only be late: repeated at once, the message would be there twice.
  const earliestMs = errorClass === 'ambiguous' ? settings.firstDelayMs : 0;
  const delayMs = Math.max(retryAfterMs, earliestMs, jitteredMs(settings, failures, random));
  return { retry: true, delayMs };
}

/**
 * A flow that failed: given up at once where that is permanent, after five attempts where nobody can tell,
 * and never where something of ours is away (ledger, broker).
 */
export function decideFlow(
  errorClass: ErrorClass,
  attempt: number,
  issues: readonly Issue[],
): RetryDecision {
  if (errorClass === 'permanent') return { retry: false, issues };
  if (errorClass === 'transient' || attempt < flowAttempts) {
    return { retry: true, delayMs: backoffMs(attempt) };
  }
  return { retry: false, issues: [...issues, exhausted(attempt)] };
}

function exhausted(attempts: number): Issue {
  return {
    code: 'retries-exhausted',
    severity: 'error',
    message: `Given up after ${attempts} attempts; correct the cause and replay the message.`,
  };
}

function expired(maxAgeMs: number, attempts: number): Issue {
  return {
    code: 'message-expired',
    severity: 'error',
    message: `Given up after ${attempts} attempts: it is older than the ${formatDuration(maxAgeMs)} that this sender tries for. Correct the cause and replay the message.`,
  };
}

function formatDuration(ms: number): string {
  const units = [
    [3_600_000, 'h'],
    [60_000, 'min'],
    [1_000, 's'],
  ] as const;
  const [size, name] = units.find(([each]) => ms >= each && ms % each === 0) ?? [1, 'ms'];
  return `${ms / size} ${name}`;
}
