import { setTimeout as wait } from 'node:timers/promises';
import type { Envelope } from '../../core/envelope.ts';
import { findFailure } from '../../core/errors.ts';
import type { DuplicatePolicy } from '../../core/interface.ts';
import type { Issue } from '../../core/issue.ts';
import type { Broker } from '../../core/ports/broker.ts';
import type { Ledger, LedgerEntry } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Clock } from '../clock.ts';
import { waitForLedger, type Journal } from '../journal/journal.ts';
import { Recorder } from '../recorder.ts';
import type { Duplicates, FirstClaim, Repetition } from './duplicates.ts';

/** Long enough for the owner to come back, short enough for any sender's patience. */
const storeWithinMs = 8_000;
const storeAgainMs = 250;
/** A larger body does not reach the owner in one frame with what belongs to it. */
const maxTogetherBytes = 256 * 1024;

interface Options {
  readonly broker: Broker;
  readonly ledger: Ledger;
  readonly journal?: Journal;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly duplicates: Duplicates;
  /**
   * `together`: what broker and ledger are asked in one tick is one transaction, or that of the broker comes first.
   * `apart`: they know nothing of each other.
   */
  readonly stores: 'together' | 'apart';
  /** Where messages are put; absent: the broker itself. */
  readonly inlet?: Inlet;
}

/** Makes a message durable in its queue, or on this machine until its broker is back. */
export interface Inlet {
  put(queue: string, envelope: Envelope): Promise<'queued' | 'spooled'>;
}

/** A message to be kept. */
export interface Keepable {
  readonly envelope: Envelope;
  readonly queue: string;
  readonly policy: DuplicatePolicy;
  /** The message itself and that it was received, with what was found about it. */
  readonly buildBirth: (found: {
    readonly isUnchecked: boolean;
    readonly issues: readonly Issue[];
  }) => readonly LedgerEntry[];
  /** That it is in its queue. */
  readonly queued: LedgerEntry;
}

/** What became of it; `failed`: it is not known to be stored, for this reason. */
export type Kept =
  { readonly kind: 'stored' } | Repetition | { readonly kind: 'failed'; readonly reason: unknown };

/** Whether the broker took the message, and whether the ledger took what belongs to it. */
type Stored = readonly [
  queued: PromiseSettledResult<unknown>,
  recorded: PromiseSettledResult<unknown>,
];

/**
 * Makes a listener's messages durable, in the order in which they come, and each one once. The ledger says that a
 * message is in its queue no sooner than it is: a copy of what it says so of is acknowledged and not stored.
 */
export class IntakeStore {
  readonly #options: Options;
  readonly #recorder: Recorder;
  readonly #journal: Journal;
  /** While the stores are away: whoever came first is stored first. */
  #blocked: Promise<void> | undefined;
  /** Resolves when everything before has been sent to the stores, or has nothing to be stored. */
  #sent: Promise<void> = Promise.resolve();

  constructor(options: Options) {
    this.#options = options;
    this.#journal = options.journal ?? waitForLedger(options.ledger);
    this.#recorder = new Recorder({ ...options, journal: this.#journal });
  }

  /** Never rejects. */
  async keep(message: Keepable): Promise<Kept> {
    const before = this.#sent;
    const { promise, resolve: letNextGo } = Promise.withResolvers<undefined>();
    this.#sent = promise;
    const claiming = this.#options.duplicates.claim(message.envelope, message.policy);
    try {
      const [claim] = await Promise.all([claiming, before]);
      return claim.kind === 'first' ? await this.#store(message, claim, letNextGo) : claim;
    } finally {
      letNextGo(undefined);
    }
  }

