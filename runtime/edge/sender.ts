import { defaultBreakerFailures, defaultRetry } from '../../core/interface.ts';
import type { MessageOrder, SenderDefinition } from '../../core/interface.ts';
import type { Broker } from '../../core/ports/broker.ts';
import type { Destination } from '../../core/ports/destination.ts';
import type { Ledger } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Clock } from '../clock.ts';
import type { LedgerSpool } from '../spool/ledger-spool.ts';
import { toInstant } from '../ids.ts';
import { consumeInOrder, type ConsumingInOrder } from '../order/consume-in-order.ts';
import { KeyOrder } from '../order/key-order.ts';
import type { NoneSetAside } from '../order/none-set-aside.ts';
import { Parking } from '../order/parking.ts';
import { jitteredMs } from '../retry-policy.ts';
import { Carrier } from './carrier.ts';
import { CircuitBreaker, type BreakerState } from './circuit-breaker.ts';
import { Conclusions } from './conclusions.ts';
import { Slots } from './slots.ts';

/** How a sender does, since when. */
export interface SenderState extends BreakerState {
  /** ISO 8601 instant. */
  readonly since: string;
}

interface Options {
  readonly broker: Broker;
  readonly ledger: Ledger;
  readonly ledgerSpool?: LedgerSpool;
  readonly noneSetAside?: NoneSetAside;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly destination: Destination;
  readonly onState?: (state: SenderState) => void;
  /** 0 up to 1, for the delays. Default: `Math.random`. */
  readonly random?: () => number;
}

/**
 * Takes what is in a sender's outbound queue to the partner and brings the answers back. In an ordered queue nothing
 * overtakes a message that is tried again: a correction would arrive before what it corrects. A queue of its own: a
 * slow or dead partner delays nobody else. While the partner takes nothing, nothing is tried but one message after a
 * while ({@link CircuitBreaker}).
 */
export class Sender {
  readonly definition: SenderDefinition;
  readonly #options: Options;
  readonly #window: number;
  readonly #breaker: CircuitBreaker;
  readonly #conclusions: Conclusions;
  readonly #parking: Parking;
  readonly #keyOrder: KeyOrder;
  /** Nothing is tried again. */
  readonly #stopping = new AbortController();
  /** What is still being tried ends. */
  readonly #ending = new AbortController();
  #consuming: ConsumingInOrder | undefined;

  constructor(definition: SenderDefinition, options: Options) {
    const { concurrency, order = concurrency === 1 ? 'queue' : 'none', queue } = definition;
    const { random = Math.random } = options;
    const retry = { ...defaultRetry, ...definition.retry };
    this.definition = definition;
    this.#options = options;
    this.#window = windowOf(order, concurrency);
    this.#breaker = new CircuitBreaker({
      failures: definition.breakerFailures ?? defaultBreakerFailures,
      probeDelayMs: (probe) => jitteredMs(retry, probe, random),
      onChange: (state) => this.#tell(state),
    });
    this.#conclusions = new Conclusions(definition, options);
    const carrier = new Carrier(definition, {
      ...options,
      ...{ order, retry, random },
      slots: new Slots(order === 'queue' ? 1 : concurrency),
      breaker: this.#breaker,
      conclusions: this.#conclusions,
      stopping: this.#stopping.signal,
      ending: this.#ending.signal,
    });
    this.#parking = new Parking({ ...options, queue });
    this.#keyOrder = new KeyOrder({
      order,
      window: this.#window,
      parking: this.#parking,
      work: (delivery, turn) => carrier.carry(delivery, turn),
      // Who waits for its place, or for the partner to come back, is not slow: what fails says so.
      slowMs: Infinity,
    });
  }

  start(): void {
    this.#tell(this.#breaker.state);
    this.#consuming = consumeInOrder(this.#options.broker, this.definition.queue, {
      keyOrder: this.#keyOrder,
      parking: this.#parking,
      window: this.#window,
      logger: this.#options.logger,
    });
  }

  /** Somebody has decided about the message that was set aside as the first of its key. */
  release(key: string): void {
    this.#consuming?.release(key);
  }

  /** Nothing more is tried until {@link resume}; what is under way is finished. */
  pause(): void {
    this.#breaker.hold();
  }

  resume(): void {
    this.#breaker.letGo();
  }

  /** Takes no more, gives what is under way `drainMs`, then ends it: it goes back to the queue. */
  async stop(drainMs: number): Promise<void> {
    // First of all: what goes back must not come again.
    await this.#consuming?.stop();
    this.#stopping.abort();
    this.#breaker.stop();
    const timer = setTimeout(() => {
      this.#ending.abort();
      this.#parking.stop();
    }, drainMs);
    await this.#keyOrder.stop();
    await Promise.race([this.#conclusions.written(), aborted(this.#ending.signal)]);
    clearTimeout(timer);
    this.#parking.stop();
    await this.#options.destination.close();
  }

  #tell(state: BreakerState): void {
    const { logger, clock, onState } = this.#options;
    const about = { sender: this.definition.id, ...state };
    if (state.state === 'failing') {
      logger.warn(
        about,
        'The partner cannot be sent to: one message at a time tries, the others wait.',
      );
    } else {
      logger.info(about, 'The sender.');
    }
    onState?.({ ...state, since: toInstant(clock()) });
  }
}

/**
 * How much is held unsettled: more than are sent at a time, so that the next is here while the last are being settled.
 * Of many keys some can go on while others wait.
 */
function windowOf(order: MessageOrder, concurrency: number): number {
  switch (order) {
    case 'none':
      return 4 * concurrency;
    case 'queue':
      return 4;
    case 'key':
      return Math.max(32, 8 * concurrency);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
