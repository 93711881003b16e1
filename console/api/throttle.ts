/** How many wrong passwords in how long: see {@link loginLimits}. */
export interface Limit {
  readonly count: number;
  readonly windowMs: number;
}

const windowMs = 10 * 60_000;

/**
 * Guesses are counted for the user at that address, for the address, and for the user from everywhere.
 * The last is the widest: else a stranger could lock the administrator out by guessing wrong on purpose.
 */
export const loginLimits = {
  pair: { count: 5, windowMs },
  address: { count: 20, windowMs },
  user: { count: 50, windowMs },
} as const satisfies Record<string, Limit>;

interface Bucket {
  count: number;
  readonly until: number;
}

const maxBuckets = 10_000;

/** Counts attempts to sign in. An attempt counts when it begins, so that parallel ones are not free. */
export class Throttle {
  readonly #buckets = new Map<string, Bucket>();
  readonly #clock: () => number;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** Counts an attempt; the answer is how long to wait in milliseconds, 0 to go on. */
  attempt(username: string, address: string): number {
    const now = this.#clock();
    const buckets = keysOf(username, address).map(([key, limit]) => ({
      limit,
      bucket: this.#bucket(key, limit, now),
    }));
    const waits = buckets
      .filter(({ bucket, limit }) => bucket.count >= limit.count)
      .map(({ bucket }) => bucket.until - now);
    if (waits.length > 0) return Math.max(...waits);
    for (const { bucket } of buckets) bucket.count += 1;
    return 0;
  }

  /** The password was right: what this user got wrong at this address is forgotten, and nobody else's. */
  succeed(username: string, address: string): void {
    const [pair, ...others] = keysOf(username, address);
    if (pair !== undefined) this.#buckets.delete(pair[0]);
    for (const [key] of others) {
      const bucket = this.#buckets.get(key);
      if (bucket !== undefined) bucket.count -= 1;
    }
  }

  #bucket(key: string, limit: Limit, now: number): Bucket {
    const found = this.#buckets.get(key);
    if (found !== undefined && found.until > now) return found;
    if (this.#buckets.size >= maxBuckets) this.#prune(now);
    const bucket = { count: 0, until: now + limit.windowMs };
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    return bucket;
  }

  /** Forgets what is over, then the oldest: memory stays bounded however many names are tried. */
  #prune(now: number): void {
    for (const [key, bucket] of this.#buckets) if (bucket.until <= now) this.#buckets.delete(key);
    for (const key of this.#buckets.keys()) {
      if (this.#buckets.size < maxBuckets / 2) break;
      this.#buckets.delete(key);
    }
  }
}

function keysOf(username: string, address: string): [string, Limit][] {
  return [
    [`pair ${address} ${username}`, loginLimits.pair],
    [`address ${address}`, loginLimits.address],
    [`user ${username}`, loginLimits.user],
  ];
}
