import type { Selection } from '../../console/api/administration.ts';
import { buildError } from '../../core/errors.ts';
import type { Ledger, MessageState, WaitingMessage } from '../../core/ports/ledger.ts';

const pageSize = 500;

const unfinished: readonly MessageState[] = [
  'received',
  'queued',
  'in-progress',
  'retrying',
  'parked',
];

/** Whether more is to come of a message: it can be withdrawn. */
export function isUnfinished(state: MessageState): boolean {
  return unfinished.includes(state);
}

/**
 * The unfinished messages of a selection, some at a time, and how many of each page are none. Rejects with HilumError
 * `filter-empty` where that would be all messages.
 */
export async function* pagesOf(
  ledger: Ledger,
  selection: Selection,
): AsyncIterable<{ readonly ids: readonly string[]; readonly unknown: number }> {
  if ('ids' in selection) {
    const all = [...new Set(selection.ids)];
    for (let start = 0; start < all.length; start += pageSize) {
      const asked = all.slice(start, start + pageSize);
      const states = await ledger.states(asked);
      const ids = asked.filter((id) => isUnfinished(states.get(id) ?? 'processed'));
      yield { ids, unknown: asked.length - ids.length };
    }
    return;
  }
  requireFilter(selection.filter);
  const wanted = selection.filter.states ?? unfinished;
  const filter = { ...selection.filter, states: wanted.filter(isUnfinished) };
  let after: string | undefined;
  do {
    const page = await ledger.find(filter, {
      limit: pageSize,
      order: 'oldest',
      ...(after === undefined ? {} : { after }),
    });
    if (page.length > 0) yield { ids: page.map(({ id }) => id), unknown: 0 };
    after = page.length < pageSize ? undefined : page.at(-1)?.id;
  } while (after !== undefined);
}

/** Rejects an empty filter: a slip must not mean every message there is. */
export function requireFilter(filter: object): void {
  if (Object.values(filter).some((value) => value !== undefined)) return;
  throw buildError(
    'permanent',
    'filter-empty',
    'Expected at least one of interface, queue, state, type, control, key, from, to, issue; found none, which would mean all messages.',
  );
}

/** What waits in a queue since before an instant, who waits longest first, some at a time. */
export async function* pagesOfWaiting(
  ledger: Ledger,
  queue: string,
  until: string,
): AsyncIterable<readonly WaitingMessage[]> {
  let after: string | undefined;
  do {
    const page = await ledger.waiting(queue, {
      limit: pageSize,
      ...(after === undefined ? {} : { after }),
    });
    const meant = page.filter(({ since }) => since <= until);
    if (meant.length > 0) yield meant;
    after = meant.length < pageSize ? undefined : page.at(-1)?.id;
  } while (after !== undefined);
}
