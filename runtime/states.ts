import type { MessageState } from '../core/ports/ledger.ts';

/** Whether nothing more happens to a message in this state unless somebody replays it. */
export function isFinished(state: MessageState | undefined): boolean {
  return state === 'processed' || state === 'delivered' || state === 'dead-lettered';
}
