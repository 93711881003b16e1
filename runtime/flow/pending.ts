import type { Outgoing } from '../../core/ports/broker.ts';
import type { LedgerEntry } from '../../core/ports/ledger.ts';

/** A quick flow is through before this, and all that it did is one transaction. */
const usualFlushMs = 100;

/**
 * What a message's flow has made so far and nobody has stored yet: messages to be sent, and what the ledger is to
 * be told. It is stored with the settlement of the message, in one transaction where the broker can. A flow that
 * takes longer has it stored before, so that its quick branches do not wait for the slow ones; from then on
 * whatever it makes is stored at once.
 */
export class Pending {
  #outgoing: Outgoing[] = [];
  #entries: LedgerEntry[] = [];
  #open = true;
  #flushing: Promise<void> | undefined;
  readonly #store: (
    outgoing: readonly Outgoing[],
    entries: readonly LedgerEntry[],
  ) => Promise<void>;
  readonly #timer: NodeJS.Timeout;

  /** `store` makes durable what could not wait for the settlement. */
  constructor(
    store: (outgoing: readonly Outgoing[], entries: readonly LedgerEntry[]) => Promise<void>,
    flushMs = usualFlushMs,
  ) {
    this.#store = store;
    this.#timer = setTimeout(() => {
      // Where it fails the settlement tries again.
      this.flush().catch(() => undefined);
    }, flushMs);
  }

  /** False where it has to be stored at once, by whoever made it. */
  add(outgoing: readonly Outgoing[], entries: readonly LedgerEntry[]): boolean {
    if (!this.#open) return false;
    this.#outgoing.push(...outgoing);
    this.#entries.push(...entries);
    return true;
  }

  /** Stores what is there now; nothing waits any more. Rejects as the broker does, and keeps it then. */
  async flush(): Promise<void> {
    this.#open = false;
    clearTimeout(this.#timer);
    await (this.#flushing ??= this.#flush());
  }

  /** What is to be stored with the settlement; nothing waits any more. */
  async take(): Promise<{
    readonly outgoing: readonly Outgoing[];
    readonly entries: readonly LedgerEntry[];
  }> {
    this.#open = false;
    clearTimeout(this.#timer);
    if (this.#flushing !== undefined) await this.#flushing.catch(() => undefined);
    const taken = { outgoing: this.#outgoing, entries: this.#entries };
    this.#outgoing = [];
    this.#entries = [];
    return taken;
  }

  async #flush(): Promise<void> {
    const [outgoing, entries] = [this.#outgoing, this.#entries];
    await this.#store(outgoing, entries);
    this.#outgoing = this.#outgoing.slice(outgoing.length);
    this.#entries = this.#entries.slice(entries.length);
  }
}
