import type { Issue } from './issue.ts';

/** What a partner answered to a delivery, as the bytes it sent. */
export interface Answer {
  readonly contentType: string;
  readonly body: Uint8Array;
}

/**
 * What became of one attempt to deliver. The class decides about the next attempt, never a text:
 * - `delivered`: the partner has it.
 * - `transient`: it does not have it and may take it later (connection refused, 503, AR for load).
 * - `ambiguous`: it may have it (a timeout after sending).
 * - `permanent`: it will never take it as it is (400, AE): dead letter.
 */
export type Outcome =
  | { readonly kind: 'delivered'; readonly summary: string; readonly answer?: Answer }
  | {
      readonly kind: 'transient' | 'ambiguous' | 'permanent';
      readonly issues: readonly Issue[];
      readonly answer?: Answer;
      /**
       * It says something about the partner and not about this message: not reached, silent, overloaded. The next
       * message would fare no better.
       */
      readonly isOutage?: boolean;
      /** How long the partner asks to be left alone (HTTP's Retry-After), at most an hour. */
      readonly retryAfterMs?: number;
    };
