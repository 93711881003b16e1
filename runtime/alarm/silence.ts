import type { Ledger, LedgerCount } from '../../core/ports/ledger.ts';

/** When the listeners of an interface received something last, and how many messages they had by then. */
export interface Heard {
  /** ISO 8601 instant. */
  readonly at: string;
  readonly received: number;
}

/** How far back among the newest messages one is looked for that came from outside. */
const looksBack = 100;

/**
 * For how long interfaces have received nothing. It goes by the ledger's counters; time while Hilum does not run counts
 * as well, and an interface that was never heard counts from when it was first looked at.
 */
export class Silence {
  readonly #ledger: Pick<Ledger, 'find'>;
  readonly #heard: Map<string, Heard>;
  /** Those that were looked at since this process started. */
  readonly #seen = new Set<string>();

  constructor(heard: Readonly<Record<string, Heard>>, ledger: Pick<Ledger, 'find'>) {
    this.#heard = new Map(Object.entries(heard));
    this.#ledger = ledger;
  }

  heard(): Readonly<Record<string, Heard>> {
    return Object.fromEntries(this.#heard);
  }

  /** Takes in the newest counters, and gives milliseconds of silence by interface. */
  async observe(
    interfaces: readonly string[],
    counts: readonly LedgerCount[],
    now: number,
  ): Promise<ReadonlyMap<string, number>> {
    const silent = new Map<string, number>();
    for (const owner of interfaces) {
      const received = countReceived(counts, owner);
      const before = this.#heard.get(owner);
      if (before?.received !== received) {
        this.#heard.set(owner, { at: await this.#whenHeard(owner, received, now), received });
      }
      this.#seen.add(owner);
      const { at } = this.#heard.get(owner) ?? { at: new Date(now).toISOString() };
      silent.set(owner, Math.max(0, now - Date.parse(at)));
    }
    for (const owner of this.#heard.keys()) {
      if (!interfaces.includes(owner)) this.#heard.delete(owner);
    }
    return silent;
  }

  /** While it runs, it was just now; at the first look after a start the ledger knows when. */
  async #whenHeard(owner: string, received: number, now: number): Promise<string> {
    const just = new Date(now).toISOString();
    if (this.#seen.has(owner) || received === 0) return just;
    const newest = await this.#ledger.find({ interface: owner }, { limit: looksBack });
    return newest.find(({ causationId }) => causationId === undefined)?.receivedAt ?? just;
  }
}

function countReceived(counts: readonly LedgerCount[], owner: string): number {
  let received = 0;
  for (const { interface: name, kind, count } of counts) {
    if (name === owner && kind === 'received') received += count;
  }
  return received;
}
