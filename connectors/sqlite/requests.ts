import { Refusal } from './database.ts';
import { checkEntry } from './ledger-entry.ts';
import { answerQuestion, isLedgerKind } from './ledger-questions.ts';
import type { Request } from './protocol.ts';
import { giveBack, readStorage } from './pruning.ts';
import type { Lease, Receiver } from './queue-state.ts';
import type { Effect } from './queues.ts';
import { take } from './take.ts';
import type { Transactions } from './transactions.ts';

type Settlement = Extract<
  Request,
  readonly [number, 'accept' | 'retry' | 'deadLetter', ...unknown[]]
>;

/** Carries out a request, inside the caller's transaction; what it returns is its answer, after the commit. */
export function applyRequest(
  transactions: Transactions,
  requester: Receiver,
  request: Request,
): Effect {
  const { queues, ledger } = transactions;
  switch (request[1]) {
    case 'publish':
      return queues.publish(request[2], request[3]);
    case 'publishEvent':
      return queues.publishEvent(request[2], request[3]);
    case 'take':
      return take(transactions, { queue: request[2], parcel: request[3], unless: request[4] });
    case 'accept':
      return settle(transactions, requester, { request, how: (lease) => queues.accept(lease) });
    case 'retry': {
      const by = { delayMs: request[4], countAttempt: request[5] };
      if (!Number.isFinite(by.delayMs)) throw delayExpected();
      return settle(transactions, requester, { request, how: (lease) => queues.retry(lease, by) });
    }
    case 'deadLetter': {
      const how = (lease: Lease): Effect => queues.deadLetter(lease, request[4]);
      return settle(transactions, requester, { request, how });
    }
    case 'release':
      return queues.release(requester, request[2]);
    case 'declare':
      return queues.declare(request[2], request[3], { topics: request[4], isOrdered: request[5] });
    case 'consume':
      return queues.consume(requester, request[2], { id: request[3], window: request[4] });
    case 'stop':
      return queues.stop(requester, request[2], request[3]);
    case 'depths':
      return queues.depths();
    case 'append':
      for (const entry of request[2]) checkEntry(entry);
      ledger.append(request[2], request[3]);
      return () => undefined;
    case 'prune':
      return () => transactions.prune(request[2]);
    case 'discardDead':
      return queues.discardDead(request[2]);
    case 'giveBack':
      return () => giveBack(transactions.database, request[2]);
    case 'storage':
      return () => readStorage(transactions.database);
    default:
      return () => answerQuestion(transactions.database, ledger, request);
  }
}

/** Whatever of it can be refused is found before anything is written. */
function settle(
  { queues, ledger }: Transactions,
  requester: Receiver,
  { request, how }: { readonly request: Settlement; readonly how: (lease: Lease) => Effect },
): Effect {
  const [, , leaseId, beside] = request;
  for (const entry of beside?.entries ?? []) checkEntry(entry);
  const effect = queues.settle(requester, { leaseId, outgoing: beside?.outgoing ?? [] }, how);
  if (beside !== undefined) ledger.append(beside.entries);
  return effect;
}

function delayExpected(): Refusal {
  return new Refusal({
    errorClass: 'permanent',
    code: 'request-invalid',
    message: 'A retry after a number of milliseconds was expected and it names none.',
  });
}

/** Requests that need room in the file. */
export const growingKinds: ReadonlySet<Request[1]> = new Set([
  'publish',
  'publishEvent',
  'take',
  'append',
]);

export const writingKinds: ReadonlySet<Request[1]> = new Set([
  ...growingKinds,
  'accept',
  'retry',
  'deadLetter',
  'declare',
  'discardDead',
]);

/** Requests that are a transaction of their own, after that of all others. */
export const apartKinds: ReadonlySet<Request[1]> = new Set(['prune', 'giveBack']);

/** What a request is refused with while the file cannot be written. */
export function unavailableCode(kind: Request[1]): string {
  return isLedgerKind(kind) ? 'ledger-unavailable' : 'broker-unavailable';
}
