import { setTimeout as wait } from 'node:timers/promises';
import { findFailure } from '../../core/errors.ts';
import type { Ledger, LedgerEntry } from '../../core/ports/ledger.ts';

/** Where a process writes what happens to messages. */
export interface LedgerSpool {
  /**
   * Resolves when the entries are durable: in the ledger, or on this machine's disk until the ledger has them. Where
   * neither can take them it waits for as long as it takes, so that whatever is to follow waits too. Rejects
   * only what no ledger will ever take (permanent).
   */
  record(entries: readonly LedgerEntry[]): Promise<void>;
  /** Resolves when what was recorded so far can be found in the ledger. */
  forwarded(): Promise<void>;
}

const firstDelayMs = 250;
const maxDelayMs = 10_000;

/** The spool of whoever keeps nothing of its own: the ledger is waited for. */
export function waitForLedger(ledger: Ledger): LedgerSpool {
  const pending = new Set<Promise<void>>();
  return {
    record: (entries) => {
      const recording = untilTaken(ledger, entries);
      pending.add(recording);
      const done = (): void => void pending.delete(recording);
      recording.then(done, done);
      return recording;
    },
    forwarded: async () => {
      await Promise.allSettled(pending);
    },
  };
}

async function untilTaken(ledger: Ledger, entries: readonly LedgerEntry[]): Promise<void> {
  for (let delayMs = firstDelayMs; ; delayMs = Math.min(2 * delayMs, maxDelayMs)) {
    try {
      await ledger.append(entries);
      return;
    } catch (error) {
      if (findFailure(error)?.errorClass === 'permanent') throw error;
    }
    // A process that ends does not stay for it.
    await wait(delayMs, undefined, { ref: false });
  }
}
