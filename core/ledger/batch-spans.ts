import type { Batch } from '../ports/ledger.ts';

/** Numbers of batches from the first to the last. */
export type Span = [first: number, last: number];

/** So many senders are remembered, the latest: one more with every start of a process. */
export const maxSenders = 1_000;

/** Whether a sender's batch is there. Spans, since most come one after the other: a row stays small. */
export function hasBatch(spans: readonly Span[], { number }: Pick<Batch, 'number'>): boolean {
  return spans.some(([first, last]) => first <= number && number <= last);
}

/** The spans with one batch more, without what nobody sends again. */
export function withBatch(
  spans: readonly Span[],
  { number, heardBelow }: Pick<Batch, 'number' | 'heardBelow'>,
): Span[] {
  const kept = spans.filter(([, last]) => last >= heardBelow);
  const joined: Span[] = [];
  for (const [first, last] of [...kept, [number, number] as const].sort((a, b) => a[0] - b[0])) {
    const before = joined.at(-1);
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else joined.push([first, last]);
  }
  return joined;
}
