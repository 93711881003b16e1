import type { Broker, Delivery } from '../../core/ports/broker.ts';
import type { Ledger } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Clock } from '../clock.ts';
import type { LedgerSpool } from '../spool/ledger-spool.ts';
import { startConsuming, type Consuming } from '../consuming.ts';
import { Recorder } from '../recorder.ts';
import { findReply, readReply, type Reply } from '../reply.ts';

interface Options {
  readonly broker: Broker;
  readonly ledger: Ledger;
  readonly ledgerSpool?: LedgerSpool;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Where the workers send replies to. */
  readonly replyQueue: string;
}

/** What came of a message, or that the time is over (`late`), or that the edge stops. */
export type Heard = Reply | { readonly kind: 'late' } | { readonly kind: 'stopped' };

/** Somebody who waits for a message's flow. */
export interface Expectation {
  readonly reply: Promise<Heard>;
  /** Waits no more. */
  readonly cancel: () => void;
}

interface Waiter {
  readonly since: number;
  readonly resolve: (heard: Heard) => void;
}

/** How often the ledger is asked: for what was told to an edge before this one, or lost on the way. */
const askEveryMs = 1_000;
const window = 256;

/**
 * What comes of messages whose senders wait on their connections. Told by the workers; what this edge was not told
 * is found in the ledger.
 */
export class FlowResults {
  readonly #options: Options;
  readonly #recorder: Recorder;
  readonly #waiting = new Map<string, Set<Waiter>>();
  #consuming: Consuming | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isAsking = false;

  constructor(options: Options) {
    this.#options = options;
    this.#recorder = new Recorder(options);
  }

  get queue(): string {
    return this.#options.replyQueue;
  }

  /** Before a listener waits. Idempotent. */
  async start(): Promise<void> {
    const { broker, logger, replyQueue } = this.#options;
    if (this.#consuming !== undefined) return;
    await broker.declare({ name: replyQueue, interface: '' });
    this.#consuming = startConsuming(broker, replyQueue, {
      window,
      logger,
      onDelivery: (delivery) => this.#take(delivery),
    });
    this.#timer = setInterval(() => void this.#askOverdue(), askEveryMs);
    this.#timer.unref();
  }

  /** Nobody waits any more. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    const consuming = this.#consuming;
    this.#consuming = undefined;
    await consuming?.stop();
    await consuming?.idle();
    for (const waiters of this.#waiting.values()) {
      for (const { resolve } of waiters) resolve({ kind: 'stopped' });
    }
  }

  /** Waits for what comes of the message; before it is queued, so that nothing is missed. */
  expect(messageId: string, timeoutMs: number): Expectation {
    const { promise: reply, resolve } = Promise.withResolvers<Heard>();
    const waiters = this.#waiting.get(messageId) ?? new Set();
    const timer = setTimeout(() => settle({ kind: 'late' }), timeoutMs);
    const settle = (found: Heard): void => {
      clearTimeout(timer);
      waiters.delete(waiter);
      if (waiters.size === 0) this.#waiting.delete(messageId);
      resolve(found);
    };
    const waiter: Waiter = { since: performance.now(), resolve: settle };
    waiters.add(waiter);
    this.#waiting.set(messageId, waiters);
    return { reply, cancel: () => settle({ kind: 'stopped' }) };
  }

  /** Asks for one message at once: a repetition may be about what has long been finished. */
  look(messageId: string): Promise<void> {
    return this.#ask([messageId]);
  }

  async #take(delivery: Delivery): Promise<void> {
    const { envelope } = delivery;
    const { logger } = this.#options;
    const reply = readReply(envelope);
    if (reply === undefined) {
      logger.warn({ id: envelope.id }, 'A reply that cannot be read was taken out of its queue.');
    } else if (!this.#tell(envelope.causationId ?? '', reply) && reply.kind === 'response') {
      // Its sender is gone, or has waited for long enough. If it repeats its message it gets the response then.
      this.#recorder.note(envelope, {
        kind: 'withdrawn',
        queue: delivery.queue,
        summary: 'nobody waits for it any more',
      });
    }
    await delivery.accept().catch((error: unknown) => {
      // It comes again, and nobody waits for it then.
      logger.warn({ id: envelope.id, err: error }, 'A reply could not be settled.');
    });
  }

  /** Whether somebody waited. */
  #tell(messageId: string, reply: Reply): boolean {
    const waiters = [...(this.#waiting.get(messageId) ?? [])];
    for (const { resolve } of waiters) resolve(reply);
    return waiters.length > 0;
  }

  /** One question at a time: a ledger that is slow is not asked faster than it answers. */
  async #askOverdue(): Promise<void> {
    const ids = this.#listOverdue();
    if (this.#isAsking || ids.length === 0) return;
    this.#isAsking = true;
    await this.#ask(ids);
    this.#isAsking = false;
  }

  async #ask(ids: readonly string[]): Promise<void> {
    const { ledger } = this.#options;
    try {
      const states = await ledger.states(ids);
      for (const id of ids) {
        const reply = await findReply(ledger, id, states.get(id));
        if (reply !== undefined) this.#tell(id, reply);
      }
    } catch {
      // It is asked again; until the time is over a worker may still tell.
    }
  }

  #listOverdue(): readonly string[] {
    const before = performance.now() - askEveryMs;
    return [...this.#waiting]
      .filter(([, waiters]) => [...waiters].some(({ since }) => since <= before))
      .map(([id]) => id);
  }
}
