import { setTimeout as wait } from 'node:timers/promises';
import type { Envelope } from '../../core/envelope.ts';
import { buildError } from '../../core/errors.ts';
import type { HeldCode } from '../../core/held-code.ts';
import type { Issue } from '../../core/issue.ts';
import type { Broker, Delivery, Outgoing } from '../../core/ports/broker.ts';
import type { Ledger, LedgerEntry, ParkedPage } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { BatchNumbers } from '../batch-numbers.ts';
import type { Clock } from '../clock.ts';
import { EitherSignal } from '../either-signal.ts';
import { toInstant } from '../ids.ts';
import { pagesOfParked } from '../parked-pages.ts';
import { publishAll } from '../publish-all.ts';
import { deadLetterParked } from './dead-letter-parked.ts';
import type { NoneSetAside } from './none-set-aside.ts';

interface Options {
  readonly broker: Broker;
  /** The ledger itself: what is only spooled for it would not be found when its turn comes. */
  readonly ledger: Ledger;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly queue: string;
  /** Absent: only the ledger knows. */
  readonly noneSetAside?: NoneSetAside;
}

/** A key with messages that are set aside. */
interface KeySetAside {
  readonly key: string;
  /** They wait for a decision. */
  readonly isStopped: boolean;
}

/** Of those that are looked for while others run. */
const keysAtOnce = 1_000;
const againMs = 1_000;
const laneLost =
  'A message that was set aside was expected to be still ours to settle: whoever has its lane now works on it again.';
/** So many messages are remembered to have been set aside before they were ever worked on. */
const maxUntried = 100_000;

/**
 * The messages of a queue that are set aside in the ledger, in the order in which that was done. The queue has been
 * told that it is rid of them; they are taken up as deliveries that look like any other.
 */
export class Parking {
  readonly #options: Options;
  readonly #stopping = new AbortController();
  readonly #ended = new EitherSignal(this.#stopping.signal);
  /** Who was taken up last of a key: the same again means that it could not be settled. */
  readonly #last = new Map<string | undefined, string>();
  /** Set aside here as they came: nobody needs to look whether they were worked on before. */
  readonly #untried = new Set<string>();
  readonly #numbers: BatchNumbers;
  /** Said once for as long as the ledger is away. */
  #isWarned = false;

  constructor(options: Options) {
    this.#options = options;
    this.#numbers = new BatchNumbers(`parking ${options.queue}`);
  }

  /** Nobody but this machine takes from the queue. */
  get isSole(): boolean {
    return this.#options.noneSetAside?.isSole ?? false;
  }

  /**
   * Some of the keys with messages that are set aside and wait for no decision, as far as the ledger can be asked now;
   * `next`: behind it there are more.
   */
  async look(after: number | undefined): Promise<ParkedPage> {
    const { ledger, queue } = this.#options;
    const start = after === undefined ? {} : { after };
    return ledger
      .parked({ queue, isStopped: false, limit: keysAtOnce, ...start })
      .catch(() => ({ keys: [] }));
  }

  /** The keys with messages that are set aside. Waits for the ledger. */
  async #list(): Promise<readonly KeySetAside[]> {
    return (await this.#untilDone(() => this.#ask())) ?? [];
  }

