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
 * Tries messages of one queue again. Where whoever consumes it keeps an order, it is to be told of their keys when this
 * resolves, and takes them up in their place. Else they go back into their queue, since nobody of several is theirs: in
 * one transaction, or by {@link putBack} where broker and ledger know nothing of each other.
 */
export async function tryAgain(
  messages: readonly Stopped[],
  { isOrdered, ...options }: Options & { readonly isOrdered: boolean },
): Promise<void> {
  const { ledger, intake } = options.stores;
  const resumed = (message: Stopped): LedgerEntry => toEvent(message, { kind: 'resumed' }, options);
  if (isOrdered || intake === undefined) await ledger.append(messages.map(resumed));
  if (isOrdered) return;
  for (const message of messages) {
    const envelope = await ledger.read(message.id);
    if (envelope === undefined) continue;
    if (intake === undefined) await options.stores.broker.publish(message.queue, envelope);
    else await intake.take({ queue: message.queue, envelope, entries: [resumed(message)] });
  }
}

/**
 * Puts into a queue that keeps no order what somebody has decided to try again and a crash may have kept out of it. What
 * is there already is there twice then, and is done once: whoever takes it asks the ledger.
 */
export async function putBack(
  queue: string,
  { broker, ledger }: Pick<Stores, 'broker' | 'ledger'>,
): Promise<number> {
  let count = 0;
  for (const { key, parked } of await ledger.parked(queue)) {
    const all = await ledger.readParked(queue, key, parked);
    const states = await ledger.states(all.map(({ id }) => id));
    for (const envelope of all.filter(({ id }) => states.get(id) !== 'parked')) {
      await broker.publish(queue, envelope);
      count += 1;
    }
  }
  return count;
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
