import type { Broker, Delivery, HeldLane } from '../../core/ports/broker.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { pause, startConsuming, type Consuming } from '../consuming.ts';
import type { KeyOrder } from './key-order.ts';
import { everything } from './lines.ts';
import type { Parking } from './parking.ts';

export interface ConsumingInOrder extends Consuming {
  /** Somebody has decided about those of a key that are set aside. */
  release(key: string): void;
}

interface Options {
  readonly keyOrder: KeyOrder;
  readonly parking: Parking;
  readonly window: number;
  readonly logger: Logger;
  readonly isPaused?: boolean;
  /** What is worked on for a delivery; default: itself. */
  readonly toOwn?: (delivery: Delivery) => Delivery;
  readonly onState?: (state: 'connected' | 'disconnected') => void;
  /** Default 10 s. */
  readonly lookEveryMs?: number;
}

/** What is set aside of a lane that nobody knows to have waits for as long at most. */
const defaultLookEveryMs = 10_000;
/** Where there is more than one look takes. */
const pageEveryMs = 500;

/** Consumes a queue for a {@link KeyOrder}, which hears of the lanes that this consumer has. */
export function consumeInOrder(broker: Broker, queue: string, options: Options): ConsumingInOrder {
  const { keyOrder, parking, toOwn } = options;
  const onDelivery = (delivery: Delivery): Promise<void> => {
    keyOrder.take(toOwn?.(delivery) ?? delivery);
    return Promise.resolve();
  };
  if (parking.isSole || keyOrder.order === 'none')
    return consumeAlone(broker, queue, { ...options, onDelivery });
  const consuming = startConsuming(broker, queue, {
    ...options,
    onDelivery,
    onLane: (lane) => keyOrder.open(lane),
    mayLetGo: (lane) => keyOrder.mayLetGo(lane),
  });
  const stopping = new AbortController();
  void search(consuming, options, stopping.signal);
  return {
    ...consuming,
    stop: () => {
      stopping.abort();
      return consuming.stop();
    },
    release: (key) => {
      keyOrder.release(key);
      if (!keyOrder.has(key)) void consuming.announce([key]);
    },
  };
}

function consumeAlone(
  broker: Broker,
  queue: string,
  options: Options & { readonly onDelivery: (delivery: Delivery) => Promise<void> },
): ConsumingInOrder {
  const { keyOrder, parking } = options;
  let isOpening = false;
  const prepare = async (): Promise<void> => {
    isOpening = true;
    await keyOrder.open(everything);
    isOpening = false;
  };
  const onLane = (lane: HeldLane): Promise<void> => keyOrder.open(lane);
  const consuming = startConsuming(broker, queue, { ...options, prepare, onLane });
  return {
    ...consuming,
    stop: () => {
      // It may wait for the ledger, with nothing in hands.
      if (isOpening) parking.stop();
      return consuming.stop();
    },
    release: (key) => keyOrder.release(key),
  };
}

/**
 * Where others take from the queue too, one may go away and leave nothing but messages that are set aside: the broker
 * gives its lanes to the next in line without a word, since it has nothing to deliver. So everybody looks now and then
 * whether some are set aside that it does not know to be its own, and has whoever holds their lanes told. What somebody
 * has decided without this process hearing of it is followed then, too.
 */
async function search(
  consuming: Consuming,
  { keyOrder, parking, lookEveryMs = defaultLookEveryMs }: Options,
  stopping: AbortSignal,
): Promise<void> {
  for (let after: number | undefined; !stopping.aborted;) {
    const askedAt = performance.now();
    const { keys, next } = await parking.look(after);
    after = next;
    const decided = keys.map(({ key }) => key);
    keyOrder.follow(decided, askedAt);
    const others = decided.filter((key) => !keyOrder.has(key));
    if (others.length > 0) await consuming.announce(others);
    // So many at a time: neither the ledger nor this process is to stand still for all of them.
    await pause(next === undefined ? lookEveryMs : Math.min(lookEveryMs, pageEveryMs), stopping);
  }
}
