import type { ChannelModel, ConsumeMessage } from 'amqplib';
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
import { buildConsumer } from './build-consumer.ts';
import { countQueue, sumQueue } from './depth.ts';
import { buildQueueMissing, buildTopicWithoutQueue, toAmqpFailure } from './failures.ts';
import { findKnownLanes } from './known-lanes.ts';
import { toLaneCount, withLanes } from './lane-choice.ts';
import type { LinkState } from './link.ts';
import { Link } from './link.ts';
import type { AmqpMessage } from './message.ts';
import {
  toAmqpMessage,
  toDeadMessage,
  toEnvelope,
  toParkedMessage,
  toRetryMessage,
} from './message.ts';
import { Metrics } from './metrics.ts';
import type { Names } from './names.ts';
import { buildNames } from './names.ts';
import type { Address, PublisherLimits } from './publisher.ts';
import { Publisher } from './publisher.ts';
import type { QueueConsumer } from './queue-consumer.ts';
import type { SettlementPublisher } from './settlement.ts';
import { declareQueue, declareShared, retryStepsMs, toRetryStep } from './topology.ts';

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

/** RabbitMQ 4 refuses more than 16 MiB by default, and closes the channel of whoever tries. */
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
    const setupPublish = async (model: ChannelModel): Promise<void> => {
      await this.#recoverTopology(model);
      await this.#publisher.attach(model);
    };
    this.#publisher = new Publisher(this.#limits, logger, setupPublish);
    const linkOptions = { urls, access: options.access ?? {}, logger };
    this.#publishLink = new Link({
      ...linkOptions,
      name: 'publish',
      setup: setupPublish,
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
      setup: async (model) => {
        await this.#recoverTopology(model);
        await this.#recoverConsumers(model);
      },
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
    const model = await this.#consumeLink.ready(this.#limits.timeoutMs);
    const count = queue.order === undefined ? 0 : toLaneCount(queue.order.lanes);
    const known = await this.#findKnownLanes(name, model);
    const earlier = known.filter((each) => each !== count);
    await declareQueue(model, this.#names, { definition: queue, earlier });
    const topics = [
      ...(this.#declared.get(name)?.definition.topics ?? []),
      ...(queue.topics ?? []),
    ];
    this.#declared.set(name, { definition: { ...queue, topics: [...new Set(topics)] }, earlier });
  }

  async publish(queue: string, envelope: Envelope): Promise<void> {
    await this.#publishWork(queue, envelope, toAmqpMessage(envelope));
  }

  async publishEvent(topic: string, envelope: Envelope): Promise<void> {
    const message = withLanes(toAmqpMessage(envelope), laneKey(envelope));
    const buildUnroutable = (): Error => buildTopicWithoutQueue(topic);
    await this.#publish(
      { exchange: this.#names.events, routingKey: topic, buildUnroutable },
      message,
    );
  }

  async consume(
    queue: string,
    options: { readonly window: number },
    handler: (delivery: Delivery) => void,
  ): Promise<Consumer> {
    const model = await this.#consumeLink.ready(this.#limits.timeoutMs);
    const order = this.#declared.get(queue)?.definition.order;
    const consumer = buildConsumer(
      {
        names: this.#names,
        logger: this.#logger,
        recycleAfterMs: this.#recycleAfterMs,
        model: () => this.#consumeLink.ready(this.#limits.timeoutMs),
        settlement: this.#buildSettlement(queue),
        publish: (envelope) => this.publish(queue, envelope),
        publishTo: (name, message) => this.#publishToQueue(name, message),
      },
      {
        queue,
        window: options.window,
        handler,
        known: await this.#findKnownLanes(queue, model),
        count: order === undefined ? 0 : toLaneCount(order.lanes),
        isDeclared: this.#declared.has(queue),
      },
    );
    for (const other of this.#consumers) if (other.finished) this.#consumers.delete(other);
    this.#consumers.add(consumer);
    try {
      await consumer.open(model);
    } catch (error) {
      this.#consumers.delete(consumer);
      await consumer.stop();
      throw error;
    }
    return consumer;
  }

  async depths(): Promise<readonly QueueDepth[]> {
    const model = await this.#consumeLink.ready(this.#limits.timeoutMs);
    const metrics = await this.#metrics.read();
    const depths = await Promise.all(
      [...this.#declared.values()].map(
        async ({ definition: { name, interface: owner, order }, earlier }) => {
          const laneCounts = [
            ...(order === undefined ? [] : [toLaneCount(order.lanes)]),
            ...earlier,
          ];
          const countable = { queue: name, laneCounts };
          const counted =
            (metrics === undefined ? undefined : sumQueue(metrics, this.#names, countable)) ??
            (await countQueue(model, this.#names, countable));
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
    await Promise.all([this.#publishLink.close(), this.#consumeLink.close()]);
  }

  #findKnownLanes(queue: string, model: ChannelModel): Promise<readonly number[]> {
    return findKnownLanes(queue, { names: this.#names, publisher: this.#publisher, model });
  }

  /** Where the queue has lanes, the server chooses among them. */
  async #publishWork(queue: string, envelope: Envelope, message: AmqpMessage): Promise<void> {
    if (this.#declared.get(queue)?.definition.order === undefined) {
      await this.#publishToQueue(this.#names.queue(queue), message);
      return;
    }
    const exchange = this.#names.lanes(queue);
    const buildUnroutable = (): Error => buildQueueMissing(this.#names.queue(queue));
    const inLane = withLanes(message, laneKey(envelope));
    await this.#publish({ exchange, routingKey: '', buildUnroutable }, inLane);
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
      park: (message, remainingMs) =>
        this.#publishBeside(
          queue,
          this.#names.retry(queue, toRetryStep(remainingMs)),
          toParkedMessage(message),
        ),
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
      const model = await this.#consumeLink.ready(this.#limits.timeoutMs);
      const declared = this.#declared.get(queue);
      const definition = declared?.definition ?? { name: queue, interface: '' };
      await declareQueue(model, this.#names, { definition, earlier: declared?.earlier ?? [] });
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
  async #recoverTopology(model: ChannelModel): Promise<void> {
    await declareShared(model, this.#names);
    for (const declared of this.#declared.values()) {
      await this.#orTell(declared.definition.name, 'A queue is not ours any more', () =>
        declareQueue(model, this.#names, declared),
      );
    }
  }

  async #recoverConsumers(model: ChannelModel): Promise<void> {
    for (const consumer of this.#consumers) {
      await this.#orTell(consumer.queue, 'A queue cannot be consumed', () => consumer.open(model));
    }
  }

  /** One queue that differs now must not keep the others waiting. */
  async #orTell(queue: string, what: string, recover: () => Promise<void>): Promise<void> {
    try {
      await recover();
    } catch (error) {
      if (findFailure(error)?.errorClass !== 'permanent') throw error;
      this.#logger.error({ queue, reason: toAmqpFailure(error).message }, what);
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
  /** Other numbers of lanes that it has had. */
  readonly earlier: readonly number[];
}

/** What keeps its order, and so its lane. */
function laneKey({ key, id }: Envelope): string {
  return key ?? id;
}

function toOverall({ publish, consume }: Record<'publish' | 'consume', LinkState>): LinkState {
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
