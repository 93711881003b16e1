import type { FormerReceipt, MessageState } from './ports/ledger.ts';

/** In these a message is not known to be, or to have been, in its queue: it may be lost. */
const notDurable: ReadonlySet<MessageState> = new Set(['received', 'refused', 'duplicate']);

/**
 * Whether what the ledger found makes the message with this id one that came before. Its own receipt does not: it was
 * stored by an attempt that was not heard of. Neither does one that may never have been in a queue.
 */
export function isFormer(found: FormerReceipt, id: string): boolean {
  return found.id !== id && !notDurable.has(found.state);
}
