import type {
  Administration,
  ChangeView,
  Mandate,
  PausedQueue,
  ReleaseDecision,
  Selection,
} from '../../console/api/administration.ts';
import { buildError } from '../../core/errors.ts';
import { isEventQueue } from '../../core/interface.ts';
import type {
  LedgerEntry,
  LedgerEvent,
  ParkedKey,
  WaitingMessage,
} from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Stores } from '../broker.ts';
import type { Clock } from '../clock.ts';
import { toInstant } from '../ids.ts';
import { pagesOfParked } from '../parked-pages.ts';
import { giveUp, tryAgain, type Stopped } from './decide.ts';
import { describeMandate } from './mandate.ts';
import { moveMessage } from './move.ts';
import type { PausedQueues } from './paused-queues.ts';
import type { PuttingBack } from './putting-back.ts';
import { isUnfinished, pagesOf, pagesOfWaiting } from './selection.ts';

interface Options {
  readonly stores: Stores;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly paused: PausedQueues;
  readonly puttingBack: PuttingBack;
  /** The queues of the flows that run. */
  readonly queues: () => readonly string[];
  /** Whoever consumes this queue keeps an order, and takes up what is set aside by itself. */
  readonly keepsOrder: (queue: string) => boolean;
  /** Whoever consumes the queue looks again at what is set aside of the key. */
  readonly onRelease: (queue: string, key: string) => void;
  /** These are paused now, and no others. */
  readonly onPaused: (queues: readonly string[]) => void;
}

/** Carries out what an operator decides, by way of the ledger: whoever consumes a message asks it first. */
export class Administrator implements Administration {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  async withdraw(selection: Selection, mandate: Mandate): Promise<ChangeView> {
    let changed = 0;
    let skipped = 0;
    const { ledger } = this.#options.stores;
    await this.#freeing(undefined, async () => {
      for await (const { ids, unknown } of pagesOf(ledger, selection)) {
        await ledger.append(ids.map((id) => this.#event(id, mandate, { kind: 'withdrawn' })));
        changed += ids.length;
        skipped += unknown;
      }
    });
    this.#log('Messages were withdrawn.', { changed, skipped }, mandate);
    return { changed, skipped };
  }

