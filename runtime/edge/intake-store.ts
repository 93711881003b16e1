import { setTimeout as wait } from 'node:timers/promises';
import type { Broker } from '../../core/ports/broker.ts';
import type { UniqueIntake } from '../../core/ports/intake.ts';
import type { Ledger, LedgerEntry } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Clock } from '../clock.ts';
import { waitForLedger, type LedgerSpool } from '../spool/ledger-spool.ts';
import { Recorder } from '../recorder.ts';
import type { Duplicates, FirstClaim, Repetition } from './duplicates.ts';
import {
  storeApart,
  storeAtOnce,
  type Inlet,
  type Keepable,
  type StoreAttempt,
  type Tried,
} from './store-attempt.ts';

/** Long enough for the owner to come back, short enough for any sender's patience. */
const storeWithinMs = 8_000;
const storeAgainMs = 250;

interface Options {
  readonly broker: Broker;
  readonly ledger: Ledger;
  /** Both in one, where they are of one piece. */
  readonly intake?: UniqueIntake;
  readonly ledgerSpool?: LedgerSpool;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly duplicates: Duplicates;
  /** Where messages are put; absent: the broker itself. */
  readonly inlet?: Inlet;
}

/** What became of it; `failed`: it is not known to be stored, for this reason. */
export type Kept =
  { readonly kind: 'stored' } | Repetition | { readonly kind: 'failed'; readonly reason: unknown };

/** A message that is to be stored when its turn comes. */
interface Claimed {
  readonly kind: 'claimed';
  readonly claim: FirstClaim;
  readonly attempt: StoreAttempt;
}

/**
 * Makes a listener's messages durable, in the order in which they come, and each one once. The ledger says that a
 * message is in its queue no sooner than it is: a copy of what it says so of is acknowledged and not stored.
 */
export class IntakeStore {
  readonly #options: Options;
  readonly #recorder: Recorder;
  readonly #ledgerSpool: LedgerSpool;
  /** While the stores are away: whoever came first is stored first. */
  #blocked: Promise<void> | undefined;
  /** Resolves when everything before has been sent to the stores, or has nothing to be stored. */
  #sent: Promise<void> = Promise.resolve();

  constructor(options: Options) {
    this.#options = options;
    this.#ledgerSpool = options.ledgerSpool ?? waitForLedger(options.ledger);
    this.#recorder = new Recorder({ ...options, ledgerSpool: this.#ledgerSpool });
  }

  /** Never rejects. */
  async keep(message: Keepable): Promise<Kept> {
    const before = this.#sent;
    const { promise, resolve: letNextGo } = Promise.withResolvers<undefined>();
    this.#sent = promise;
    const claiming = this.#claim(message);
    try {
      const [claimed] = await Promise.all([claiming, before]);
      return claimed.kind === 'claimed' ? await this.#store(message, claimed, letNextGo) : claimed;
    } finally {
      letNextGo(undefined);
    }
  }

  async #claim(message: Keepable): Promise<Claimed | Repetition> {
    const { intake, duplicates } = this.#options;
    const claim = await duplicates.claim(message.envelope, message.policy);
    if (claim.kind !== 'first') return claim;
    const attempt =
      intake === undefined
        ? storeApart(message, claim, { ...this.#options, ledgerSpool: this.#ledgerSpool })
        : storeAtOnce(message, claim, intake);
    const repetition = await attempt.ask();
    if (repetition === undefined) return { kind: 'claimed', claim, attempt };
    conclude(claim, repetition);
    return repetition;
  }

  async #store(
    { envelope }: Keepable,
    { claim, attempt }: Claimed,
    onSent: (none: undefined) => void,
  ): Promise<Kept> {
    while (this.#blocked !== undefined) await this.#blocked;
    const deadline = this.#options.clock() + storeWithinMs;
    const trying = attempt.run();
    onSent(undefined);
    const tried = await this.#untilThere(await trying, attempt, deadline);
    switch (tried.kind) {
      case 'failed':
        claim.forget();
        // That it was here, for people.
        if (tried.birth !== undefined) await this.#recorder.write(tried.birth);
        return tried;
      case 'stored':
        claim.settle(envelope.id);
        if (this.#options.intake === undefined) void this.#forgetWhenTold(claim, tried.missing);
        else claim.forget();
        return tried;
      default:
        conclude(claim, tried);
        return tried;
    }
  }

  /** Its copies are known here until the ledger can tell of it. */
  async #forgetWhenTold(claim: FirstClaim, missing: readonly LedgerEntry[]): Promise<void> {
    if (missing.length > 0) await this.#recorder.write(missing);
    await this.#recorder.forwarded();
    claim.forget();
  }

  /**
   * What is away for a moment (the owner being started again) is waited for: the same id again changes nothing
   * where it was stored after all. A broker that has waited for itself, as RabbitMQ's does, is not asked again.
   */
  async #untilThere(first: Tried, attempt: StoreAttempt, deadline: number): Promise<Tried> {
    if (!isAway(first)) return first;
    while (this.#blocked !== undefined) await this.#blocked;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#blocked = promise;
    let tried = first;
    while (isAway(tried) && this.#options.clock() <= deadline) {
      tried = await attempt.run();
      if (isAway(tried)) await wait(storeAgainMs);
    }
    this.#blocked = undefined;
    resolve(undefined);
    return tried;
  }
}

function isAway(tried: Tried): boolean {
  return tried.kind === 'failed' && tried.isAway;
}

/** Copies that wait for it hear of the first one. */
function conclude(claim: FirstClaim, repetition: Repetition): void {
  claim.settle(repetition.kind === 'duplicate' ? repetition.firstId : undefined);
  claim.forget();
}
