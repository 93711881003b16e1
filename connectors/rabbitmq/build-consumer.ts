import { setTimeout as pause } from 'node:timers/promises';
import type { ChannelModel } from 'amqplib';
import type { Envelope } from '../../core/envelope.ts';
import type { Delivery } from '../../core/ports/broker.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { EarlierLane } from './earlier-lane.ts';
import { Lane } from './lane.ts';
import type { LaneOptions } from './lane.ts';
import type { AmqpMessage } from './message.ts';
import { laneNames } from './names.ts';
import type { Names } from './names.ts';
import { QueueConsumer } from './queue-consumer.ts';
import type { SettlementPublisher } from './settlement.ts';
import { Turnstile } from './turnstile.ts';

/** What a consumer needs of the broker around it. */
export interface ConsumerContext {
  readonly names: Names;
  readonly logger: Logger;
  readonly recycleAfterMs: number;
  readonly model: () => Promise<ChannelModel>;
  readonly settlement: SettlementPublisher;
  /** To the queue, and to its lanes where it has some. */
  readonly publish: (envelope: Envelope) => Promise<void>;
  readonly publishTo: (serverQueue: string, message: AmqpMessage) => Promise<void>;
}

const feederWindow = 64;
const feedAgainMs = 1_000;

/**
 * The consumer of a queue: of its lanes where it is in order, else of itself; of lanes that it had before, until
 * they are empty; and, where it is in order, the feeder of what came to the queue and to no lane.
 */
export function buildConsumer(
  context: ConsumerContext,
  options: {
    readonly queue: string;
    readonly window: number;
    readonly handler: (delivery: Delivery) => void;
    /** Numbers of lanes that it has ever had, and has now; 0: it is not in order. */
    readonly known: readonly number[];
    readonly count: number;
    /** Else nobody here knows which of its lanes are in use: all are consumed alike. */
    readonly isDeclared: boolean;
  },
): QueueConsumer {
  const { names, logger, recycleAfterMs, model, settlement } = context;
  const { queue, window, handler, known, count, isDeclared } = options;
  const shared = {
    queue,
    window,
    turnstile: new Turnstile(window),
    handler,
    logger,
    publisher: settlement,
    model,
    recycleAfterMs,
  };
  const ordered = (counts: readonly number[]): readonly LaneOptions[] =>
    counts
      .flatMap((each) => laneNames(names, queue, each))
      .map((serverQueue) => ({ ...shared, serverQueue, ordered: true }));
  const plain = { ...shared, serverQueue: names.queue(queue), ordered: false };
  const others = known.filter((each) => each !== count);
  const lanes = [
    ...(count === 0 ? [plain] : ordered([count])),
    ...(isDeclared ? [] : ordered(others)),
  ];
  return new QueueConsumer({
    queue,
    lanes: lanes.map((each) => new Lane(each)),
    earlier: (isDeclared ? ordered(others) : []).map(
      (each) => new EarlierLane(each, (fence) => context.publishTo(each.serverQueue, fence)),
    ),
    earlierFirst: count > 0,
    feeder: count === 0 ? undefined : buildFeeder(context, plain),
    model,
    onFailure: (reason) => {
      logger.warn({ queue, reason }, 'A queue cannot be consumed; trying again');
    },
  });
}

/** Moves what is published to the queue itself into its lanes: by others, by a retry, or before it was in order. */
function buildFeeder({ publish }: ConsumerContext, plain: LaneOptions): Lane {
  const move = async (delivery: Delivery): Promise<void> => {
    try {
      await publish(delivery.envelope);
    } catch {
      await pause(feedAgainMs, undefined, { ref: false });
      await delivery.retry(0, { countAttempt: false });
      return;
    }
    await delivery.accept();
  };
  return new Lane({
    ...plain,
    window: feederWindow,
    turnstile: new Turnstile(feederWindow),
    handler: (delivery) => {
      // Where it cannot be settled it is delivered again, and moved a second time with the same id.
      move(delivery).catch(() => undefined);
    },
  });
}