  async #ask(): Promise<readonly KeySetAside[]> {
    const { ledger, queue } = this.#options;
    const found: KeySetAside[] = [];
    for await (const page of pagesOfParked(ledger, { queue })) {
      for (const { key, isStopped } of page) found.push({ key, isStopped });
    }
    return found;
  }

  /**
   * The keys with messages that are set aside, at the start. Does not wait for the ledger where this machine knows that
   * there are none.
   */
  async listAtStart(): Promise<readonly KeySetAside[]> {
    const { queue, noneSetAside, logger } = this.#options;
    if (noneSetAside === undefined) return this.#list();
    let found: readonly KeySetAside[];
    if (await noneSetAside.isKnown(queue)) {
      try {
        found = await this.#ask();
      } catch (error) {
        const text =
          'The ledger cannot be asked: as far as this machine knows nothing is set aside.';
        logger.warn({ queue, err: error }, text);
        return [];
      }
    } else {
      found = await this.#list();
    }
    // Stopped, it has not been told.
    if (this.#stopping.signal.aborted) return found;
    if (found.length === 0) await noneSetAside.keep(queue);
    else await this.#untilDone(() => noneSetAside.forget(queue));
    return found;
  }

  /**
   * Sets aside the last of these, which has waited for its turn, and before it what it waits for; who is already keeps
   * its place. With issues the first waits for a decision, with `held` until these codes are mapped. Resolves when that
   * is durable, or with false when the deliveries are void, and come again.
   */
  async park(
    deliveries: readonly Delivery[],
    issues: readonly Issue[],
    held: readonly HeldCode[] = [],
  ): Promise<boolean> {
    const { queue, clock } = this.#options;
    const at = toInstant(clock());
    const entries = deliveries.flatMap(({ envelope }): readonly LedgerEntry[] => [
      { type: 'message', envelope },
      {
        type: 'event',
        event: {
          messageId: envelope.id,
          kind: 'parked',
          at,
          queue,
          attempt: envelope.attempt,
          ...(issues.length === 0 ? {} : { issues }),
          ...(held.length === 0 ? {} : { held }),
        },
      },
    ]);
    const last = deliveries.at(-1);
    const isParked = await this.#append(entries, { voided: last?.voided, isParking: true });
    const isUntried = last !== undefined && issues.length === 0 && !last.redelivered;
    if (isParked && isUntried && this.#untried.size < maxUntried) {
      this.#untried.add(last.envelope.id);
    }
    return isParked;
  }

  /**
   * The first of the key that is set aside, without a key the first of all; undefined where there is none. When the lane
   * is `lost` it is void: whoever has it next takes it up as well.
   */
  async next(key: string | undefined, lost: AbortSignal): Promise<Delivery | undefined> {
    const { ledger, queue } = this.#options;
    const [envelope] = (await this.#untilDone(() => ledger.readParked(queue, key, 1))) ?? [];
    if (envelope === undefined) {
      this.#last.delete(key);
      return undefined;
    }
    if (envelope.id === this.#last.get(key)) await this.#pause();
    this.#last.set(key, envelope.id);
    return this.#toDelivery(envelope, this.#ended.or(lost));
  }

  /** Waits for nothing more. */
  stop(): void {
    this.#stopping.abort();
  }

  /** It is settled by what the ledger is told of it: by then that is durable. */
  #toDelivery(envelope: Envelope, voided: AbortSignal): Delivery {
    const { broker, queue } = this.#options;
    const settle = async (
      outgoing: readonly Outgoing[] = [],
      entries: readonly LedgerEntry[] = [],
    ): Promise<void> => {
      await publishAll(broker, outgoing);
      if (entries.length > 0 && !(await this.#append(entries, { voided }))) {
        throw buildError('transient', 'broker-unavailable', laneLost);
      }
    };
    return {
      queue,
      envelope,
      redelivered: !this.#untried.delete(envelope.id),
      ledgerState: 'parked',
      voided,
      accept: settle,
      retry: (_delayMs, options) => settle(options?.outgoing, options?.entries),
      deadLetter: (_issues, outgoing, entries) =>
        deadLetterParked(broker, { queue, envelope }, () => settle(outgoing, entries)),
    };
  }

  /** Whether it is durable. What is sent again, since its answer was lost, counts once. */
  async #append(
    entries: readonly LedgerEntry[],
    { voided, isParking = false }: { voided?: AbortSignal | undefined; isParking?: boolean } = {},
  ): Promise<boolean> {
    const { ledger, queue, noneSetAside } = this.#options;
    const number = this.#numbers.next();
    const batch = this.#numbers.toBatch(number);
    const append = async (): Promise<true> => {
      if (isParking) await noneSetAside?.forget(queue);
      await ledger.append(entries, batch);
      return true;
    };
    const isStored = await this.#untilDone(append, voided);
    this.#numbers.heard(number);
    return isStored ?? false;
  }

  async #untilDone<T>(work: () => Promise<T>, voided?: AbortSignal): Promise<T | undefined> {
    while (!this.#stopping.signal.aborted && voided?.aborted !== true) {
      try {
        const result = await work();
        this.#isWarned = false;
        return result;
      } catch (error) {
        this.#warn(error);
        await this.#pause();
      }
    }
    return undefined;
  }

  #warn(error: unknown): void {
    if (this.#isWarned) return;
    this.#isWarned = true;
    this.#options.logger.warn(
      { queue: this.#options.queue, err: error },
      'The ledger is needed for messages that are set aside; trying again.',
    );
  }

  async #pause(): Promise<void> {
    await wait(againMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
  }
}