  async purge(queue: string, mandate: Mandate): Promise<ChangeView> {
    requireOwnMessages(queue);
    const { ledger } = this.#options.stores;
    let changed = 0;
    await this.#freeing(queue, async () => {
      for await (const page of this.#waiting(queue)) {
        await ledger.append(
          page.map(({ id }) => this.#event(id, mandate, { kind: 'withdrawn', queue })),
        );
        changed += page.length;
      }
    });
    this.#log('A queue was purged.', { queue, changed }, mandate);
    return { changed, skipped: 0 };
  }

  async move(
    from: { readonly queue: string; readonly ids?: readonly string[] },
    to: string,
    mandate: Mandate,
  ): Promise<ChangeView> {
    const { stores, clock } = this.#options;
    const { queue, ids } = from;
    requireOwnMessages(queue);
    this.#requireQueue(to);
    if (to === queue) {
      throw buildError('permanent', 'queue-same', 'Expected two queues, found one and the same.');
    }
    const wanted = ids === undefined ? undefined : new Set(ids);
    let changed = 0;
    let seen = 0;
    await this.#freeing(queue, async () => {
      for await (const page of this.#waiting(queue)) {
        for (const { id, state } of page) {
          if (wanted !== undefined && !wanted.has(id)) continue;
          seen += 1;
          // Its partner or its flow may have it in this moment: a copy would be a second one.
          if (state === 'in-progress') continue;
          const route = { from: queue, to };
          if (await moveMessage(id, route, { stores, clock, mandate })) changed += 1;
        }
      }
    });
    const skipped = (wanted?.size ?? seen) - changed;
    this.#log('Messages were moved.', { queue, to, changed, skipped }, mandate);
    return { changed, skipped };
  }

  async release(
    { queue, id }: { readonly queue: string; readonly id: string },
    decision: ReleaseDecision,
    mandate: Mandate,
  ): Promise<void> {
    const { stores, clock, onRelease, keepsOrder } = this.#options;
    const found = await this.#findStopped(queue, id);
    if (found === undefined) {
      throw buildError(
        'permanent',
        'not-stopped',
        'Expected a message that was given up and stops those behind it, found none of this id in this queue; see hilum queues parked.',
      );
    }
    const { key } = found;
    const options = { stores, clock, summary: describeMandate(mandate) };
    if (decision === 'again') {
      await this.#tryAgain({ queue, id, key }, { ...options, isOrdered: keepsOrder(queue) });
    } else {
      await giveUp({ queue, id, key }, options);
    }
    onRelease(queue, found.key);
    this.#log('A message that stopped others was decided about.', { id, queue, decision }, mandate);
  }

  async pause(queue: string, mandate: Mandate): Promise<void> {
    this.#requireQueue(queue);
    const { paused, clock, onPaused } = this.#options;
    await paused.add({ queue, by: mandate.by, since: toInstant(clock()) });
    onPaused(paused.names());
    this.#log('A queue was paused.', { queue }, mandate);
  }

  async resume(queue: string, mandate: Mandate): Promise<void> {
    const { paused, onPaused } = this.#options;
    if (!paused.names().includes(queue)) this.#requireQueue(queue);
    await paused.remove(queue);
    onPaused(paused.names());
    this.#log('A queue was resumed.', { queue }, mandate);
  }

  paused(): readonly PausedQueue[] {
    return this.#options.paused.list();
  }

  /** What waits in the queue now: whoever comes later is not meant. */
  #waiting(queue: string): AsyncIterable<readonly WaitingMessage[]> {
    const { stores, clock } = this.#options;
    return pagesOfWaiting(stores.ledger, queue, toInstant(clock()));
  }

  async #tryAgain(
    message: Stopped,
    options: Omit<Parameters<typeof tryAgain>[1], 'onDoubt'>,
  ): Promise<void> {
    const { stores, puttingBack, logger } = this.#options;
    const onDoubt = (queue: string): void => puttingBack.doubt(queue);
    try {
      await tryAgain([message], { ...options, onDoubt });
    } catch (error) {
      const { id, queue } = message;
      // It is decided: to ask for it once more would be refused.
      if (options.isOrdered || (await stores.ledger.states([id])).get(id) === 'parked') throw error;
      const text = 'A message goes back into its queue as soon as the broker can be reached.';
      logger.warn({ id, queue, err: error }, text);
    }
  }

  async #findStopped(queue: string, id: string): Promise<ParkedKey | undefined> {
    const { ledger } = this.#options.stores;
    for await (const page of pagesOfParked(ledger, { queue, isStopped: true })) {
      const found = page.find(({ firstId }) => firstId === id);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Whatever the change took from the front of a key lets those behind it go on. */
  async #freeing(queue: string | undefined, change: () => Promise<void>): Promise<void> {
    const { stores, onRelease } = this.#options;
    const before: (readonly ParkedKey[])[] = [];
    const of = queue === undefined ? {} : { queue };
    for await (const page of pagesOfParked(stores.ledger, of)) before.push(page);
    await change();
    for (const page of before) {
      const states = await stores.ledger.states(page.map(({ firstId }) => firstId));
      for (const each of page) {
        const state = states.get(each.firstId);
        if (state !== undefined && !isUnfinished(state)) onRelease(each.queue, each.key);
      }
    }
  }

  #event(
    messageId: string,
    mandate: Mandate,
    details: Pick<LedgerEvent, 'kind' | 'queue' | 'issues'>,
  ): LedgerEntry {
    const at = toInstant(this.#options.clock());
    return {
      type: 'event',
      event: { messageId, at, summary: describeMandate(mandate), ...details },
    };
  }

  #requireQueue(queue: string): void {
    if (this.#options.queues().includes(queue)) return;
    throw buildError(
      'permanent',
      'queue-missing',
      'Expected a queue of the flows that run, found no such queue; see hilum queues.',
    );
  }

  #log(message: string, fields: object, mandate: Mandate): void {
    this.#options.logger.info({ ...fields, by: mandate.by }, message);
  }
}

/** Copies of an event are known to the ledger one by one only once they are delivered. */
function requireOwnMessages(queue: string): void {
  if (!isEventQueue(queue)) return;
  throw buildError(
    'permanent',
    'queue-of-events',
    'Expected a queue of messages, found one of copies of events, which the ledger knows only from their delivery on; pause it, or withdraw single messages.',
  );
}
