import type { EnvelopeHeader } from '../../core/envelope.ts';
import type { InFlow } from './outbound.ts';

/** Enough for the messages that were in a flow lately. */
const maxLate = 50_000;

/**
 * Which of the messages that a node makes of one message this is, 1-based. Counted anew in each run of the
 * flow, so that a run repeated (for whatever reason) counts the same; what a node sends after its run has
 * ended counts on from there.
 */
export class Ordinals {
  readonly #runs = new WeakMap<InFlow, Map<string, number>>();
  readonly #last = new Map<string, number>();

  next(inFlow: InFlow | undefined, { id, attempt }: EnvelopeHeader, nodeId: string): number {
    const key = `${id} ${attempt} ${nodeId}`;
    const counters = inFlow === undefined ? undefined : this.#countersOf(inFlow);
    const ordinal = (counters === undefined ? this.#last.get(key) : counters.get(nodeId)) ?? 0;
    counters?.set(nodeId, ordinal + 1);
    // Written anew, so that the oldest is always the first.
    this.#last.delete(key);
    this.#last.set(key, ordinal + 1);
    if (this.#last.size > maxLate) {
      const [oldest] = this.#last.keys();
      if (oldest !== undefined) this.#last.delete(oldest);
    }
    return ordinal + 1;
  }

  #countersOf(inFlow: InFlow): Map<string, number> {
    let counters = this.#runs.get(inFlow);
    if (counters === undefined) {
      counters = new Map();
      this.#runs.set(inFlow, counters);
    }
    return counters;
  }
}
