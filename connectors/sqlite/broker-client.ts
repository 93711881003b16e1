import type { Envelope } from '../../core/envelope.ts';
import { buildError } from '../../core/errors.ts';
import type { Issue } from '../../core/issue.ts';
import type {
  Broker,
  Consumer,
  Delivery,
  QueueDefinition,
  QueueDepth,
} from '../../core/ports/broker.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { toUnavailable } from './connection.ts';
import type { Connection, Question } from './connection.ts';
import { maxBodyBytes } from './frames.ts';
import type { DeliveryParcel, Parcel } from './protocol.ts';

interface Consuming {
  readonly queue: string;
  readonly window: number;
  readonly handler: (delivery: Delivery) => void;
}

const unavailable = 'broker-unavailable';

/** The broker's port over a connection to the owner. */
export class SqliteBroker implements Broker {
  readonly #connection: Connection;
  readonly #logger: Logger;
  /** Declared again on every new connection: the owner may have been started on another file. */
  readonly #declared = new Map<string, QueueDefinition>();
  readonly #consuming = new Map<number, Consuming>();
  readonly #underWay = new Set<Promise<unknown>>();
  #lastConsumer = 0;
  #closing: Promise<void> | undefined;

  constructor(connection: Connection, logger: Logger) {
    this.#connection = connection;
    this.#logger = logger;
    connection.onDelivery = (parcel) => this.#deliver(parcel);
    connection.onConnect = async () => {
      await Promise.all([
        ...[...this.#declared.values()].map((queue) => this.#askDeclare(queue)),
        ...[...this.#consuming].map(([id, { queue, window }]) =>
          this.#ask(['consume', queue, id, window]),
        ),
      ]);
    };
  }

  async declare(queue: QueueDefinition): Promise<void> {
    await this.#askDeclare(queue);
    const topics = new Set([
      ...(this.#declared.get(queue.name)?.topics ?? []),
      ...(queue.topics ?? []),
    ]);
    this.#declared.set(queue.name, { ...queue, topics: [...topics] });
  }

  async publish(queue: string, envelope: Envelope): Promise<void> {
    await this.#ask(['publish', queue, toParcel(envelope)], envelope.body.length);
  }

  async publishEvent(topic: string, envelope: Envelope): Promise<void> {
    await this.#ask(['publishEvent', topic, toParcel(envelope)], envelope.body.length);
  }

  async consume(
    queue: string,
    options: { readonly window: number },
    handler: (delivery: Delivery) => void,
  ): Promise<Consumer> {
    this.#lastConsumer += 1;
    const id = this.#lastConsumer;
    const window = Math.max(1, Math.floor(options.window));
    // Known before the answer: the first deliveries come with it.
    this.#consuming.set(id, { queue, window, handler });
    try {
      await this.#ask(['consume', queue, id, window]);
    } catch (error) {
      this.#consuming.delete(id);
      throw error;
    }
    return { stop: () => this.#stop(id, false) };
  }

  async depths(): Promise<readonly QueueDepth[]> {
    return (await this.#ask(['depths'])) as readonly QueueDepth[];
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    const consumers = [...this.#consuming.keys()];
    // Settlements under way come before: what is then still unsettled goes to others.
    await Promise.allSettled([...this.#underWay, ...consumers.map((id) => this.#stop(id, true))]);
  }

  async #stop(id: number, giveBack: boolean): Promise<void> {
    if (!this.#consuming.has(id)) return;
    try {
      await this.#ask(['stop', id, giveBack]);
    } catch {
      // Gone with its connection, and not to be consumed again on the next.
    }
    this.#consuming.delete(id);
  }

  #askDeclare(queue: QueueDefinition): Promise<unknown> {
    return this.#ask(['declare', queue.name, queue.interface, queue.topics ?? []]);
  }

  #ask(question: Question, bytes = 0): Promise<unknown> {
    const answer = this.#connection.ask(question, unavailable, bytes);
    this.#underWay.add(answer);
    const done = (): void => void this.#underWay.delete(answer);
    answer.then(done, done);
    return answer;
  }

  #deliver([consumerId, lease, redelivered, parcel]: DeliveryParcel): void {
    const consuming = this.#consuming.get(consumerId);
    if (consuming === undefined) return;
    const { generation } = this.#connection;
    let settled = false;
    const settle = async (question: Question): Promise<void> => {
      if (settled) {
        throw buildError(
          'permanent',
          'already-settled',
          'A delivery that is not settled yet was expected: settle each exactly once.',
        );
      }
      settled = true;
      if (generation !== this.#connection.generation) throw toUnavailable(unavailable);
      await this.#ask(question);
    };
    const delivery: Delivery = {
      queue: consuming.queue,
      envelope: toEnvelope(parcel),
      redelivered,
      accept: () => settle(['accept', lease]),
      retry: (delayMs) => settle(['retry', lease, delayMs]),
      deadLetter: (issues: readonly Issue[]) =>
        settle(['deadLetter', lease, JSON.stringify(issues)]),
    };
    try {
      consuming.handler(delivery);
    } catch (error) {
      // It stays unsettled, and is delivered again when this client goes away.
      this.#logger.error(
        { queue: consuming.queue, id: parcel[0], error: error instanceof Error ? error.name : '' },
        'A consumer threw instead of settling',
      );
    }
  }
}

function toParcel(envelope: Envelope): Parcel {
  const { body, attempt, ...header } = envelope;
  if (body.length > maxBodyBytes) {
    throw buildError(
      'permanent',
      'message-too-large',
      `A body of at most ${maxBodyBytes} bytes was expected: this one has ${body.length}.`,
    );
  }
  return [envelope.id, attempt, JSON.stringify(header), body];
}

function toEnvelope([, attempt, header, body]: Parcel): Envelope {
  return { ...(JSON.parse(header) as Omit<Envelope, 'attempt' | 'body'>), attempt, body };
}
