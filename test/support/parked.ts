import type { Ledger, ParkedKey } from '../../core/ports/ledger.ts';
import { pagesOfParked } from '../../runtime/parked-pages.ts';

/** All keys with parked messages, of all queues where none is named. */
export async function parkedKeys(
  ledger: Pick<Ledger, 'parked'>,
  queue?: string,
): Promise<readonly ParkedKey[]> {
  const found: ParkedKey[] = [];
  const of = queue === undefined ? {} : { queue };
  for await (const page of pagesOfParked(ledger, of)) found.push(...page);
  return found;
}
