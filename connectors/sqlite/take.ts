import { isFormer } from '../../core/former-receipt.ts';
import type { Issue } from '../../core/issue.ts';
import type { LedgerEntry } from '../../core/ports/ledger.ts';
import { checkEntry } from './ledger-entry.ts';
import { findReceived } from './ledger-received.ts';
import type { Parcel, Unless } from './protocol.ts';
import type { Effect } from './queues.ts';
import type { Transactions } from './transactions.ts';

/** Queues and records a message that comes in, unless it came before: its answer is the one that did. */
export function take(
  { database, ledger, queues }: Transactions,
  {
    queue,
    parcel,
    unless: { before, entries, reused },
  }: { readonly queue: string; readonly parcel: Parcel; readonly unless: Unless },
): Effect {
  const found = before && findReceived(database, ledger, [before])[0];
  const former = found !== undefined && isFormer(found, parcel[0]) ? found : undefined;
  if (former !== undefined && (former.hasSameContent || reused === undefined)) {
    return () => former;
  }
  const taken = former === undefined ? entries : entries.map((entry) => tell(entry, reused));
  for (const entry of taken) checkEntry(entry);
  const publish = queues.publish(queue, parcel);
  ledger.append(taken);
  return () => {
    publish();
    return former;
  };
}

/** With more findings about what was received. */
function tell(entry: LedgerEntry, found: readonly Issue[] = []): LedgerEntry {
  if (entry.type !== 'event' || entry.event.kind !== 'received') return entry;
  const issues = [...(entry.event.issues ?? []), ...found];
  return { ...entry, event: { ...entry.event, issues } };
}
