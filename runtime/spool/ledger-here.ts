import { buildError } from '../../core/errors.ts';
import type { Ledger } from '../../core/ports/ledger.ts';
import { within } from './patience.ts';

/**
 * The ledger as a process with a spool may ask it. While something is spooled here, and where no answer comes in
 * time, questions are rejected as `ledger-unavailable`: the ledger's answer would be from before what this process has
 * done, such as a delivered message that still waits. Whoever asks goes on as without a ledger.
 *
 * To put what is spooled over the answers would mean to keep states, parking and receipts a second time.
 */
export function asLedgerHere(
  ledger: Ledger,
  options: { readonly isSpooling: () => boolean; readonly patienceMs: number },
): Ledger {
  const ask = <T>(question: () => Promise<T>): Promise<T> => {
    if (options.isSpooling()) return Promise.reject(buildBehind());
    return within(options.patienceMs, question());
  };
  return {
    append: (entries, batch) => ledger.append(entries, batch),
    trace: (id) => ask(() => ledger.trace(id)),
    read: (id) => ask(() => ledger.read(id)),
    changes: (id) => ask(() => ledger.changes(id)),
    states: (ids) => ask(() => ledger.states(ids)),
    findReceived: (queries) => ask(() => ledger.findReceived(queries)),
    find: (filter, page) => ask(() => ledger.find(filter, page)),
    waiting: (queue, page) => ask(() => ledger.waiting(queue, page)),
    ages: () => ask(() => ledger.ages()),
    parked: (question) => ask(() => ledger.parked(question)),
    listParked: (queue, page) => ask(() => ledger.listParked(queue, page)),
    readParked: (queue, key, limit) => ask(() => ledger.readParked(queue, key, limit)),
    held: () => ask(() => ledger.held()),
    readHeld: (group, page) => ask(() => ledger.readHeld(group, page)),
    counts: () => ask(() => ledger.counts()),
    close: () => ledger.close(),
  };
}

function buildBehind(): Error {
  return buildError(
    'transient',
    'ledger-unavailable',
    'The ledger was slow or away and is behind what is spooled here for it: ask again when it has that.',
  );
}
