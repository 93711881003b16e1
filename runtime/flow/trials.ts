import { setTimeout as wait } from 'node:timers/promises';

/**
 * Longer than whatever ends a worker takes to do so, a silence included; a flow may also need several messages to go on,
 * or wait for another system.
 */
const usualBoundMs = 20_000;

/**
 * The runs of all flows of one worker: any number beside each other, but for one that is to be alone, so that nothing
 * else can be the reason if the worker ends meanwhile.
 */
export class Trials {
  readonly #boundMs: number;
  readonly #underway = new Set<Promise<unknown>>();
  /** Settled when the one that is alone is through. */
  #alone: Promise<undefined> | undefined;

  /** `boundMs`: nobody waits longer for another. */
  constructor(boundMs = usualBoundMs) {
    this.#boundMs = boundMs;
  }

  /** Runs it at once, or in its turn behind the one that is alone. */
  run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#alone === undefined) return this.#begin(work);
    return this.#alone.then(() => this.run(work));
  }

  /** Runs it when those under way are through; those that come later wait until it is. */
  async runAlone<T>(work: () => Promise<T>): Promise<T> {
    while (this.#alone !== undefined) await this.#alone;
    const through = Promise.withResolvers<undefined>();
    this.#alone = through.promise;
    await this.#atMost(Promise.allSettled(this.#underway));
    const working = this.#begin(work);
    void this.#atMost(Promise.allSettled([working])).then(() => {
      this.#alone = undefined;
      through.resolve(undefined);
    });
    return working;
  }

  #begin<T>(work: () => Promise<T>): Promise<T> {
    const working = work().finally(() => this.#underway.delete(working));
    this.#underway.add(working);
    return working;
  }

  async #atMost(what: Promise<unknown>): Promise<void> {
    const bound = new AbortController();
    const { signal } = bound;
    const late = wait(this.#boundMs, undefined, { ref: false, signal }).catch(() => undefined);
    await Promise.race([what, late]);
    bound.abort();
  }
}
