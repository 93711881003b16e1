import type { Message } from 'amqplib';
import type { Envelope } from '../../core/envelope.ts';
import { buildError, findFailure } from '../../core/errors.ts';
import type { RetryOptions } from '../../core/ports/broker.ts';
import type { LedgerEntry } from '../../core/ports/ledger.ts';
import type { DeclaredQueues } from './declared-queues.ts';
import { buildQueueMissing, buildTopicWithoutQueue } from './failures.ts';
import { buildAnnouncement, toLane, withLane } from './lane-choice.ts';
import type { AmqpMessage } from './message.ts';
import {
  toAmqpMessage,
  toDeadMessage,
  toEnvelope,
  toParkedMessage,
  toRetryMessage,
} from './message.ts';
import type { Names } from './names.ts';
import type { Address, Publisher } from './publisher.ts';
import type { SettlementPublisher } from './settlement.ts';
import { retryStepsMs, toRetryStep } from './topology.ts';

/**
 * RabbitMQ 4 refuses more than 16 MiB by default, and closes the channel of whoever tries. Hilum's own large bodies
 * travel as references (runtime/claim-check): this is about who publishes without.
 */
const maxBodyBytes = 16 * 1024 * 1024;

const longestRetryStepMs = retryStepsMs[retryStepsMs.length - 1] ?? 0;

interface Options {
  readonly names: Names;
  readonly publisher: Publisher;
  readonly queues: DeclaredQueues;
  /** Declares again what goes with a queue. */
  readonly repair: (queue: string) => Promise<void>;
  readonly record: (entries: readonly LedgerEntry[]) => Promise<void>;
}

/** Where envelopes go: to the lane of their key, a retry queue, the dead letters or whoever subscribes. */
export class WorkPublisher {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  /** To its lane, where the queue is known to have some; who does not know of them publishes to the queue itself. */
  publish(queue: string, envelope: Envelope): Promise<void> {
    return this.#publishWork(queue, envelope, toAmqpMessage(envelope));
  }

  async publishEvent(topic: string, envelope: Envelope): Promise<void> {
    const { events } = this.#options.names;
    const buildUnroutable = (): Error => buildTopicWithoutQueue(topic);
    const address = { exchange: events, routingKey: topic, buildUnroutable };
    await this.#publish(address, toAmqpMessage(envelope));
  }

  /** Into the lanes of these keys, where the queue is known to have some. */
  announce(queue: string, keys: readonly string[]): Promise<void> {
    const { names, queues } = this.#options;
    return queues.withLanes(queue, async (count) => {
      if (count === 0) return;
      for (const lane of new Set(keys.map((key) => toLane(key, count)))) {
        await this.#publishToQueue(names.lane(queue, lane), buildAnnouncement());
      }
    });
  }

  /** As it is, to where it belongs. */
  async publishMoved(queue: string, message: Message, lanes?: number): Promise<void> {
    const envelope = this.toEnvelope(queue, message);
    const moved = toParkedMessage(message);
    if (lanes === undefined) await this.#publishWork(queue, envelope, moved);
    else await this.#publishToLane(queue, { key: envelope.key ?? envelope.id, lanes }, moved);
  }

  /** As it is, for another round in a retry queue. */
  async publishParked(queue: string, message: Message, remainingMs: number): Promise<void> {
    const name = this.#options.names.retry(queue, toRetryStep(remainingMs));
    await this.#publishBeside(queue, name, toParkedMessage(message));
  }

  toEnvelope(queue: string, message: Message): Envelope {
    return toEnvelope(message, {
      interface: this.#options.queues.find(queue)?.definition.interface ?? '',
      receivedAt: new Date().toISOString(),
    });
  }

  buildSettlement(queue: string): SettlementPublisher {
    const { names, record } = this.#options;
    return {
      toEnvelope: (message) => this.toEnvelope(queue, message),
      retry: (envelope, retry) => this.#publishRetry(queue, envelope, retry),
      dead: (envelope, issues) =>
        this.#publishBeside(queue, names.dead(queue), toDeadMessage(envelope, issues)),
      outgoing: (outgoing) =>
        'queue' in outgoing
          ? this.publish(outgoing.queue, outgoing.envelope)
          : this.publishEvent(outgoing.topic, outgoing.envelope),
      record,
    };
  }

  #publishWork(
    queue: string,
    { id, key = id }: Pick<Envelope, 'key' | 'id'>,
    message: AmqpMessage,
  ): Promise<void> {
    return this.#options.queues.withLanes(queue, (lanes) =>
      this.#publishToLane(queue, { key, lanes }, message),
    );
  }

  async #publishToLane(
    queue: string,
    { key, lanes }: { readonly key: string; readonly lanes: number },
    message: AmqpMessage,
  ): Promise<void> {
    const { names } = this.#options;
    if (lanes === 0) {
      await this.#publishToQueue(names.queue(queue), message);
      return;
    }
    const lane = toLane(key, lanes);
    await this.#publishToQueue(names.lane(queue, lane), withLane(message, lane));
  }

  async #publishToQueue(name: string, message: AmqpMessage): Promise<void> {
    const buildUnroutable = (): Error => buildQueueMissing(name);
    await this.#publish({ exchange: '', routingKey: name, buildUnroutable }, message);
  }

  async #publish(address: Address, message: AmqpMessage): Promise<void> {
    assertSize(message);
    await this.#options.publisher.publish(address, message);
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
      this.#options.names.retry(queue, toRetryStep(delayMs)),
      toRetryMessage(envelope, { ...options, notBefore }),
    );
  }

  /** To a queue that goes with `queue`; it may have been declared by nobody yet, or deleted. */
  async #publishBeside(queue: string, name: string, message: AmqpMessage): Promise<void> {
    try {
      await this.#publishToQueue(name, message);
    } catch (error) {
      if (findFailure(error)?.issues[0]?.code !== 'queue-missing') throw error;
      await this.#options.repair(queue);
      await this.#publishToQueue(name, message);
    }
  }
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
