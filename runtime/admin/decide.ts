import type { LedgerEntry, LedgerEvent } from '../../core/ports/ledger.ts';
import type { Stores } from '../broker.ts';
import type { Clock } from '../clock.ts';
import { toInstant } from '../ids.ts';
import { deadLetterParked } from '../order/dead-letter-parked.ts';

/** A message that was given up and is set aside: itself, or its key, waits for a decision. */
export interface Stopped {
  readonly queue: string;
  readonly id: string;
  /** Under which it is set aside: its own id where it has none. */
  readonly key: string;
}

interface Options {
  readonly stores: Pick<Stores, 'broker' | 'ledger' | 'intake'>;
  readonly clock: Clock;
  /** Who has decided, or what, for the ledger. */
  readonly summary: string;
}

/**
 * Tries messages of one queue again. Where whoever consumes it keeps an order, it is to be told of their keys when this is
 * settled, and takes them up in their place. Else they go back into their queue, since nobody of several is theirs: in one
 * transaction, or in two where broker and ledger know nothing of each other. `onDoubt` where the second may be missing.
 */
export async function tryAgain(
  messages: readonly Stopped[],
  {
    isOrdered,
    onDoubt,
    ...options
  }: Options & { readonly isOrdered: boolean; readonly onDoubt: (queue: string) => void },
): Promise<void> {
  const { broker, ledger, intake } = options.stores;
  const resumed = (message: Stopped): LedgerEntry => toEvent(message, { kind: 'resumed' }, options);
  if (isOrdered) {
    await ledger.append(messages.map(resumed));
    return;
  }
  try {
    if (intake === undefined) await ledger.append(messages.map(resumed));
    for (const message of messages) {
      const envelope = await ledger.read(message.id);
      if (envelope === undefined) continue;
      if (intake === undefined) await broker.publish(message.queue, envelope);
      else await intake.take({ queue: message.queue, envelope, entries: [resumed(message)] });
    }
  } catch (error) {
    for (const { queue } of messages) onDoubt(queue);
    throw error;
  }
}

/** Makes it a dead letter, for the reasons for which it was set aside. */
export async function giveUp(message: Stopped, options: Options): Promise<void> {
  const { queue, id } = message;
  const { broker, ledger } = options.stores;
  const [envelope, trace] = await Promise.all([ledger.read(id), ledger.trace(id)]);
  const issues = trace?.events.findLast(
    (event) => event.messageId === id && event.kind === 'parked' && event.issues !== undefined,
  )?.issues;
  const because = issues === undefined ? {} : { issues };
  const event = toEvent(message, { kind: 'dead-lettered', ...because }, options);
  const record = (): Promise<void> => ledger.append([event]);
  await (envelope === undefined ? record() : deadLetterParked(broker, { queue, envelope }, record));
}

function toEvent(
  { id, queue }: Stopped,
  details: Pick<LedgerEvent, 'kind' | 'issues'>,
  { clock, summary }: Options,
): LedgerEntry {
  const at = toInstant(clock());
  return { type: 'event', event: { messageId: id, queue, at, summary, ...details } };
}
