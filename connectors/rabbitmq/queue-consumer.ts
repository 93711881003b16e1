import { setTimeout as pause } from 'node:timers/promises';
import type { ChannelModel } from 'amqplib';
import { findFailure } from '../../core/errors.ts';
import type { Consumer } from '../../core/ports/broker.ts';
import type { EarlierLane } from './earlier-lane.ts';
import { toAmqpFailure } from './failures.ts';
import type { Lane } from './lane.ts';

/**
 * Processes that begin together take their lanes in an order of their own, with pauses in between, so that each
 * gets some: RabbitMQ gives a lane to whoever comes first.
 */
const betweenLanesMs = 50;

export interface QueueConsumerOptions {
  readonly queue: string;
  /** What is published now. */
  readonly lanes: readonly Lane[];
  /** What was published before, to other numbers of lanes. */
  readonly earlier: readonly EarlierLane[];
  /** Whether the lanes wait until the earlier ones are empty, so that the order of keys is kept. */
  readonly earlierFirst: boolean;
  /** Moves what is in an ordered queue, and in none of its lanes, into them. */
  readonly feeder: Lane | undefined;
  /** The connection, when it is up. */
  readonly model: () => Promise<ChannelModel>;
  readonly onFailure: (reason: string) => void;
}

/** One consumer of a queue as its caller knows it: of all its lanes. */
export class QueueConsumer implements Consumer {
  readonly #options: QueueConsumerOptions;
  /** Those that are to be open. */
  #open: readonly Pick<Lane, 'open'>[];
  #stopped = false;

  constructor(options: QueueConsumerOptions) {
    this.#options = options;
    const { lanes, earlier, earlierFirst, feeder } = options;
    const own = shuffle(lanes);
    const beside = feeder === undefined ? [] : [feeder];
    const waits = earlierFirst && earlier.length > 0;
    this.#open = waits ? [...earlier, ...beside] : [...own, ...earlier, ...beside];
    if (waits) {
      void Promise.all(earlier.map((each) => each.emptied)).then(() => this.#openLanes(own));
    }
  }

  get queue(): string {
    return this.#options.queue;
  }

  get unsettled(): number {
    return this.#all.reduce((sum, lane) => sum + lane.unsettled, 0);
  }

  get finished(): boolean {
    return this.#all.every((lane) => lane.finished);
  }

  /**
   * Starts on this connection. Rejects with `queue-missing`, when all others were opened, or `broker-unavailable`.
   */
  async open(model: ChannelModel): Promise<void> {
    let missing: unknown;
    for (const [index, lane] of this.#open.entries()) {
      if (index > 0) await pause(betweenLanesMs / 2 + Math.random() * betweenLanesMs);
      try {
        await lane.open(model);
      } catch (error) {
        // That lane opens itself again; its neighbours must not wait for it.
        if (findFailure(error)?.errorClass !== 'permanent') throw error;
        missing ??= error;
      }
    }
    if (missing !== undefined) throw missing as Error;
  }

  async pause(): Promise<void> {
    await Promise.all(this.#all.map((lane) => lane.pause()));
  }

  async resume(): Promise<void> {
    for (const lane of this.#all) await lane.resume();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    const { earlier, lanes, feeder } = this.#options;
    await Promise.all([...earlier, ...lanes].map((each) => each.stop()));
    await feeder?.stop();
  }

  get #all(): readonly Lane[] {
    const { lanes, earlier, feeder } = this.#options;
    return [
      ...lanes,
      ...earlier.map(({ lane }) => lane),
      ...(feeder === undefined ? [] : [feeder]),
    ];
  }

  async #openLanes(lanes: readonly Lane[]): Promise<void> {
    this.#open = [...lanes, ...this.#open];
    while (!this.#isStopped()) {
      try {
        const model = await this.#options.model();
        // On a connection made meanwhile they are open already.
        for (const lane of lanes) await lane.open(model);
        return;
      } catch (error) {
        this.#options.onFailure(toAmqpFailure(error).message);
        await pause(1_000);
      }
    }
  }

  #isStopped(): boolean {
    return this.#stopped;
  }
}

function shuffle<Item>(items: readonly Item[]): readonly Item[] {
  return items
    .map((item) => [Math.random(), item] as const)
    .toSorted(([left], [right]) => left - right)
    .map(([, item]) => item);
}
