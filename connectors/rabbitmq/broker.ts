import type { ChannelModel, ConsumeMessage } from 'amqplib';
import type { Envelope } from '../../core/envelope.ts';
import { buildError, findFailure } from '../../core/errors.ts';
import type { Issue } from '../../core/issue.ts';
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
import { countQueue } from './depth.ts';
import { buildQueueMissing, buildTopicWithoutQueue, toAmqpFailure } from './failures.ts';
import { Lane } from './lane.ts';
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
import type { PublisherLimits } from './publisher.ts';
import { Publisher } from './publisher.ts';
import type { Names } from './topology.ts';
import { buildNames, declareEvents, declareQueue, retryStepsMs, toRetryStep } from './topology.ts';

export interface RabbitBrokerOptions {
  /** `amqp://user:password@host:5672/vhost`, or `amqps:`. */
  readonly url: string;
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
  readonly #onState: (state: LinkState) => void;
  readonly #record: (entries: readonly LedgerEntry[]) => Promise<void>;
  readonly #publishLink: Link;
  readonly #consumeLink: Link;
  readonly #publisher: Publisher;
  readonly #declared = new Map<string, QueueDefinition>();
  readonly #lanes = new Set<Lane>();
  readonly #states: Record<'publish' | 'consume', LinkState> = {
    publish: 'disconnected',
    consume: 'disconnected',
  };
  #closing: Promise<void> | undefined;

  constructor({ url, logger, prefix, onState, timeoutMs, record }: RabbitBrokerOptions) {
    this.#record =
      record ?? (() => Promise.reject(new Error('A ledger for entries was expected.')));
    this.#names = buildNames(prefix ?? 'hilum');
    this.#logger = logger;
    this.#onState = onState ?? (() => undefined);
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
    this.#publishLink = new Link({
      url,
      name: 'publish',
      logger,
      setup: setupPublish,
      onState: (state) => {
        this.#publisher.setBlocked(state === 'blocked');
        this.#report('publish', state);
      },
    });
    // Apart from publishing: RabbitMQ stops reading from a connection that publishes while it is short
    // of memory, and the acknowledgements that would relieve it must still get through.
    this.#consumeLink = new Link({
      url,
      name: 'consume',
      logger,
      setup: async (model) => {
        await this.#recoverTopology(model);
        await this.#recoverLanes(model);
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
    const model = await this.#consumeLink.ready(this.#limits.timeoutMs);
    await declareQueue(model, this.#names, queue);
    const topics = new Set([
      ...(this.#declared.get(queue.name)?.topics ?? []),
      ...(queue.topics ?? []),
    ]);
    this.#declared.set(queue.name, { ...queue, topics: [...topics] });
  }

  async publish(queue: string, envelope: Envelope): Promise<void> {
    const name = this.#names.queue(queue);
    await this.#publishToQueue(name, toAmqpMessage(envelope));
  }

  async publishEvent(topic: string, envelope: Envelope): Promise<void> {
    const message = toAmqpMessage(envelope);
    assertSize(message);
    await this.#publisher.publish(
      {
        exchange: this.#names.events,
        routingKey: topic,
        buildUnroutable: () => buildTopicWithoutQueue(topic),
      },
      message,
    );
  }

  async consume(
    queue: string,
    options: { readonly window: number },
    handler: (delivery: Delivery) => void,
  ): Promise<Consumer> {
    const lane = new Lane({
      queue,
      serverQueue: this.#names.queue(queue),
      window: options.window,
      handler,
      logger: this.#logger,
      toEnvelope: (message) => this.#toEnvelope(queue, message),
      publishRetry: (envelope, retry) => this.#publishRetry(queue, envelope, retry),
      publishParked: (message, remainingMs) => this.#publishParked(queue, message, remainingMs),
      publishDead: (envelope, issues) => this.#publishDead(queue, envelope, issues),
      publishOutgoing: (outgoing) =>
        'queue' in outgoing
          ? this.publish(outgoing.queue, outgoing.envelope)
          : this.publishEvent(outgoing.topic, outgoing.envelope),
      record: this.#record,
    });
    const model = await this.#consumeLink.ready(this.#limits.timeoutMs);
    for (const other of this.#lanes) if (other.finished) this.#lanes.delete(other);
    this.#lanes.add(lane);
    try {
      await lane.open(model);
    } catch (error) {
      this.#lanes.delete(lane);
      await lane.stop();
      throw error;
    }
    return {
      pause: () => lane.pause(),
      resume: () => lane.resume(),
      stop: () => lane.stop(),
    };
  }

  async depths(): Promise<readonly QueueDepth[]> {
    const model = await this.#consumeLink.ready(this.#limits.timeoutMs);
    const depths = await Promise.all(
      [...this.#declared.values()].map(async ({ name, interface: owner }) => {
        const counted = await countQueue(model, this.#names, name);
        if (counted === undefined) return undefined;
        let unsettled = 0;
        for (const lane of this.#lanes) if (lane.queue === name) unsettled += lane.unsettled;
        return { queue: name, interface: owner, ...counted, unsettled };
      }),
    );
    return depths.filter((depth) => depth !== undefined);
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#lanes].map((lane) => lane.stop()));
    await this.#publisher.close();
    await Promise.all([this.#publishLink.close(), this.#consumeLink.close()]);
  }

  async #publishToQueue(name: string, message: AmqpMessage): Promise<void> {
    assertSize(message);
    await this.#publisher.publish(
      { exchange: '', routingKey: name, buildUnroutable: () => buildQueueMissing(name) },
      message,
    );
  }

  async #publishRetry(
    queue: string,
    envelope: Envelope,
    { delayMs, ...options }: RetryOptions & { readonly delayMs: number },
  ): Promise<void> {
    if (delayMs <= 0) {
      await this.#publishToQueue(this.#names.queue(queue), toRetryMessage(envelope, options));
      return;
    }
    const notBefore = delayMs > longestRetryStepMs ? Date.now() + delayMs : undefined;
    await this.#publishBeside(
      queue,
      this.#names.retry(queue, toRetryStep(delayMs)),
      toRetryMessage(envelope, { ...options, notBefore }),
    );
  }

  async #publishParked(queue: string, message: ConsumeMessage, remainingMs: number): Promise<void> {
    const name = this.#names.retry(queue, toRetryStep(remainingMs));
    await this.#publishBeside(queue, name, toParkedMessage(message));
  }

  async #publishDead(queue: string, envelope: Envelope, issues: readonly Issue[]): Promise<void> {
    await this.#publishBeside(queue, this.#names.dead(queue), toDeadMessage(envelope, issues));
  }

  /** To a queue that goes with `queue`; it may have been declared by nobody yet, or deleted. */
  async #publishBeside(queue: string, name: string, message: AmqpMessage): Promise<void> {
    try {
      await this.#publishToQueue(name, message);
    } catch (error) {
      if (findFailure(error)?.issues[0]?.code !== 'queue-missing') throw error;
      const model = await this.#consumeLink.ready(this.#limits.timeoutMs);
      const definition = this.#declared.get(queue) ?? { name: queue, interface: '' };
      await declareQueue(model, this.#names, definition);
      await this.#publishToQueue(name, message);
    }
  }

  #toEnvelope(queue: string, message: ConsumeMessage): Envelope {
    return toEnvelope(message, {
      interface: this.#declared.get(queue)?.interface ?? '',
      receivedAt: new Date().toISOString(),
    });
  }

  /** On every new connection: what was deleted while we were away, by hand or with the server. */
  async #recoverTopology(model: ChannelModel): Promise<void> {
    await declareEvents(model, this.#names);
    for (const definition of this.#declared.values()) {
      try {
        await declareQueue(model, this.#names, definition);
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

  async #recoverLanes(model: ChannelModel): Promise<void> {
    for (const lane of this.#lanes) {
      try {
        await lane.open(model);
      } catch (error) {
        if (findFailure(error)?.errorClass !== 'permanent') throw error;
        const { message } = toAmqpFailure(error);
        this.#logger.error({ queue: lane.queue, reason: message }, 'A queue cannot be consumed');
      }
    }
  }

  #report(link: 'publish' | 'consume', state: LinkState): void {
    const before = toOverall(this.#states);
    this.#states[link] = state;
    const now = toOverall(this.#states);
    if (now !== before) this.#onState(now);
  }
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
