import type { Clock } from '../clock.ts';

const firstMs = 5_000;
const mostMs = 60 * 60_000;

/**
 * Messages that were let go on and are held again, although what is deployed has their codes: a worker may have run what
 * was deployed before, or a node before the map changes the code. They are tried again after 5 s, 10, 20, at most an
 * hour.
 */
export class Returned {
  readonly #clock: Clock;
  readonly #times = new Map<string, { readonly count: number; readonly due: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(id: string): void {
    const count = (this.#times.get(id)?.count ?? 0) + 1;
    const due = this.#clock() + Math.min(mostMs, firstMs * 2 ** (count - 1));
    this.#times.set(id, { count, due });
  }

  isDue(id: string): boolean {
    return (this.#times.get(id)?.due ?? 0) <= this.#clock();
  }

  /** Something else is deployed. */
  clear(): void {
    this.#times.clear();
  }
}
