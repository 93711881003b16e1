import { setTimeout as wait } from 'node:timers/promises';
import type { HeldGroup, Ledger } from '../../core/ports/ledger.ts';

/** What is held is asked for so seldom that the ledger spends at most a tenth of its time on it. */
const restFactor = 10;
/** What is answered as fast is asked for every time. */
const quickMs = 100;

/** What messages are held for. Pages, looks and metrics ask for it, of many groups no more often than that is worth. */
export class HeldGroups {
  readonly #ledger: Pick<Ledger, 'held'>;
  #asking: Promise<readonly HeldGroup[]> | undefined;
  #next: Promise<readonly HeldGroup[]> | undefined;
  #last: { readonly groups: readonly HeldGroup[]; readonly until: number } | undefined;

  constructor(ledger: Pick<Ledger, 'held'>) {
    this.#ledger = ledger;
  }

  /**
   * Those first that were set aside first: as they are now, or where there are many, as they were at most ten times as long
   * ago as asking for them takes.
   */
  read(): Promise<readonly HeldGroup[]> {
    const known = this.#known;
    if (known !== undefined) return Promise.resolve(known);
    if (this.#asking === undefined) return this.#ask();
    // What is being asked for may be from before what the caller knows of.
    this.#next ??= this.#asking
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        return this.#known ?? this.#ask();
      });
    return this.#next;
  }

  /** As they were when they were last asked for, where that takes longer now; undefined where nobody knows. */
  async readWithin(ms: number): Promise<readonly HeldGroup[] | undefined> {
    const patience = new AbortController();
    const reading = this.read().catch(() => undefined);
    const late = wait(ms, undefined, patience).catch(() => undefined);
    const found = await Promise.race([reading, late]);
    patience.abort();
    return found ?? this.#last?.groups;
  }

  get #known(): readonly HeldGroup[] | undefined {
    const last = this.#last;
    return last !== undefined && performance.now() < last.until ? last.groups : undefined;
  }

  #ask(): Promise<readonly HeldGroup[]> {
    const asking = this.#askAndKeep().finally(() => {
      if (this.#asking === asking) this.#asking = undefined;
    });
    this.#asking = asking;
    return asking;
  }

  async #askAndKeep(): Promise<readonly HeldGroup[]> {
    const started = performance.now();
    const groups = await this.#ledger.held();
    const now = performance.now();
    const spentMs = now - started;
    this.#last = { groups, until: spentMs < quickMs ? now : now + restFactor * spentMs };
    return groups;
  }
}