  async #store(
    message: Keepable,
    claim: FirstClaim,
    onSent: (none: undefined) => void,
  ): Promise<Kept> {
    const { envelope, queue, queued: entry } = message;
    const issues = claim.isReused ? [reused] : [];
    const birth = (isUnchecked: boolean) => message.buildBirth({ isUnchecked, issues });
    const isTogether =
      this.#options.stores === 'together' && envelope.body.length <= maxTogetherBytes;
    let isUnchecked = claim.isUnchecked;
    const tryOnce = (): Promise<Stored> => {
      const { broker, ledger } = this.#options;
      const entries = [...birth(isUnchecked), entry];
      // The broker first: what comes between the two must not leave the ledger alone with it.
      return isTogether
        ? Promise.allSettled([broker.publish(queue, envelope), ledger.append(entries)])
        : this.#storeApart(message, birth(isUnchecked));
    };
    await this.#unblocked();
    const deadline = this.#options.clock() + storeWithinMs;
    const trying = tryOnce();
    onSent(undefined);
    const results = await this.#untilThere(await trying, deadline, async () => {
      const again = isUnchecked ? await claim.checkAgain() : undefined;
      if (again !== undefined && again !== 'unchecked') return again;
      isUnchecked = again === 'unchecked';
      return tryOnce();
    });
    if ('kind' in results) {
      claim.settle(results.kind === 'duplicate' ? results.firstId : undefined);
      claim.forget();
      return results;
    }
    const [queued, recorded] = results;
    if (queued.status === 'rejected') {
      claim.forget();
      // That it was here, for people.
      if (!isTogether) await this.#recorder.write(birth(isUnchecked));
      return { kind: 'failed', reason: queued.reason };
    }
    claim.settle(envelope.id);
    const isComplete = recorded.status === 'fulfilled';
    if (!isComplete) {
      // It is in the queue: it will be processed, and that is what the acknowledgment says.
      this.#options.logger.error(
        { id: envelope.id, err: recorded.reason as unknown },
        'The ledger did not take a message.',
      );
    }
    const missing = isComplete ? [] : [...birth(isUnchecked), entry];
    // Its copies are known here until the ledger can tell of it.
    void this.#recorder
      .write(missing)
      .then(() => this.#recorder.forwarded())
      .then(() => claim.forget());
    return { kind: 'stored' };
  }

  /**
   * The queue first, then the journal: the ledger never says of a message that it is queued when it is not, and
   * whoever is told that it was taken can find all of its steps.
   */
  async #storeApart(
    { queue, envelope, queued: entry }: Keepable,
    birth: readonly LedgerEntry[],
  ): Promise<Stored> {
    const [queued] = await Promise.allSettled([this.#put(queue, envelope)]);
    if (queued.status === 'rejected') return [queued, queued];
    const told = queued.value === 'spooled' ? asSpooled(entry) : entry;
    const [recorded] = await Promise.allSettled([this.#journal.record([...birth, told])]);
    return [queued, recorded];
  }

  async #put(queue: string, envelope: Envelope): Promise<'queued' | 'spooled'> {
    const { inlet, broker } = this.#options;
    if (inlet !== undefined) return inlet.put(queue, envelope);
    await broker.publish(queue, envelope);
    return 'queued';
  }

  /**
   * What is away for a moment (the owner being started again) is waited for: the same id again changes nothing
   * where it was stored after all. A broker that has waited for itself, as RabbitMQ's does, is not asked again.
   */
  async #untilThere(
    first: Stored,
    deadline: number,
    tryAgain: () => Promise<Stored | Repetition>,
  ): Promise<Stored | Repetition> {
    if (!isAway(first)) return first;
    await this.#unblocked();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#blocked = promise;
    let results: Stored | Repetition = first;
    while (isAway(results) && this.#options.clock() <= deadline) {
      results = await tryAgain();
      if (isAway(results)) await wait(storeAgainMs);
    }
    this.#blocked = undefined;
    resolve(undefined);
    return results;
  }

  async #unblocked(): Promise<void> {
    while (this.#blocked !== undefined) await this.#blocked;
  }
}

function asSpooled(entry: LedgerEntry): LedgerEntry {
  if (entry.type !== 'event') return entry;
  const { summary = '' } = entry.event;
  const words = `spooled here until RabbitMQ is back; ${summary}`;
  return { type: 'event', event: { ...entry.event, summary: words } };
}

function isAway(results: Stored | Repetition): boolean {
  return (
    !('kind' in results) &&
    results.every(
      (result) =>
        result.status === 'rejected' && findFailure(result.reason)?.errorClass === 'transient',
    )
  );
}

const reused: Issue = {
  code: 'control-id-reused',
  severity: 'warning',
  location: 'MSH-10',
  message:
    'Expected a control id of its own for each message, found one that came before with other content.',
};
