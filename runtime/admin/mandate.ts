import type { Mandate } from '../../console/api/administration.ts';

/** `by ada: wrong partner`, for the summary of an event. */
export function describeMandate({ by, reason }: Mandate): string {
  return reason === undefined ? `by ${by}` : `by ${by}: ${reason}`;
}
