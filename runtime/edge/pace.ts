import type { Broker } from '../../core/ports/broker.ts';
import type { Logger } from '../../core/ports/logger.ts';

interface Options {
  readonly broker: Broker;
  readonly logger: Logger;
  /** So many messages may wait for a flow before its senders are kept to its pace; Infinity: any number. */
  readonly above: number;
  /** How often queues are looked at that senders fill, in milliseconds; default 500. */
  readonly lookMs?: number;
  /** A flow that has taken nothing for so long stands still, in milliseconds; default 5 s. */
  readonly standstillMs?: number;
}

/** One queue that a listener fills. */
interface Filled {
  /** How many were let in, and how many of them are known to be in the queue, since the start. */
  entered: number;
  stored: number;
  /** How many there were in front of them, at the least. */
  before: number | undefined;
  /** How many the flow has taken, at the least; and when that was last seen to grow. */
  taken: number;
  tookAt: number;
  /** How many it takes between two looks, on average. */
  pace: number;
  /** How many may still be let in before the next look. */
  room: number;
  readonly waiting: (() => void)[];
}

/** How much the last look counts. */
const share = 0.2;

/**
 * Where a flow is slower than its senders they are kept to its pace: what more of them sends waits, and their
 * connections slow down. A flow that stands still (paused, or its worker is gone) slows nobody: what comes is kept for
 * it.
 */
export class Pace {
  readonly #options: Options;
  readonly #lookMs: number;
  readonly #standstillMs: number;
  readonly #queues = new Map<string, Filled>();
  #timer: NodeJS.Timeout | undefined;
  /** How many came. */
  #count = 0;
  #stopped = false;

  constructor(options: Options) {
    this.#options = options;
    this.#lookMs = options.lookMs ?? 500;
    this.#standstillMs = options.standstillMs ?? 5_000;
  }

  /** Resolves when a message may come in for the queue; undefined: at once. */
  enter(queue: string): Promise<void> | undefined {
    if (this.#stopped || this.#options.above === Infinity) return undefined;
    const filled = this.#of(queue);
    this.#count += 1;
    this.#lookLater();
    if (filled.room > 0) {
      filled.room -= 1;
      filled.entered += 1;
      return undefined;
    }
    return new Promise((resolve) => filled.waiting.push(resolve));
  }

  /** One that came in is in the queue now; some are refused, or came before. */
  stored(queue: string): void {
    const filled = this.#queues.get(queue);
    if (filled !== undefined) filled.stored += 1;
  }

  /** Nobody waits any more. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    for (const filled of this.#queues.values()) letIn(filled, Infinity);
  }

  #of(queue: string): Filled {
    let filled = this.#queues.get(queue);
    if (filled === undefined) {
      const counts = { entered: 0, stored: 0, before: undefined, taken: 0 };
      filled = { ...counts, tookAt: -Infinity, pace: 0, room: Infinity, waiting: [] };
      this.#queues.set(queue, filled);
    }
    return filled;
  }

  #lookLater(): void {
    this.#timer ??= setTimeout(() => void this.#look(), this.#lookMs);
  }

  async #look(): Promise<void> {
    const count = this.#count;
    const stored = new Map([...this.#queues].map(([queue, filled]) => [queue, filled.stored]));
    const depths = await this.#options.broker.depths().catch(() => []);
    this.#timer = undefined;
    if (this.#stopped) return;
    for (const [queue, filled] of this.#queues) {
      const found = depths.find((each) => each.queue === queue);
      if (found === undefined) letIn(filled, Infinity);
      else this.#adjust(queue, filled, found.ready + found.unsettled, stored.get(queue) ?? 0);
    }
    const isPaced = [...this.#queues.values()].some(({ room }) => room < Infinity);
    if (this.#count !== count || isPaced) this.#lookLater();
  }

  /** `stored`: how many were in the queue for certain when its depth was asked for. */
  #adjust(queue: string, filled: Filled, depth: number, stored: number): void {
    const { above, logger } = this.#options;
    const now = performance.now();
    filled.before ??= depth - filled.entered;
    // Both counts err on the side of the flow having taken less: what is on its way is not taken for taken.
    const took = Math.max(0, filled.before + stored - depth - filled.taken);
    filled.taken += took;
    if (took > 0) filled.tookAt = now;
    filled.pace += share * (took - filled.pace);
    const isPaced = depth > above && now - filled.tookAt <= this.#standstillMs;
    if (isPaced !== filled.room < Infinity) {
      const about = { queue, waiting: depth, above };
      if (isPaced) {
        logger.warn(about, 'A flow is slower than its senders: they are kept to its pace.');
      } else logger.info(about, 'Senders are no longer kept to the pace of their flow.');
    }
    // Less than the flow takes, so that what waits becomes less too.
    letIn(filled, isPaced ? Math.max(1, Math.round(filled.pace * (above / depth))) : Infinity);
  }
}

/** Until the next look so many may come in, those first that wait. */
function letIn(filled: Filled, room: number): void {
  const entering = filled.waiting.splice(0, room);
  filled.room = room - entering.length;
  filled.entered += entering.length;
  for (const enter of entering) enter();
}
