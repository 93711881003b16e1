import type { LedgerCount, LedgerEventKind } from '../../core/ports/ledger.ts';

/** How much came into a queue and how much left it. */
export interface Flow {
  readonly in: number;
  readonly out: number;
}

interface Sample {
  readonly at: number;
  readonly totals: ReadonlyMap<string, Flow>;
}

/** How often a sample is kept; also the width of a step of the history. */
export const sampleMs = 10_000;
const minuteMs = 60_000;
const maxSamples = 61;

/** What takes a message out of the queue that the event names. */
const leaving: ReadonlySet<LedgerEventKind> = new Set(['processed', 'delivered', 'dead-lettered']);

/**
 * Rates from counters that only grow: keeps one sample every ten seconds for ten minutes. A rate is the
 * number of messages since the sample of a minute ago, brought to a minute; it starts at 0 with the console.
 */
export class Rates {
  #samples: Sample[] = [];

  /** Takes in the newest counters, at `now` in milliseconds. */
  observe(counts: readonly LedgerCount[], now: number): void {
    const sample = { at: now, totals: toTotals(counts) };
    const last = this.#samples.at(-1);
    const before = this.#samples.at(-2);
    // The newest sample moves along until it is ten seconds younger than the one before it.
    if (last !== undefined && before !== undefined && now - before.at < sampleMs) {
      this.#samples[this.#samples.length - 1] = sample;
    } else this.#samples.push(sample);
    if (this.#samples.length > maxSamples) this.#samples.shift();
  }

  /** Messages of the last minute. */
  perMinute(queue: string): Flow {
    const last = this.#samples.at(-1);
    if (last === undefined) return { in: 0, out: 0 };
    const since =
      this.#samples.findLast((sample) => sample.at <= last.at - minuteMs) ?? this.#samples[0];
    if (since === undefined || since === last) return { in: 0, out: 0 };
    // A console that is younger than a minute has no right to multiply what it has seen.
    const minutes = Math.max(1, (last.at - since.at) / minuteMs);
    const moved = difference(since, last, queue);
    return { in: Math.round(moved.in / minutes), out: Math.round(moved.out / minutes) };
  }

  /** What came in and went out in the last ten minutes, in steps of ten seconds, oldest first, always as many. */
  history(queue: string): { readonly in: readonly number[]; readonly out: readonly number[] } {
    const steps = this.#samples
      .slice(1)
      .map((sample, index) => difference(this.#samples[index] ?? sample, sample, queue));
    // Filled up with nothing: where nothing moves, the history of a new console does not either.
    const missing = Array.from({ length: maxSamples - 1 - steps.length }, () => 0);
    return {
      in: [...missing, ...steps.map((step) => step.in)],
      out: [...missing, ...steps.map((step) => step.out)],
    };
  }
}

function toTotals(counts: readonly LedgerCount[]): ReadonlyMap<string, Flow> {
  const totals = new Map<string, Flow>();
  for (const { queue, kind, count } of counts) {
    const total = totals.get(queue) ?? { in: 0, out: 0 };
    if (kind === 'queued') totals.set(queue, { ...total, in: total.in + count });
    else if (leaving.has(kind)) totals.set(queue, { ...total, out: total.out + count });
  }
  return totals;
}

/** Never below 0: a ledger that was restored from a backup counts from less. */
function difference(from: Sample, to: Sample, queue: string): Flow {
  const before = from.totals.get(queue) ?? { in: 0, out: 0 };
  const after = to.totals.get(queue) ?? { in: 0, out: 0 };
  return {
    in: Math.max(0, after.in - before.in),
    out: Math.max(0, after.out - before.out),
  };
}
