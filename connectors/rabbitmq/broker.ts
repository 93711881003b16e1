import type { ConsumeMessage } from 'amqplib';
import type { Envelope } from '../../core/envelope.ts';
import { buildError, findFailure } from '../../core/errors.ts';
import type {
  Broker,
  Consumer,
  Delivery,
  QueueDefinition,
  QueueDepth,
  RetryOptions,
} from '../../core/ports/broker.ts';
import type { LedgerEntry } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { RabbitAccess } from './addresses.ts';
import { parseUrls } from './addresses.ts';
import type { Connection } from './connection.ts';
import { countQueue, sumQueue } from './depth.ts';
import { buildQueueMissing, buildTopicWithoutQueue, toAmqpFailure } from './failures.ts';
import { hasLane, toLane, toLaneCount, withLane } from './lane-choice.ts';
import { Lane } from './lane.ts';
import type { LinkState } from './link.ts';
import { Link } from './link.ts';
import type { AmqpMessage } from './message.ts';
import {
  findNotBefore,
  toAmqpMessage,
  toDeadMessage,
  toEnvelope,
  toParkedMessage,
  toRetryMessage,
} from './message.ts';
import { Metrics } from './metrics.ts';
import type { Names } from './names.ts';
import { buildNames, laneNames } from './names.ts';
import type { Address, PublisherLimits } from './publisher.ts';
import { Publisher } from './publisher.ts';
import { QueueConsumer } from './queue-consumer.ts';
import type { SettlementPublisher } from './settlement.ts';
import { countLanes, declareEvents, declareQueue, retryStepsMs, toRetryStep } from './topology.ts';

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
  /** How long a delivery is held before its channel is opened again; 20 minutes. */
  readonly recycleAfterMs?: number;
  /** The endpoints of RabbitMQ's Prometheus plugin, one a node; none: queues are counted one by one. */
  readonly metricsUrls?: readonly string[];
}

/**
 * RabbitMQ 4 refuses more than 16 MiB by default, and closes the channel of whoever tries. Hilum's own large bodies
 * travel as references (runtime/claim-check): this is about who publishes without.
 */
const maxBodyBytes = 16 * 1024 * 1024;

