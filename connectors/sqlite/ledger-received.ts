import type { FormerReceipt, ReceivedQuery } from '../../core/ports/ledger.ts';
import type { Database, Row } from './database.ts';
import { messageStates } from '../../core/ledger/codes.ts';
import type { LedgerStore } from './ledger-store.ts';
import { firstNumberOf } from './message-numbers.ts';

/** A message that may be the one that is asked for. */
interface Receipt {
  readonly id: string;
  readonly receivedAt: string;
  readonly hasSameContent: boolean;
}

/**
 * The newest message of the same content that was taken under each control id, else the newest of another. Both
 * are bounded: a sender may use one control id for a million messages.
 */
export function findReceived(
  database: Database,
  store: LedgerStore,
  queries: readonly ReceivedQuery[],
): readonly (FormerReceipt | undefined)[] {
  return queries.map((query) => {
    const candidates = [...findPending(store, query), ...findStored(database, store, query)];
    let best: Receipt | undefined;
    for (const each of candidates) {
      const isBetter =
        best === undefined ||
        (each.hasSameContent && !best.hasSameContent) ||
        (each.hasSameContent === best.hasSameContent && each.receivedAt > best.receivedAt);
      if (isBetter) best = each;
    }
    // The row may be behind.
    return best && { ...best, state: store.stateOf(best.id) ?? 'received' };
  });
}

/** Those that the file has not, the last that arrived first: of one instant it is the newest. */
function findPending(store: LedgerStore, query: ReceivedQuery): readonly Receipt[] {
  const found: Receipt[] = [];
  for (const { id, arrived, state } of store.receipts(query.interface, query.controlId)) {
    const name = messageStates[state];
    const receivedAt = arrived?.header.receivedAt ?? '';
    if (name === 'refused' || name === 'duplicate' || receivedAt < query.since) continue;
    found.unshift({ id, receivedAt, hasSameContent: arrived?.digest === query.digest });
  }
  return found;
}

/** The newest of the same content that the file has, else the newest of another. */
function findStored(
  database: Database,
  store: LedgerStore,
  { interface: name, controlId, digest, since }: ReceivedQuery,
): readonly Receipt[] {
  const number = store.interfaces.get(name);
  if (number === undefined) return [];
  // Most control ids are new: one look says so.
  const any = database.get('SELECT 1 FROM message WHERE control_id = ? LIMIT 1', controlId);
  if (any === undefined) return [];
  const from = firstNumberOf(since);
  // By name: SQLite would rather go through all of a control id that is used again and again.
  const same = database.get(
    `SELECT id, received_at FROM message INDEXED BY message_received
     WHERE control_id = ? AND interface = ? AND digest = ? AND number >= ? AND received_at >= ?
       AND state <> ${refused}
     ORDER BY number DESC LIMIT 1`,
    controlId,
    number,
    digest,
    from,
    since,
  );
  if (same !== undefined) return [toReceipt(same, true)];
  const other = database.get(
    `SELECT id, received_at FROM (
       SELECT * FROM message WHERE control_id = ? AND number >= ? ORDER BY number DESC LIMIT 64)
     WHERE interface = ? AND digest NOT NULL AND digest <> ? AND received_at >= ?
       AND state <> ${refused}
     ORDER BY number DESC LIMIT 1`,
    controlId,
    from,
    number,
    digest,
    since,
  );
  return other === undefined ? [] : [toReceipt(other, false)];
}

const refused = messageStates.indexOf('refused');

const toReceipt = (row: Row, hasSameContent: boolean): Receipt => ({
  id: String(row['id']),
  receivedAt: String(row['received_at']),
  hasSameContent,
});
