import type { FormerReceipt, ReceivedQuery } from '../../core/ports/ledger.ts';
import type { Database, Row } from './database.ts';
import { messageStates } from './ledger-codes.ts';
import { toState } from './ledger-rows.ts';
import type { LedgerStore } from './ledger-store.ts';

/**
 * The newest message of the same content that was taken under each control id, else the newest of another. Both
 * are bounded: a sender may use one control id for a million messages.
 */
export function findReceived(
  database: Database,
  store: LedgerStore,
  queries: readonly ReceivedQuery[],
): readonly (FormerReceipt | undefined)[] {
  return queries.map(({ interface: name, controlId, digest, since }) => {
    const number = store.interfaces.get(name);
    if (number === undefined) return undefined;
    const same = database.get(
      `SELECT id, state, received_at FROM message
       WHERE control_id = ? AND interface = ? AND digest = ? AND received_at >= ?
         AND state <> ${refused}
       ORDER BY number DESC LIMIT 1`,
      controlId,
      number,
      digest,
      since,
    );
    if (same !== undefined) return toReceipt(store, same, { hasSameContent: true });
    const other = database.get(
      `SELECT id, state, received_at FROM (
         SELECT * FROM message WHERE control_id = ?
         ORDER BY received_at DESC, number DESC LIMIT 64)
       WHERE interface = ? AND digest NOT NULL AND digest <> ? AND received_at >= ?
         AND state <> ${refused}
       ORDER BY number DESC LIMIT 1`,
      controlId,
      number,
      digest,
      since,
    );
    return other === undefined ? undefined : toReceipt(store, other, { hasSameContent: false });
  });
}

const refused = messageStates.indexOf('refused');

function toReceipt(
  store: LedgerStore,
  row: Row,
  { hasSameContent }: Pick<FormerReceipt, 'hasSameContent'>,
): FormerReceipt {
  const id = String(row['id']);
  return {
    id,
    // The row may be behind.
    state: store.stateOf(id) ?? toState(row),
    receivedAt: String(row['received_at']),
    hasSameContent,
  };
}
