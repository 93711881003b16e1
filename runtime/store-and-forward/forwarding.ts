import type { Envelope } from '../../core/envelope.ts';
import { findFailure } from '../../core/errors.ts';
import type { Issue } from '../../core/issue.ts';
import type { Broker, Delivery } from '../../core/ports/broker.ts';
import type { LedgerEntry } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Clock } from '../clock.ts';
import { pause, startConsuming, type Consuming } from '../consuming.ts';
import { toInstant } from '../ids.ts';
import type { LedgerSpool } from '../spool/ledger-spool.ts';
import { findSpooled, spoolOf } from './spool-queues.ts';

interface Options {
  readonly remote: Broker;
  readonly local: Broker;
  readonly ledgerSpool: LedgerSpool;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Where they are to go. */
  readonly queue: string;
  readonly interface: string;
  /** Everything was forwarded, and nothing is being spooled: so many messages. */
  readonly onDone: (count: number) => void;
}

const window = 256;
/** So many are on their way at once: where some of them fail, they go again before those that follow. */
const atOnce = 64;
const againMs = 1_000;

/** One queue's messages that lie here: more are put behind them, and all go in their order when the broker is back. */
export class Forwarding {
  readonly #options: Options;
  readonly #spool: string;
  readonly #stopping = new AbortController();
  readonly #working: Promise<void>;
  #declaring: Promise<void> | undefined;
  #consuming: Consuming | undefined;
  /** In their order. */
  #held: Delivery[] = [];
  #arrived = Promise.withResolvers<undefined>();
  /** Calls of `spool`, and those of them that are not done. */
  #calls = 0;
  #beingSpooled = 0;
  #isDone = false;
  #count = 0;
  /** While the broker is away one message tries for all: what it does not confirm in time it may have twice. */
  #isAway = true;

  constructor(options: Options) {
    this.#options = options;
    this.#spool = spoolOf(options.queue);
    this.#working = this.#work();
  }

  /** Puts the message behind those that lie here, once it is known of all `before` it where they are. */
  async spool(envelope: Envelope, before: Promise<unknown>): Promise<'spooled'> {
    this.#calls += 1;
    this.#beingSpooled += 1;
    try {
      await before;
      await this.#declare();
      await this.#options.local.publish(this.#spool, envelope);
      return 'spooled';
    } finally {
      this.#beingSpooled -= 1;
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#arrived.resolve(undefined);
    await this.#working;
    await this.#consuming?.stop();
    // In their order, for whoever forwards next.
    await Promise.all(this.#held.map(giveBack));
  }

  #declare(): Promise<void> {
    const { local, interface: owner } = this.#options;
    const declaring = (this.#declaring ??= local.declare({ name: this.#spool, interface: owner }));
    declaring.catch(() => (this.#declaring = undefined));
    return declaring;
  }

  /** Never rejects. */
  async #work(): Promise<void> {
    const { local, logger, onDone } = this.#options;
    // The queue may not be there yet: it is tried until it is.
    this.#consuming = startConsuming(local, this.#spool, {
      window,
      logger,
      prepare: () => this.#declare().catch(() => undefined),
      onDelivery: async (delivery) => {
        if (this.#isDone) return giveBack(delivery);
        this.#held.push(delivery);
        this.#arrived.resolve(undefined);
      },
    });
    while (!this.#isStopping()) {
      this.#arrived = Promise.withResolvers();
      this.#held = this.#held.filter(({ voided }) => !voided.aborted);
      if (this.#held.length > 0) {
        if (await this.#forward()) continue;
      } else if (await this.#isEmpty()) {
        this.#isDone = true;
        onDone(this.#count);
        void this.#consuming.stop();
        return;
      } else {
        await Promise.race([this.#arrived.promise, pause(againMs, this.#stopping.signal)]);
        continue;
      }
      await pause(againMs, this.#stopping.signal);
    }
  }

  /** Whether nothing lies here, or is about to. */
  async #isEmpty(): Promise<boolean> {
    const calls = this.#calls;
    const depths = await this.#options.local.depths().catch(() => undefined);
    const own = depths && findSpooled(depths).find(({ queue }) => queue === this.#options.queue);
    return (
      own?.waiting === 0 &&
      this.#held.length === 0 &&
      this.#beingSpooled === 0 &&
      this.#calls === calls
    );
  }

  /** Sends the first of them, in their order; false where one of those has to go again. */
  async #forward(): Promise<boolean> {
    const { remote, queue } = this.#options;
    const batch = this.#held.slice(0, this.#isAway ? 1 : atOnce);
    const sent = await Promise.allSettled(
      batch.map(({ envelope }) => remote.publish(queue, envelope)),
    );
    const left = new Set<Delivery>();
    await Promise.all(
      batch.map(async (delivery, at) => {
        const result = sent[at];
        if (result?.status !== 'rejected') return this.#settle(delivery);
        const failure = findFailure(result.reason);
        if (failure?.errorClass === 'permanent') return this.#giveUp(delivery, failure.issues);
        left.add(delivery);
      }),
    );
    this.#isAway = left.size > 0;
    this.#held = this.#held.filter((each, at) => at >= batch.length || left.has(each));
    return left.size === 0;
  }

  async #settle(delivery: Delivery): Promise<void> {
    this.#count += 1;
    // Where it is not settled it comes again, and goes again with the same id.
    await delivery.accept().catch(() => undefined);
  }

  /** It was acknowledged: it must lie where somebody finds it. */
  async #giveUp(delivery: Delivery, issues: readonly Issue[]): Promise<void> {
    const { queue, ledgerSpool, logger, clock } = this.#options;
    const { id } = delivery.envelope;
    logger.error(
      { id, queue, issues },
      `RabbitMQ refused a message that was spooled here: it lies in ${this.#spool}.dead.`,
    );
    const event: LedgerEntry = {
      type: 'event',
      event: { messageId: id, kind: 'dead-lettered', at: toInstant(clock()), queue, issues },
    };
    await ledgerSpool.record([event]).catch(() => undefined);
    await delivery.deadLetter(issues).catch(() => undefined);
  }

  /** Calls, since it changes across any await. */
  #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }
}

async function giveBack(delivery: Delivery): Promise<void> {
  await delivery.retry(0, { countAttempt: false }).catch(() => undefined);
}
