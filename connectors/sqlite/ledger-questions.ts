import type { Database } from './database.ts';
import { findHeld, readHeld } from './ledger-held.ts';
import { findParked, listParked, readParked } from './ledger-parked.ts';
import {
  findAges,
  findChanges,
  findEnvelope,
  findStates,
  findTrace,
  listCounts,
} from './ledger-queries.ts';
import { findReceived } from './ledger-received.ts';
import { findMessages, findWaiting } from './ledger-search.ts';
import type { LedgerStore } from './ledger-store.ts';
import type { LedgerQuestion, Request } from './protocol.ts';

const questionKinds: Readonly<Record<LedgerQuestion[1], true>> = {
  trace: true,
  read: true,
  changes: true,
  states: true,
  findReceived: true,
  find: true,
  waiting: true,
  ages: true,
  parked: true,
  listParked: true,
  readParked: true,
  held: true,
  readHeld: true,
  counts: true,
};

const retentionKinds: ReadonlySet<Request[1]> = new Set([
  'prune',
  'discardDead',
  'giveBack',
  'storage',
]);

/** Whether a request is the ledger's: whoever made it hears of it as `ledger-unavailable`. */
export function isLedgerKind(kind: Request[1]): boolean {
  return kind === 'append' || retentionKinds.has(kind) || Object.hasOwn(questionKinds, kind);
}

/** Of a question that is asked in parts, one behind the first: what was written back for that is enough. */
function isRest(request: Request): boolean {
  switch (request[1]) {
    case 'held':
      return request[2] !== undefined;
    case 'parked':
    case 'listParked':
      return (request[2].after ?? 0) > 0;
    default:
      return false;
  }
}

const currentKinds: ReadonlySet<Request[1]> = new Set(['states', 'counts']);

/** Whether what was not written back yet has to be, before the question is answered. */
export function needsWriteBack(request: Request, store: LedgerStore): boolean {
  const [, kind] = request;
  if (isRest(request)) return false;
  if (kind === 'findReceived') return store.hasStaleReceipts;
  // It goes by the tables alone.
  if (kind === 'prune') return true;
  return Object.hasOwn(questionKinds, kind) && !currentKinds.has(kind);
}

/** What the ledger says to what writes nothing. */
export function answerQuestion(
  database: Database,
  store: LedgerStore,
  question: LedgerQuestion,
): unknown {
  switch (question[1]) {
    case 'trace':
      return findTrace(database, question[2]);
    case 'read':
      return findEnvelope(database, question[2]);
    case 'changes':
      return findChanges(database, question[2]);
    case 'states':
      return findStates(store, question[2]);
    case 'findReceived':
      return findReceived(database, store, question[2]);
    case 'find':
      return findMessages(database, store, question[2]);
    case 'waiting':
      return findWaiting(database, question[2]);
    case 'ages':
      return findAges(database, store);
    case 'parked':
      return findParked(database, question[2]);
    case 'listParked':
      return listParked(database, question[2]);
    case 'readParked':
      return readParked(database, question[2]);
    case 'held':
      return findHeld(database, question[2]);
    case 'readHeld':
      return readHeld(database, question[2]);
    case 'counts':
      return listCounts(store);
  }
}
