import type { Consumer } from '../../core/ports/broker.ts';
import type { Connection } from './connection.ts';
import type { LaneSharing } from './lane-sharing.ts';
import type { Lane } from './lane.ts';

interface Options {
  readonly queue: string;
  readonly lanes: readonly Lane[];
  readonly sharing: LaneSharing;
  /** Publishes an announcement into each lane of these keys. */
  readonly announce: (keys: readonly string[]) => Promise<void>;
}

/** One consumer of a queue as its caller knows it: of all its lanes. */
export class QueueConsumer implements Consumer {
  readonly queue: string;
  readonly announce: (keys: readonly string[]) => Promise<void>;
  readonly #lanes: readonly Lane[];
  readonly #sharing: LaneSharing;

  constructor(options: Options) {
    this.queue = options.queue;
    this.announce = options.announce;
    this.#sharing = options.sharing;
    // By chance: of several processes that start together each is to get some.
    this.#lanes = options.lanes
      .map((lane) => [Math.random(), lane] as const)
      .toSorted(([left], [right]) => left - right)
      .map(([, lane]) => lane);
  }

  get unsettled(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.unsettled, 0);
  }

  get finished(): boolean {
    return this.#lanes.every((lane) => lane.finished);
  }

  /** Resolves when all are consumed. Rejects with `queue-missing` or `broker-unavailable`: then none is. */
  async start(connection: Connection): Promise<void> {
    try {
      for (const lane of this.#lanes) await lane.start(connection);
      this.#sharing.start();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async pause(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.pause()));
  }

  resume(): Promise<void> {
    for (const lane of this.#lanes) lane.resume();
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#sharing.stop();
    await Promise.all(this.#lanes.map((lane) => lane.stop()));
  }

  /** As `stop`, and what is held goes back. */
  async close(): Promise<void> {
    this.#sharing.stop();
    await Promise.all(this.#lanes.map((lane) => lane.close()));
  }
}
