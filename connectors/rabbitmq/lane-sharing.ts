import type { Connection } from './connection.ts';
import { onThrowAwayChannel } from './topology.ts';

/** A lane as far as it can be shared. */
interface Shareable {
  /** It is this consumer's, as far as that has shown. */
  readonly isActive: boolean;
  readonly mayLetGo: boolean;
  /** Lets go of it when nothing of it is in hands, where that comes about in time. */
  yield(withinMs: number): void;
}

interface Options {
  /** The queue that every consumer consumes beside its lanes: so many share them. */
  readonly serverQueue: string;
  readonly lanes: readonly Shareable[];
  readonly ready: () => Promise<Connection>;
  /** 0 up to 1, for which of its lanes. */
  readonly random?: () => number;
}

const lookEveryMs = 2_000;
/** A lane stands still for as long at most; one that is held up is kept. */
const settleWithinMs = 5_000;
/** Which was not settled in time is not tried again at once: it may be waiting for a partner. */
const lookAfterKeptMs = 30_000;

/**
 * Shares the lanes of a queue out among all that consume it. RabbitMQ gives a lane to whoever comes first, for as long
 * as that stays, so that one who comes later gets none: whoever has more than a fair share lets go of the rest, and
 * stands in line again. RabbitMQ gives them to the next in line, who does the same.
 */
export class LaneSharing {
  readonly #options: Options;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;
  /** When each was to be let go of. */
  readonly #tried = new WeakMap<Shareable, number>();
  /** What was counted last: one look alone may see a consumer that is being replaced. */
  #counted = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  start(): void {
    if (this.#options.lanes.length > 1) this.#plan();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #plan(): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => {
      void this.#look()
        // Without a connection nobody has any lane.
        .catch(() => undefined)
        .then(() => this.#plan());
    }, lookEveryMs);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    const { serverQueue, lanes, ready, random = Math.random } = this.#options;
    if (!lanes.some(({ isActive }) => isActive)) return;
    const connection = await ready();
    const { consumerCount } = await onThrowAwayChannel(connection, (channel) =>
      connection.call(() => channel.checkQueue(serverQueue), `${serverQueue} does not answer`),
    );
    const sharers = Math.min(this.#counted, consumerCount);
    this.#counted = consumerCount;
    if (sharers < 2 || this.#isStopped) return;
    const now = performance.now();
    const active = lanes.filter(({ isActive }) => isActive);
    const free = active.filter(
      (lane) => lane.mayLetGo && now - (this.#tried.get(lane) ?? -Infinity) > lookAfterKeptMs,
    );
    for (
      let excess = countExcess({ lanes: lanes.length, active: active.length, sharers });
      excess > 0;
      excess -= 1
    ) {
      const [lane] = free.splice(Math.floor(random() * free.length), 1);
      if (lane === undefined) return;
      this.#tried.set(lane, now);
      lane.yield(settleWithinMs);
    }
  }
}

/** How many lanes more than a fair share, which is rounded up: so every lane has somebody, and nobody waits for one. */
export function countExcess({
  lanes,
  active,
  sharers,
}: {
  readonly lanes: number;
  readonly active: number;
  readonly sharers: number;
}): number {
  return Math.max(0, active - Math.ceil(lanes / sharers));
}
