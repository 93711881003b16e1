import type { EnvelopeHeader } from '../../core/envelope.ts';

/** Enough for every message that is in a flow, and for those that were lately. */
const maxCounters = 50_000;

/**
 * Which of the messages that a node makes of one message this is, 1-based. Counted by attempt, so that
 * the flow run again counts from one; kept a while after the flow has ended, for what a node sends late.
 */
export class Ordinals {
  readonly #counters = new Map<string, number>();

  next({ id, attempt }: EnvelopeHeader, nodeId: string): number {
    const key = `${id} ${attempt} ${nodeId}`;
    const ordinal = (this.#counters.get(key) ?? 0) + 1;
    // Written anew, so that the oldest is always the first.
    this.#counters.delete(key);
    this.#counters.set(key, ordinal);
    if (this.#counters.size > maxCounters) {
      const [oldest] = this.#counters.keys();
      if (oldest !== undefined) this.#counters.delete(oldest);
    }
    return ordinal;
  }
}
