import type { ReplayStep } from '../../console/api/replays.ts';
import { buildError } from '../../core/errors.ts';
import type { Ledger, LedgerFilter, MessageSummary } from '../../core/ports/ledger.ts';

const pageSize = 500;
/** What is planned is held in memory: about 100 bytes each. */
const most = 1_000_000;

/** The ids of what a replay means, in the order in which it was received. Rejects where that is too much. */
export async function planReplay(
  ledger: Ledger,
  filter: LedgerFilter,
  { step, until }: { readonly step: ReplayStep; readonly until: string },
): Promise<readonly string[]> {
  const { receivedTo = until } = filter;
  // What a replay makes is received later: it is never replayed by the same one.
  const bounded = { ...filter, receivedTo: receivedTo < until ? receivedTo : until };
  const times = new Map<string, string>();
  let after: string | undefined;
  do {
    const page = await ledger.find(bounded, {
      limit: pageSize,
      order: 'oldest',
      ...(after === undefined ? {} : { after }),
    });
    for (const message of page) {
      const id = step === 'start' ? message.correlationId : message.id;
      if (!times.has(id)) times.set(id, timeOf(id, message));
    }
    if (times.size > most) throw tooMany();
    after = page.length < pageSize ? undefined : page.at(-1)?.id;
  } while (after !== undefined);
  // Stable: those of one millisecond stay as they were found.
  return [...times]
    .sort(([, left], [, right]) => (left === right ? 0 : left < right ? -1 : 1))
    .map(([id]) => id);
}

/** When the message with this id was received: itself, or, by its id, the one that it all began with. */
function timeOf(id: string, message: MessageSummary): string {
  if (id === message.id) return message.receivedAt;
  // UUID version 7 begins with the time in milliseconds.
  if (id[14] !== '7') return message.receivedAt;
  return new Date(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)).toISOString();
}

function tooMany(): Error {
  return buildError(
    'permanent',
    'replay-too-large',
    `At most ${most} messages were expected in one replay and more were found; narrow the filter, such as by time.`,
  );
}
