import type { PruneRequest, PruneResult } from '../../core/ports/retention.ts';
import { Refusal } from './database.ts';
import { checkEntry } from './ledger-entry.ts';
import { answerQuestion, isLedgerKind } from './ledger-questions.ts';
import type { Request } from './protocol.ts';
import { giveBack, prune, readStorage } from './pruning.ts';
import type { Lease, Receiver } from './queue-state.ts';
import type { Effect } from './queues.ts';
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
      ledger.append(request[2]);
      return () => undefined;
    case 'prune':
      return () => pruneTables(transactions, request[2]);
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

/** After the write-back that it asks for: a step that found the tables behind would not see what waits. */
function pruneTables(
  { database, ledger, isBehind }: Transactions,
  asked: PruneRequest,
): PruneResult {
  if (isBehind) {
    throw new Refusal({
      errorClass: 'transient',
      code: 'ledger-unavailable',
      message:
        'Tables that are up to date were expected, and they could not be written; try again.',
    });
  }
  return prune(database, asked, (ids) => ledger.forget(ids));
}

function delayExpected(): Refusal {
  return new Refusal({
    errorClass: 'permanent',
    code: 'request-invalid',
    message: 'A retry after a number of milliseconds was expected and it names none.',
  });
}

/** Requests that need room in the file. */
export const growingKinds: ReadonlySet<Request[1]> = new Set(['publish', 'publishEvent', 'append']);

export const writingKinds: ReadonlySet<Request[1]> = new Set([
  ...growingKinds,
  'accept',
  'retry',
  'deadLetter',
  'declare',
  'discardDead',
]);

/** Requests that make room in steps of their own, outside of any transaction. */
export const roomMakingKinds: ReadonlySet<Request[1]> = new Set(['prune', 'giveBack']);

/** What a request is refused with while the file cannot be written. */
export function unavailableCode(kind: Request[1]): string {
  return isLedgerKind(kind) ? 'ledger-unavailable' : 'broker-unavailable';
}
