import { setTimeout as wait } from 'node:timers/promises';
import type { HeldGroup, HeldMessage, MessageState } from '../../core/ports/ledger.ts';
import { giveUp, tryAgain } from '../admin/decide.ts';
import type { Stores } from '../broker.ts';
import type { Clock } from '../clock.ts';

/** How fast held messages go on: beside what comes in, which is not to wait for them. */
export interface Pace {
  /** So many at once: the next go on when these are through, or wait again. */
  readonly atOnce: number;
  /** And so many a second at most. */
  readonly perSecond: number;
  /** Of one group in one look: a deploy, or a decision about other codes, is not to wait for all of them. */
  readonly perLook: number;
  /** Those that are not through by then are left to themselves until the next look. */
  readonly patienceMs: number;
  /** How often to look after a deploy, when workers of before may still hold messages, and else. */
  readonly soonMs: number;
  readonly everyMs: number;
}

export const usualPace: Pace = {
  ...{
    atOnce: 10,
    perSecond: 100,
    perLook: 500,
    patienceMs: 30_000,
    soonMs: 5_000,
    everyMs: 60_000,
  },
};
const pollMs = 100;

interface Options {
  readonly stores: Pick<Stores, 'broker' | 'ledger' | 'intake'>;
  readonly clock: Clock;
  /** Whoever consumes the queue takes up what is set aside of the key. */
  readonly onRelease: (queue: string, key: string) => void;
  readonly pace: Pace;
  readonly stopping: AbortSignal;
}

/** Lets held messages go on, or gives them up, no faster than they may. */
export class LettingGo {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  /** The messages of a group behind a place, so many at once. */
  async *pagesOf(group: HeldGroup, from = 0): AsyncIterable<readonly HeldMessage[]> {
    const { stores, pace, stopping } = this.#options;
    let after = from;
    while (!stopping.aborted) {
      const page = await stores.ledger.readHeld(group, { limit: pace.atOnce, after });
      if (page.length > 0) yield page;
      if (page.length < pace.atOnce) return;
      after = page.at(-1)?.place ?? after;
    }
  }

  /** Resolves when they are through: those that are held again, and those that take too long. */
  async tryAgain(
    queue: string,
    messages: readonly HeldMessage[],
    { isOrdered, summary }: { readonly isOrdered: boolean; readonly summary: string },
  ): Promise<{ readonly again: readonly string[]; readonly slow: readonly string[] }> {
    const { stores, clock, onRelease } = this.#options;
    const started = performance.now();
    const stopped = messages.map(({ id, key }) => ({ queue, id, key }));
    await tryAgain(stopped, { stores, clock, summary, isOrdered });
    if (isOrdered) for (const { key } of messages) onRelease(queue, key);
    const ids = messages.map(({ id }) => id);
    const slow = await this.#untilThrough(ids);
    const states = await stores.ledger.states(ids);
    const again = ids.filter((id) => states.get(id) === 'parked');
    await this.#rest(messages.length, started);
    return { again, slow };
  }

  async giveUp(queue: string, messages: readonly HeldMessage[], summary: string): Promise<void> {
    const { stores, clock, onRelease } = this.#options;
    const started = performance.now();
    for (const { id, key } of messages) {
      await giveUp({ queue, id, key }, { stores, clock, summary });
      onRelease(queue, key);
    }
    await this.#rest(messages.length, started);
  }

  /** Until then, or until it stops. */
  async wait(ms: number): Promise<void> {
    const { stopping } = this.#options;
    if (ms > 0) await wait(ms, undefined, { signal: stopping }).catch(() => undefined);
  }

  #rest(messages: number, started: number): Promise<void> {
    const spentMs = performance.now() - started;
    return this.wait((messages * 1_000) / this.#options.pace.perSecond - spentMs);
  }

  /** Those that are not through in time. */
  async #untilThrough(ids: readonly string[]): Promise<readonly string[]> {
    const { stores, pace, stopping } = this.#options;
    const until = performance.now() + pace.patienceMs;
    let left = ids;
    for (;;) {
      await this.wait(pollMs);
      const states = await stores.ledger.states(left);
      left = left.filter((id) => underWay.has(states.get(id)));
      if (left.length === 0 || performance.now() > until || stopping.aborted) return left;
    }
  }
}

const underWay: ReadonlySet<MessageState | undefined> = new Set([
  'received',
  'queued',
  'in-progress',
  'retrying',
]);
