import type { Message } from 'amqplib';
import type { Envelope } from '../../core/envelope.ts';
import type {
  Broker,
  ConsumeOptions,
  Consumer,
  Delivery,
  QueueDefinition,
  QueueDepth,
} from '../../core/ports/broker.ts';
import type { LedgerEntry } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { RabbitAccess } from './addresses.ts';
import { parseUrls } from './addresses.ts';
import type { Connection } from './connection.ts';
import { DeclaredQueues } from './declared-queues.ts';
import { countQueue, sumQueue } from './depth.ts';
import { hasLane, toLane } from './lane-choice.ts';
import { LaneSharing } from './lane-sharing.ts';
import { Lane } from './lane.ts';
import type { LinkState, Patience } from './link.ts';
import { Link, usualPatience } from './link.ts';
import { findNotBefore } from './message.ts';
import { Metrics } from './metrics.ts';
import type { Names } from './names.ts';
import { buildNames, laneNames } from './names.ts';
import { Publisher } from './publisher.ts';
import { QueueConsumer } from './queue-consumer.ts';
import { countLanes } from './topology.ts';
import { WorkPublisher } from './work-publisher.ts';

export interface RabbitBrokerOptions {
  /** `amqp://user:password@host:5672/vhost`, or `amqps:`; the hosts of one cluster with commas in between. */
  readonly url: string;
  readonly access?: RabbitAccess;
  readonly logger: Logger;
  /** Tells the ledger what belongs to a settlement; absent: no settlement brings entries. */
  readonly record?: (entries: readonly LedgerEntry[]) => Promise<void>;
  /** What the names of all our queues and of the exchange for events start with. */
  readonly prefix?: string;
  /** Told whenever it changes: `connected` when both connections are up and take messages. */
  readonly onState?: (state: LinkState) => void;
  /** How long the first connection may take; 30 s. */
  readonly connectTimeoutMs?: number;
  /** How long a call may wait for the broker, a reconnect included; 15 s. */
  readonly timeoutMs?: number;
  readonly patience?: Patience;
  /** How long a delivery is held before its channel is opened again; 20 minutes. */
  readonly recycleAfterMs?: number;
  /** The endpoints of RabbitMQ's Prometheus plugin, one a node; none: queues are counted one by one. */
  readonly metricsUrls?: readonly string[];
}

/**
 * The broker on RabbitMQ 3.10 to 4.x: quorum queues, publisher confirms, recovery of connections,
 * topology and consumers. Resolves when it is connected. Rejects with `broker-access-refused` or
 * `broker-topology-differs` (permanent), or with `broker-unavailable` after `connectTimeoutMs`.
 */
export async function openRabbitBroker(options: RabbitBrokerOptions): Promise<Broker> {
  const broker = new RabbitBroker(options);
  await broker.open(options.connectTimeoutMs ?? 30_000);
  return broker;
}