const longestRetryStepMs = retryStepsMs[retryStepsMs.length - 1] ?? 0;

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
  readonly #limits: PublisherLimits;
  readonly #recycleAfterMs: number;
  readonly #onState: (state: LinkState) => void;
  readonly #record: (entries: readonly LedgerEntry[]) => Promise<void>;
  readonly #publishLink: Link;
  readonly #consumeLink: Link;
  readonly #publisher: Publisher;
  readonly #metrics: Metrics;
  readonly #declared = new Map<string, Declared>();
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
    this.#record =
      options.record ?? (() => Promise.reject(new Error('A ledger for entries was expected.')));
    this.#names = buildNames(prefix ?? 'hilum');
    this.#logger = logger;
    this.#onState = onState ?? (() => undefined);
    this.#recycleAfterMs = recycleAfterMs ?? 20 * 60_000;
    this.#metrics = new Metrics(metricsUrls, vhost, logger);
    this.#limits = {
      window: 256,
      windowBytes: 32 * 1024 * 1024,
      timeoutMs: timeoutMs ?? 15_000,
    };
    this.#publisher = new Publisher(this.#limits, logger);
    const linkOptions = { urls, access: options.access ?? {}, logger };
    this.#publishLink = new Link({
      ...linkOptions,
      name: 'publish',
      setup: async (connection) => {
        await this.#recoverTopology(connection);
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
    const { name } = queue;
    const connection = await this.#consumeLink.ready(this.#limits.timeoutMs);
    const former = this.#declared.get(name);
    const lanes = toLaneCount(queue.order);
    const known = Math.max(lanes, former?.lanesThere ?? 0);
    const lanesThere =
      former?.lanesThere === known
        ? known
        : await countLanes(connection, this.#names, { queue: name, known });
    await declareQueue(connection, this.#names, { definition: queue, lanesThere });
    const topics = [...new Set([...(former?.definition.topics ?? []), ...(queue.topics ?? [])])];
    this.#declared.set(name, { definition: { ...queue, topics }, lanes, lanesThere });
  }

  async publish(queue: string, envelope: Envelope): Promise<void> {
    await this.#publishWork(queue, envelope, toAmqpMessage(envelope));
  }

  async publishEvent(topic: string, envelope: Envelope): Promise<void> {
    const { events } = this.#names;
    const buildUnroutable = (): Error => buildTopicWithoutQueue(topic);
    const address = { exchange: events, routingKey: topic, buildUnroutable };
    await this.#publish(address, toAmqpMessage(envelope));
  }

  async consume(
    queue: string,
    options: { readonly window: number },
    handler: (delivery: Delivery) => void,
  ): Promise<Consumer> {
    const connection = await this.#consumeLink.ready(this.#limits.timeoutMs);
    const consumer = new QueueConsumer(
      queue,
      await this.#buildLanes(connection, queue, options, handler),
    );
    for (const other of this.#consumers) if (other.finished) this.#consumers.delete(other);
    await consumer.start(connection);
    this.#consumers.add(consumer);
    return consumer;
  }

  /** The queue itself, and its lanes with those from before. What is in none of those that it has now is moved there. */
  async #buildLanes(
    connection: Connection,
    queue: string,
    { window }: { readonly window: number },
    handler: (delivery: Delivery) => void,
  ): Promise<readonly Lane[]> {
    const names = this.#names;
    const declared = this.#declared.get(queue);
    const lanes = declared?.lanes ?? 0;
    // Who did not declare the queue does not know which lanes it has, and takes from all.
    const there =
      declared?.lanesThere ?? (await countLanes(connection, names, { queue, known: 0 }));
    const isHome = (index: number | undefined, message: ConsumeMessage): boolean => {
      if (declared === undefined) return true;
      if (index === undefined) return lanes === 0;
      return index < lanes && (lanes === 1 || hasLane(message.properties.headers));
    };
    const publisher = this.#buildSettlement(queue);
    const build = (serverQueue: string, index?: number): Lane =>
      new Lane(
        {
          queue,
          serverQueue,
          window:
            index === undefined || lanes === 0 ? window : Math.max(1, Math.floor(window / lanes)),
          handler,
          publisher,
          findMove: (message) => {
            const remainingMs = (findNotBefore(message) ?? 0) - Date.now();
            if (remainingMs > 0) return () => this.#publishParked(queue, message, remainingMs);
            return isHome(index, message) ? undefined : () => this.#publishMoved(queue, message);
          },
          recycleAfterMs: this.#recycleAfterMs,
          logger: this.#logger,
        },
        () => this.#bothReady(),
      );
    return [build(names.queue(queue)), ...laneNames(names, queue, there).map(build)];
  }

  async depths(): Promise<readonly QueueDepth[]> {
    const connection = await this.#consumeLink.ready(this.#limits.timeoutMs);
    const metrics = await this.#metrics.read();
    const depths = await Promise.all(
      [...this.#declared.values()].map(
        async ({ definition: { name, interface: owner }, lanesThere }) => {
          const countable = { queue: name, lanes: lanesThere };
          const counted =
            (metrics === undefined ? undefined : sumQueue(metrics, this.#names, countable)) ??
            (await countQueue(connection, this.#names, countable));
          if (counted === undefined) return undefined;
          let unsettled = 0;
          for (const each of this.#consumers) if (each.queue === name) unsettled += each.unsettled;
          return { queue: name, interface: owner, unsettled, ...counted };
        },
      ),
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

  /** To its lane, where the queue is known to have some; who does not know of them publishes to the queue itself. */
  async #publishWork(
    queue: string,
    { key, id }: Pick<Envelope, 'key' | 'id'>,
    message: AmqpMessage,
  ): Promise<void> {
    const lanes = this.#declared.get(queue)?.lanes ?? 0;
    const lane = lanes === 0 ? undefined : toLane(key ?? id, lanes);
    if (lane === undefined) await this.#publishToQueue(this.#names.queue(queue), message);
    else await this.#publishToQueue(this.#names.lane(queue, lane), withLane(message, lane));
  }

  /** Both are up: what is delivered while nothing can be published would only fail. */
  async #bothReady(): Promise<Connection> {
    await this.#publishLink.ready();
    return this.#consumeLink.ready();
  }

  /** As it is, to where it belongs. */
  async #publishMoved(queue: string, message: ConsumeMessage): Promise<void> {
    await this.#publishWork(queue, this.#toEnvelope(queue, message), toParkedMessage(message));
  }

  async #publishParked(queue: string, message: ConsumeMessage, remainingMs: number): Promise<void> {
    const name = this.#names.retry(queue, toRetryStep(remainingMs));
    await this.#publishBeside(queue, name, toParkedMessage(message));
  }

  async #publishToQueue(name: string, message: AmqpMessage): Promise<void> {
    const buildUnroutable = (): Error => buildQueueMissing(name);
    await this.#publish({ exchange: '', routingKey: name, buildUnroutable }, message);
  }

  async #publish(address: Address, message: AmqpMessage): Promise<void> {
    assertSize(message);
    await this.#publisher.publish(address, message);
  }

  #buildSettlement(queue: string): SettlementPublisher {
    return {
      toEnvelope: (message) => this.#toEnvelope(queue, message),
      retry: (envelope, retry) => this.#publishRetry(queue, envelope, retry),
      dead: (envelope, issues) =>
        this.#publishBeside(queue, this.#names.dead(queue), toDeadMessage(envelope, issues)),
      outgoing: (outgoing) =>
        'queue' in outgoing
          ? this.publish(outgoing.queue, outgoing.envelope)
          : this.publishEvent(outgoing.topic, outgoing.envelope),
      record: this.#record,
    };
  }

  async #publishRetry(
    queue: string,
    envelope: Envelope,
    { delayMs, ...options }: RetryOptions & { readonly delayMs: number },
  ): Promise<void> {
    if (delayMs <= 0) {
      await this.#publishWork(queue, envelope, toRetryMessage(envelope, options));
      return;
    }
    const notBefore = delayMs > longestRetryStepMs ? Date.now() + delayMs : undefined;
    await this.#publishBeside(
      queue,
      this.#names.retry(queue, toRetryStep(delayMs)),
      toRetryMessage(envelope, { ...options, notBefore }),
    );
  }

  /** To a queue that goes with `queue`; it may have been declared by nobody yet, or deleted. */
  async #publishBeside(queue: string, name: string, message: AmqpMessage): Promise<void> {
    try {
      await this.#publishToQueue(name, message);
    } catch (error) {
      if (findFailure(error)?.issues[0]?.code !== 'queue-missing') throw error;
      const connection = await this.#consumeLink.ready(this.#limits.timeoutMs);
      const declared = this.#declared.get(queue);
      await declareQueue(connection, this.#names, {
        definition: declared?.definition ?? { name: queue, interface: '' },
        lanesThere: declared?.lanesThere ?? 0,
      });
      await this.#publishToQueue(name, message);
    }
  }

  #toEnvelope(queue: string, message: ConsumeMessage): Envelope {
    return toEnvelope(message, {
      interface: this.#declared.get(queue)?.definition.interface ?? '',
      receivedAt: new Date().toISOString(),
    });
  }

  /** On every new connection: what was deleted while we were away, by hand or with the server. */
  async #recoverTopology(connection: Connection): Promise<void> {
    await declareEvents(connection, this.#names);
    for (const declared of this.#declared.values()) {
      const { definition } = declared;
      try {
        await declareQueue(connection, this.#names, declared);
      } catch (error) {
        if (findFailure(error)?.errorClass !== 'permanent') throw error;
        // One queue that differs now must not keep the others waiting.
        const { message } = toAmqpFailure(error);
        this.#logger.error(
          { queue: definition.name, reason: message },
          'A queue is not ours any more',
        );
      }
    }
  }

  #report(link: 'publish' | 'consume', state: LinkState): void {
    const before = toOverall(this.#states);
    this.#states[link] = state;
    const now = toOverall(this.#states);
    if (now === before) return;
    this.#onState(now);
  }
}

interface Declared {
  readonly definition: QueueDefinition;
  /** How many lanes it has; 0: it is not in order. */
  readonly lanes: number;
  /** How many there are on the server: more where it had more before. */
  readonly lanesThere: number;
}

function toOverall({ publish, consume }: Record<'publish' | 'consume', LinkState>): LinkState {
  if (publish === 'refused' || consume === 'refused') return 'refused';
  if (publish === 'disconnected' || consume === 'disconnected') return 'disconnected';
  return publish === 'blocked' ? 'blocked' : 'connected';
}

function assertSize(message: AmqpMessage): void {
  if (message.body.length <= maxBodyBytes) return;
  throw buildError(
    'permanent',
    'message-too-large',
    `A message of ${message.body.length} bytes was to be queued; RabbitMQ takes at most ${maxBodyBytes}. ` +
      'Refuse such messages where they come in (maxFrameBytes of the listener).',
  );
}
