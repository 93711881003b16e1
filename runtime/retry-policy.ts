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
/** After a timeout the partner may have it: asked again a bounded number of times, as HL7 senders do. */
const ambiguousAttempts = 10;

/** Doubles from one second to a minute; `attempt` is 1-based. */
export function backoffMs(attempt: number): number {
  return Math.min(maxDelayMs, baseDelayMs * 2 ** Math.min(attempt - 1, 16));
}

/**
 * A delivery to a partner: transient failures are tried for as long as it takes, ambiguous ones ten
 * times, permanent ones not at all. Decided by class, never by text.
 */
export function decideDelivery(
  errorClass: ErrorClass,
  attempt: number,
  issues: readonly Issue[],
): RetryDecision {
  switch (errorClass) {
    case 'permanent':
      return { retry: false, issues };
    case 'transient':
      return { retry: true, delayMs: backoffMs(attempt) };
    case 'ambiguous':
      return attempt < ambiguousAttempts
        ? { retry: true, delayMs: backoffMs(attempt) }
        : { retry: false, issues: [...issues, exhausted(attempt)] };
  }
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