class RabbitBroker implements Broker {
  readonly #names: Names;
  readonly #logger: Logger;
  readonly #timeoutMs: number;
  readonly #recycleAfterMs: number;
  readonly #onState: (state: LinkState) => void;
  readonly #publishLink: Link;
  readonly #consumeLink: Link;
  readonly #publisher: Publisher;
  readonly #metrics: Metrics;
  readonly #queues: DeclaredQueues;
  readonly #work: WorkPublisher;
  readonly #consumers = new Set<QueueConsumer>();
  readonly #states: Record<'publish' | 'consume', LinkState> = {
    publish: 'disconnected',
    consume: 'disconnected',
  };
  #closing: Promise<void> | undefined;

  constructor(options: RabbitBrokerOptions) {
    const { logger, prefix, onState, timeoutMs, recycleAfterMs, metricsUrls = [] } = options;
    const urls = parseUrls(options.url);
    const vhost = decodeURIComponent(urls[0]?.pathname.slice(1) ?? '') || '/';
    const names = buildNames(prefix ?? 'hilum');
    this.#names = names;
    this.#logger = logger;
    this.#onState = onState ?? (() => undefined);
    this.#recycleAfterMs = recycleAfterMs ?? 20 * 60_000;
    this.#metrics = new Metrics(metricsUrls, vhost, logger);
    this.#timeoutMs = timeoutMs ?? 15_000;
    const limits = { window: 256, windowBytes: 32 * 1024 * 1024, timeoutMs: this.#timeoutMs };
    this.#publisher = new Publisher(limits, logger);
    this.#queues = new DeclaredQueues({
      names,
      logger,
      published: () => this.#publisher.drained(),
      moveHome: (queue, message, lanes) => this.#work.publishMoved(queue, message, lanes),
    });
    this.#work = new WorkPublisher({
      names,
      publisher: this.#publisher,
      queues: this.#queues,
      repair: async (queue) => this.#queues.repair(await this.#connected(), queue),
      record:
        options.record ?? (() => Promise.reject(new Error('A ledger for entries was expected.'))),
    });
    const { access = {}, patience = usualPatience } = options;
    const linkOptions = { urls, access, patience, logger };
    this.#publishLink = new Link({
      ...linkOptions,
      name: 'publish',
      setup: async (connection) => {
        await this.#queues.recover(connection);
        await this.#publisher.attach(connection);
      },
      onState: (state) => {
        this.#publisher.setBlocked(state === 'blocked');
        this.#report('publish', state);
      },
    });
    // Apart from publishing: RabbitMQ stops reading from a connection that publishes while it is short
    // of memory, and the acknowledgements that would relieve it must still get through.
    this.#consumeLink = new Link({
      ...linkOptions,
      name: 'consume',
      // Its lanes wait for it, and open themselves.
      setup: () => Promise.resolve(),
      onState: (state) => this.#report('consume', state),
    });
  }

  async open(timeoutMs: number): Promise<void> {
    try {
      // One after the other: the first finds out about wrong credentials, and declares the exchange.
      await this.#publishLink.open(timeoutMs);
      await this.#consumeLink.open(timeoutMs);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async declare(queue: QueueDefinition): Promise<void> {
    await this.#queues.declare(await this.#connected(), queue);
  }

  publish(queue: string, envelope: Envelope): Promise<void> {
    return this.#work.publish(queue, envelope);
  }

  publishEvent(topic: string, envelope: Envelope): Promise<void> {
    return this.#work.publishEvent(topic, envelope);
  }

  async consume(
    queue: string,
    options: ConsumeOptions,
    handler: (delivery: Delivery) => void,
  ): Promise<Consumer> {
    const connection = await this.#connected();
    const [own, ...lanes] = await this.#buildLanes(connection, queue, options, handler);
    const sharing = new LaneSharing({
      serverQueue: this.#names.queue(queue),
      lanes,
      ready: () => this.#bothReady(),
    });
    const consumer = new QueueConsumer({
      queue,
      lanes: own === undefined ? [] : [own, ...lanes],
      sharing,
      announce: (keys) => this.#work.announce(queue, keys),
    });
    for (const other of this.#consumers) if (other.finished) this.#consumers.delete(other);
    await consumer.start(connection);
    this.#consumers.add(consumer);
    return consumer;
  }

  /** The queue itself, and its lanes with those from before. What is in none of those that it has now is moved there. */
  async #buildLanes(
    connection: Connection,
    queue: string,
    { window, ...options }: ConsumeOptions,
    handler: (delivery: Delivery) => void,
  ): Promise<readonly Lane[]> {
    const names = this.#names;
    const declared = this.#queues.find(queue);
    const lanes = declared?.lanes ?? 0;
    // Who did not declare the queue does not know which lanes it has, and takes from all.
    const there =
      declared?.lanesThere ?? (await countLanes(connection, names, { queue, known: 0 }));
    const isHome = (index: number | undefined, message: Message): boolean => {
      if (declared === undefined) return true;
      if (index === undefined) return lanes === 0;
      return index < lanes && (lanes === 1 || hasLane(message.properties.headers));
    };
    const isIn = (index: number) => (key: string) =>
      toLane(key, declared?.lanes ?? there) === index;
    const publisher = this.#work.buildSettlement(queue);
    const build = (serverQueue: string, index?: number): Lane =>
      new Lane(
        {
          queue,
          serverQueue,
          ...(index === undefined ? {} : { lane: { ...options, has: isIn(index) } }),
          window:
            index === undefined || lanes <= 1 ? window : Math.max(2, Math.floor(window / lanes)),
          handler,
          publisher,
          findMove: (message) => {
            const remainingMs = (findNotBefore(message) ?? 0) - Date.now();
            if (remainingMs > 0) return () => this.#work.publishParked(queue, message, remainingMs);
            return isHome(index, message)
              ? undefined
              : () => this.#work.publishMoved(queue, message);
          },
          recycleAfterMs: this.#recycleAfterMs,
          logger: this.#logger,
        },
        () => this.#bothReady(),
      );
    return [build(names.queue(queue)), ...laneNames(names, queue, there).map(build)];
  }

  async depths(): Promise<readonly QueueDepth[]> {
    const connection = await this.#connected();
    const metrics = await this.#metrics.read();
    const depths = await Promise.all(
      this.#queues.all().map(async ({ definition: { name, interface: owner }, lanesThere }) => {
        const countable = { queue: name, lanes: lanesThere };
        const counted =
          (metrics === undefined ? undefined : sumQueue(metrics, this.#names, countable)) ??
          (await countQueue(connection, this.#names, countable));
        if (counted === undefined) return undefined;
        let unsettled = 0;
        for (const each of this.#consumers) if (each.queue === name) unsettled += each.unsettled;
        return { queue: name, interface: owner, unsettled, ...counted };
      }),
    );
    return depths.filter((depth) => depth !== undefined);
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#consumers].map((consumer) => consumer.stop()));
    await this.#publisher.close();
    await Promise.all([...this.#consumers].map((consumer) => consumer.close()));
    await Promise.all([this.#publishLink.close(), this.#consumeLink.close()]);
  }

  #connected(): Promise<Connection> {
    return this.#consumeLink.ready(this.#timeoutMs);
  }

  /** Both are up: what is delivered while nothing can be published would only fail. */
  async #bothReady(): Promise<Connection> {
    await this.#publishLink.ready();
    return this.#consumeLink.ready();
  }

  #report(link: 'publish' | 'consume', state: LinkState): void {
    const before = toOverall(this.#states);
    this.#states[link] = state;
    const now = toOverall(this.#states);
    if (now === before) return;
    this.#onState(now);
  }
}

function toOverall({ publish, consume }: Record<'publish' | 'consume', LinkState>): LinkState {
  if (publish === 'refused' || consume === 'refused') return 'refused';
  if (publish === 'disconnected' || consume === 'disconnected') return 'disconnected';
  return publish === 'blocked' ? 'blocked' : 'connected';
}
