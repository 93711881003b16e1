import type { Issue } from '../core/issue.ts';
import type { Ledger, MessageState } from '../core/ports/ledger.ts';

/** Whether a delivery of a message in this state repeats what was done: it is accepted and goes no further. */
export function isDone(state: MessageState | undefined): boolean {
  return state === 'processed' || state === 'delivered';
}

/** Why a message was given up, as the ledger has it. */
export async function findReasons(ledger: Ledger, id: string): Promise<readonly Issue[]> {
  const trace = await ledger.trace(id);
  const given = trace?.events.findLast(
    ({ messageId, kind }) => messageId === id && kind === 'dead-lettered',
  );
  return given?.issues ?? [];
}
