/** One interface's messages on their way through its lanes. */
export interface Simulated {
  readonly perSecond: number;
  readonly workers: number;
  readonly lanes: number;
  /** What a worker needs for one, in microseconds. */
  readonly workerMicros: number;
  /** Messages come in bursts of as many on average, as senders empty what they have collected. */
  readonly burst: number;
  readonly messages: number;
  /** When the first worker is lost, in seconds, and for how long nobody has its lanes. */
  readonly loss?: { readonly atSeconds: number; readonly forMs: number };
  /** 0 up to 1. */
  readonly random: () => number;
}

export interface Waits {
  /** From its arrival to its end in the flow, in milliseconds. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly longestMs: number;
  /** The most that waited at a time. */
  readonly deepest: number;
  /** Of the workers, 0 up to 1. */
  readonly busy: number;
}

/**
 * Messages arrive at random, in bursts; each has a lane by chance, as by the hash of its key, a lane has one worker, and
 * a worker takes one after the other, each for a time that varies about its mean (exponentially, which is worse than
 * measured). Deterministic for the same `random`.
 */
export function simulate(it: Simulated): Waits {
  const freeAt = Array.from({ length: it.workers }, () => 0);
  const takesMs: number[] = [];
  const ends: number[] = [];
  let busyMs = 0;
  let nowMs = 0;
  let left = 0;
  for (let count = 0; count < it.messages; count += 1) {
    if (left === 0) {
      left = 1 + Math.floor(toExponential(it.random) * (it.burst - 1) + 0.5);
      nowMs += toExponential(it.random) * ((1_000 * it.burst) / it.perSecond);
    }
    left -= 1;
    const worker = Math.floor(it.random() * it.lanes) % it.workers;
    let startMs = Math.max(nowMs, freeAt[worker] ?? 0);
    if (it.loss !== undefined && worker === 0) {
      const lostMs = it.loss.atSeconds * 1_000;
      if (startMs >= lostMs && startMs < lostMs + it.loss.forMs) startMs = lostMs + it.loss.forMs;
    }
    const workMs = (toExponential(it.random) * it.workerMicros) / 1_000;
    freeAt[worker] = startMs + workMs;
    busyMs += workMs;
    takesMs.push(startMs + workMs - nowMs);
    ends.push(startMs + workMs);
  }
  const sorted = takesMs.toSorted((left, right) => left - right);
  const quantile = (part: number): number => sorted[Math.floor((sorted.length - 1) * part)] ?? 0;
  return {
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    longestMs: quantile(1),
    deepest: findDeepest(takesMs, ends),
    busy: busyMs / (it.workers * Math.max(nowMs, ...freeAt)),
  };
}

/** Mean 1. */
function toExponential(random: () => number): number {
  return -Math.log(1 - random());
}

function findDeepest(takesMs: readonly number[], ends: readonly number[]): number {
  const changes = ends.flatMap((end, at) => [
    { at: end - (takesMs[at] ?? 0), by: 1 },
    { at: end, by: -1 },
  ]);
  changes.sort((left, right) => left.at - right.at || left.by - right.by);
  let depth = 0;
  let deepest = 0;
  for (const { by } of changes) {
    depth += by;
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}
