import type { Ledger, ParkedKey, ParkedQuestion } from '../core/ports/ledger.ts';

const pageKeys = 1_000;

/** The keys with parked messages, some at a time: there may be as many as messages are held. */
export async function* pagesOfParked(
  ledger: Pick<Ledger, 'parked'>,
  of: Pick<ParkedQuestion, 'queue' | 'isStopped'>,
): AsyncIterable<readonly ParkedKey[]> {
  for (let after: number | undefined; ;) {
    const start = after === undefined ? {} : { after };
    const { keys, next } = await ledger.parked({ ...of, ...start, limit: pageKeys });
    if (keys.length > 0) yield keys;
    if (next === undefined) return;
    after = next;
  }
}
