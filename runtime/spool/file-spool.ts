import { setTimeout as wait } from 'node:timers/promises';
import type { SpoolFile } from '../../connectors/spool/spool-file.ts';
import { findFailure } from '../../core/errors.ts';
import type { Ledger, LedgerEntry } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { BatchNumbers } from '../batch-numbers.ts';
import { forwardSpool } from './forward-spool.ts';
import type { LedgerSpool } from './ledger-spool.ts';
import { within } from './patience.ts';
import { toSpooled } from './spooled.ts';

interface Options {
  readonly ledger: Ledger;
  readonly spool: SpoolFile;
  /** Whose spool it is: `edge`, `worker default`. */
  readonly name: string;
  /** How long the ledger may take to answer before it counts as away. */
  readonly patienceMs: number;
  readonly logger: Logger;
}

const againMs = 1_000;
/** What comes waits no longer than this for the last of the file, and goes into the file then. */
const heldMs = 1_000;

/**
 * The spool of a process that goes on while the ledger is slow or away: entries are then spooled in a file of its
 * own, and forwarded in their order when the ledger is back. Each append is a numbered batch, so that one whose answer
 * was not heard counts once. From the first batch that is spooled until the file is empty everything is spooled; when
 * the ledger has nearly all of it what comes waits a moment, else the file would not become empty under load.
 */
export class FileSpool implements LedgerSpool {
  readonly #options: Options;
  readonly #numbers: BatchNumbers;
  /** The first number of those in the file. */
  #firstSpooled: number | undefined;
  #spooling: Promise<void> | undefined;
  /** The last of the file goes to the ledger: what comes waits for that. */
  #held: { readonly until: Promise<undefined>; readonly letGo: () => void } | undefined;
  readonly #closing = new AbortController();
  #isWarnedOfRoom = false;
  /** Why the ledger did not take something. */
  #reason: unknown;

  /** Begins with what an earlier process left in the file. */
  constructor(options: Options) {
    this.#options = options;
    this.#numbers = new BatchNumbers(options.name);
    const { spool, logger } = options;
    if (spool.isEmpty) return;
    logger.info({ bytes: spool.bytes }, 'An earlier process left entries for the ledger.');
    this.#startForwarding();
  }

  /** Something is in the file: the ledger does not know all that this process does. */
  get isSpooling(): boolean {
    return this.#spooling !== undefined;
  }

  async record(entries: readonly LedgerEntry[]): Promise<void> {
    if (entries.length === 0) return;
    const number = this.#numbers.next();
    try {
      while (this.#spooling !== undefined || !(await this.#send(entries, number))) {
        if (this.#held !== undefined) {
          await this.#held.until;
          continue;
        }
        if (await this.#spool(entries, number)) return;
        await this.#waitForRoom();
      }
    } finally {
      this.#numbers.heard(number);
    }
  }

  async forwarded(): Promise<void> {
    while (this.#spooling !== undefined && !this.#closing.signal.aborted) await this.#spooling;
  }

  /** Gives the ledger a moment to take what is spooled; the rest is left to the next process of this name. */
  async close(): Promise<void> {
    const { patienceMs, spool } = this.#options;
    if (this.#spooling !== undefined) {
      await Promise.race([this.#spooling, wait(patienceMs, undefined, { ref: false })]);
    }
    this.#closing.abort();
    await spool.close();
  }

  /** Whether the ledger has it. Rejects where it never will. */
  async #send(entries: readonly LedgerEntry[], number: number): Promise<boolean> {
    const { ledger, patienceMs } = this.#options;
    const batch = this.#numbers.toBatch(number, this.#firstSpooled);
    try {
      await within(patienceMs, ledger.append(entries, batch));
      return true;
    } catch (error) {
      if (findFailure(error)?.errorClass === 'permanent') throw error;
      this.#reason = error;
      return false;
    }
  }

  /** Whether it is on the disk. */
  async #spool(entries: readonly LedgerEntry[], number: number): Promise<boolean> {
    const { spool, logger } = this.#options;
    this.#firstSpooled = Math.min(number, this.#firstSpooled ?? number);
    const batch = this.#numbers.toBatch(number, this.#firstSpooled);
    const isStored = await spool.append(toSpooled({ batch, entries }));
    if (isStored && this.#spooling === undefined) {
      logger.warn(
        { err: this.#reason },
        'The ledger is slow or away: what happens is spooled here until it is back.',
      );
      this.#startForwarding();
    }
    return isStored;
  }

  #startForwarding(): void {
    const { spool, ledger, logger } = this.#options;
    const closing = this.#closing.signal;
    const onNearEnd = (): void => this.#hold();
    this.#spooling = forwardSpool({ spool, ledger, logger, closing, onNearEnd }).then(() => {
      this.#spooling = undefined;
      this.#held?.letGo();
      this.#isWarnedOfRoom = false;
      // Something may have come in this moment; then it is forwarded by itself.
      if (spool.isEmpty) this.#firstSpooled = undefined;
    });
  }

  #hold(): void {
    if (this.#held !== undefined) return;
    const { promise: until, resolve } = Promise.withResolvers<undefined>();
    const letGo = (): void => {
      clearTimeout(timer);
      this.#held = undefined;
      resolve(undefined);
    };
    const timer = setTimeout(letGo, heldMs);
    this.#held = { until, letGo };
  }

  async #waitForRoom(): Promise<void> {
    const { spool, logger } = this.#options;
    if (!this.#isWarnedOfRoom) {
      const text =
        'The spool for the ledger is full: messages wait in their queues until the ledger is back (HILUM_SPOOL_MIB).';
      logger.error({ bytes: spool.bytes }, text);
    }
    this.#isWarnedOfRoom = true;
    const pause = wait(againMs, undefined, { ref: false });
    await (this.#spooling === undefined ? pause : Promise.race([this.#spooling, pause]));
  }
}
