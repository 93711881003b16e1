import type { LedgerEventKind, MessageState } from '../ports/ledger.ts';

/** The kinds as tables number them: only ever grows at its end. */
export const eventKinds: readonly LedgerEventKind[] = [
  'received',
  'refused',
  'duplicate',
  'queued',
  'taken',
  'processed',
  'sent',
  'delivered',
  'answered',
  'failed',
  'dead-lettered',
  'replayed',
  'parked',
  'resumed',
  'withdrawn',
];

/** The states as tables number them: only ever grows at its end. */
export const messageStates: readonly MessageState[] = [
  'received',
  'refused',
  'duplicate',
  'queued',
  'in-progress',
  'processed',
  'delivered',
  'retrying',
  'dead-lettered',
  'parked',
  'withdrawn',
];

/** Where a message stands after an event; absent where the event does not change it. */
export const stateAfter: Readonly<Partial<Record<LedgerEventKind, MessageState>>> = {
  received: 'received',
  refused: 'refused',
  duplicate: 'duplicate',
  queued: 'queued',
  taken: 'in-progress',
  processed: 'processed',
  delivered: 'delivered',
  failed: 'retrying',
  'dead-lettered': 'dead-lettered',
  parked: 'parked',
  resumed: 'retrying',
  withdrawn: 'withdrawn',
};

/** The events that end the waiting in a queue. */
export const closingKinds: ReadonlySet<LedgerEventKind> = new Set([
  'refused',
  'processed',
  'delivered',
  'dead-lettered',
  'withdrawn',
]);

/**
 * How final a state is: 0 while more is to come, and no event leads from a higher one to a lower one. What
 * was given up may still turn out to be done, such as by a worker that could not ask the ledger; what is done
 * stays done.
 */
export function finalityOf(state: MessageState): 0 | 1 | 2 | 3 {
  if (state === 'processed' || state === 'delivered') return 3;
  if (state === 'dead-lettered' || state === 'withdrawn') return 2;
  return state === 'refused' ? 1 : 0;
}

const firstKinds: ReadonlySet<LedgerEventKind> = new Set([
  'received',
  'refused',
  'duplicate',
  // Told before the child's own first event.
  'sent',
  'replayed',
  'queued',
]);

/**
 * Which of two events of the same millisecond was first: intake comes before work, and work before setting aside. Two
 * processes write the ledger, and the worker's event may arrive before the edge's; what is set aside is told at once,
 * and that it was taken may follow.
 */
export function rankOf(kind: LedgerEventKind): 0 | 1 | 2 {
  if (firstKinds.has(kind)) return 0;
  return kind === 'parked' ? 2 : 1;
}

/** That of the event which led to a state, by its number. */
export function rankOfState(state: number): 0 | 1 | 2 {
  if (state <= messageStates.indexOf('queued')) return 0;
  return state === messageStates.indexOf('parked') ? 2 : 1;
}
