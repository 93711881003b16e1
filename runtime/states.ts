import type { Issue } from '../core/issue.ts';
import type { Delivery } from '../core/ports/broker.ts';
import type { Ledger, MessageState } from '../core/ports/ledger.ts';

/**
 * How to settle a delivery of a message that the ledger knows as finished: as it was before, without doing
 * anything again. Undefined where it is not finished. Rejects where the ledger cannot be asked for the
 * reasons of a dead letter.
 */
export async function findSettling(
  state: MessageState | undefined,
  delivery: Delivery,
  ledger: Ledger,
): Promise<(() => Promise<void>) | undefined> {
  // What somebody has withdrawn is dropped: the ledger has it, and who took it out.
  if (state === 'processed' || state === 'delivered' || state === 'withdrawn') {
    return () => delivery.accept();
  }
  if (state !== 'dead-lettered') return undefined;
  const reasons = await findReasons(ledger, delivery.envelope.id);
  return () => delivery.deadLetter(reasons);
}

/** Why a message was given up, as the ledger has it. */
async function findReasons(ledger: Ledger, id: string): Promise<readonly Issue[]> {
  const trace = await ledger.trace(id);
  const given = trace?.events.findLast(
    ({ messageId, kind }) => messageId === id && kind === 'dead-lettered',
  );
  return given?.issues ?? [];
}
