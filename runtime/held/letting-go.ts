import { setTimeout as wait } from 'node:timers/promises';
import type { HeldGroup, HeldMessage, MessageState } from '../../core/ports/ledger.ts';
import { giveUp, tryAgain } from '../admin/decide.ts';
import type { Stores } from '../broker.ts';
import type { Clock } from '../clock.ts';
import { Turns } from './turns.ts';

/** How fast held messages go on: beside what comes in, which is not to wait for them. */
export interface Pace {
  /** So many at once, of all queues that get on: the next go on when these are through, or wait again. */
  readonly atOnce: number;
  /** And so many a second at most. */
  readonly perSecond: number;
  /** Of one group in one look: a deploy, or a decision about other codes, is not to wait for all of them. */
  readonly perLook: number;
  /** A queue of which none of those that went on gets through for so long does not answer: others have their turn. */
  readonly silentMs: number;
  /** Those that are not through by then are left to themselves until the next look. */
  readonly patienceMs: number;
  /** How often to look after a deploy, when workers of before may still hold messages, and else. */
  readonly soonMs: number;
  readonly everyMs: number;
}

export const usualPace: Pace = {
  atOnce: 10,
  perSecond: 100,
  perLook: 500,
  silentMs: 2_000,
  patienceMs: 30_000,
  soonMs: 5_000,
  everyMs: 60_000,
};
const pollMs = 100;
const silentPollMs = 1_000;
/** Of those that are not due, so many are passed over at once. */
const mostPassed = 1_000;

interface Options {
  readonly stores: Pick<Stores, 'broker' | 'ledger' | 'intake'>;
  readonly clock: Clock;
  /** Whoever consumes the queue takes up what is set aside of the key. */
  readonly onRelease: (queue: string, key: string) => void;
  /** What went on may have been kept out of this queue. */
  readonly onDoubt: (queue: string) => void;
  readonly pace: Pace;
  readonly stopping: AbortSignal;
}

/** Some of a group that are due, and the place behind which the next are. */
interface DuePage {
  readonly due: readonly HeldMessage[];
  readonly place: number;
}

/** Lets held messages go on, or gives them up, no faster than they may. */
export class LettingGo {
  readonly #options: Options;
  readonly #turns = new Turns();

  constructor(options: Options) {
    this.#options = options;
  }

  /** Those of a group behind a place that are due, so many at once as may go on. */
  async *pagesOf(
    group: HeldGroup,
    {
      from = 0,
      isDue,
    }: { readonly from?: number; readonly isDue: (message: HeldMessage) => boolean },
  ): AsyncIterable<DuePage> {
    const { stores, pace, stopping } = this.#options;
    let after = from;
    let limit = pace.atOnce;
    while (!stopping.aborted) {
      const page = await stores.ledger.readHeld(group, { limit, after });
      const all = page.filter((message) => isDue(message));
      const due = all.slice(0, pace.atOnce);
      const last = due.length < all.length ? due.at(-1) : page.at(-1);
      after = last?.place ?? after;
      if (due.length > 0) yield { due, place: after };
      if (page.length < limit && due.length === all.length) return;
      limit = due.length === 0 ? Math.min(limit * 2, mostPassed) : pace.atOnce;
    }
  }

  /**
   * Resolves when they are through: those that are held again, and those that take too long. `onSilent` as soon as
   * their flow seems to take none.
   */
  async tryAgain(
    queue: string,
    messages: readonly HeldMessage[],
    how: { readonly isOrdered: boolean; readonly summary: string; readonly onSilent: () => void },
  ): Promise<{ readonly again: readonly string[]; readonly slow: readonly string[] }> {
    const { stores, clock, onRelease, onDoubt } = this.#options;
    const endTurn = await this.#turns.take();
    try {
      const started = performance.now();
      const stopped = messages.map(({ id, key }) => ({ queue, id, key }));
      await tryAgain(stopped, { stores, clock, onDoubt, ...how }).finally(() => {
        // Where only the answer was lost the ledger has it, and nobody would say so later.
        if (how.isOrdered) for (const { key } of messages) onRelease(queue, key);
      });
      const ids = messages.map(({ id }) => id);
      const slow = await this.#untilThrough(ids, () => {
        endTurn();
        how.onSilent();
      });
      const states = await stores.ledger.states(ids);
      const again = ids.filter((id) => states.get(id) === 'parked');
      await this.#rest(messages.length, started);
      return { again, slow };
    } finally {
      endTurn();
    }
  }

  async giveUp(queue: string, messages: readonly HeldMessage[], summary: string): Promise<void> {
    const { stores, clock, onRelease } = this.#options;
    const endTurn = await this.#turns.take();
    try {
      const started = performance.now();
      for (const { id, key } of messages) {
        await giveUp({ queue, id, key }, { stores, clock, summary });
        onRelease(queue, key);
      }
      await this.#rest(messages.length, started);
    } finally {
      endTurn();
    }
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
  async #untilThrough(ids: readonly string[], onSilent: () => void): Promise<readonly string[]> {
    const { stores, pace, stopping } = this.#options;
    let movedAt = performance.now();
    const until = movedAt + pace.patienceMs;
    let isSilent = false;
    let left = ids;
    for (;;) {
      await this.wait(isSilent ? silentPollMs : pollMs);
      const states = await stores.ledger.states(left);
      const now = performance.now();
      const rest = left.filter((id) => underWay.has(states.get(id)));
      if (rest.length < left.length) movedAt = now;
      left = rest;
      if (left.length === 0 || stopping.aborted) return left;
      const isOver = now > until;
      if (!isSilent && (isOver || now - movedAt > pace.silentMs)) {
        isSilent = true;
        onSilent();
      }
      if (isOver) return left;
    }
  }
}

const underWay: ReadonlySet<MessageState | undefined> = new Set([
  'received',
  'queued',
  'in-progress',
  'retrying',
]);
