import type { Envelope } from '../../core/envelope.ts';
import { buildError, findFailure } from '../../core/errors.ts';
import type { Issue } from '../../core/issue.ts';
import type {
  Broker,
  ConsumeOptions,
  Consumer,
  Delivery,
  Outgoing,
  QueueDefinition,
  QueueDepth,
} from '../../core/ports/broker.ts';
import type { UniqueIntake, UniqueMessage } from '../../core/ports/intake.ts';
import type { FormerReceipt, LedgerEntry } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { assertBodySize } from '../../core/ledger/body-size.ts';
import { toUnavailable } from './connection.ts';
import type { Connection, Question } from './connection.ts';
import type { Beside, DeliveryParcel, OutgoingParcel, Parcel } from './protocol.ts';

interface Consuming {
  readonly queue: string;
  readonly window: number;
  paused: boolean;
  readonly handler: (delivery: Delivery) => void;
}

/** What is made durable with a settlement. */
interface Settling {
  readonly outgoing?: readonly Outgoing[] | undefined;
  readonly entries?: readonly LedgerEntry[] | undefined;
}

const unavailable = 'broker-unavailable';
const neverLost = new AbortController().signal;
const handlerFailureDelayMs = 5_000;
/** How long what could not be settled is held before it is delivered again. */
const releaseDelayMs = 1_000;

/** The broker's port over a connection to the owner, which is of one piece with the ledger. */
export class SqliteBroker implements Broker, UniqueIntake {
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
        ...[...this.#consuming]
          .filter(([, { paused }]) => !paused)
          .map(([id, { queue, window }]) => this.#ask(['consume', queue, id, window])),
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
    assertBodySize(envelope);
    await this.#ask(['publish', queue, toParcel(envelope)], envelope.body.length);
  }

  async publishEvent(topic: string, envelope: Envelope): Promise<void> {
    assertBodySize(envelope);
    await this.#ask(['publishEvent', topic, toParcel(envelope)], envelope.body.length);
  }

  async take(message: UniqueMessage): Promise<FormerReceipt | undefined> {
    const { queue, envelope, before, entries, reused } = message;
    assertBodySize(envelope);
    const question = ['take', queue, toParcel(envelope), { before, entries, reused }] as const;
    return (await this.#ask(question, envelope.body.length)) as FormerReceipt | undefined;
  }

  async consume(
    queue: string,
    options: ConsumeOptions,
    handler: (delivery: Delivery) => void,
  ): Promise<Consumer> {
    this.#lastConsumer += 1;
    const id = this.#lastConsumer;
    const window = Math.max(1, Math.floor(options.window));
    // The owner gives a queue to one consumer at a time, and workers of a machine begin when those before have left.
    await options.onLane?.({ window, has: () => true, lost: neverLost });
    // Known before the answer: the first deliveries come with it.
    this.#consuming.set(id, { queue, window, paused: false, handler });
    try {
      await this.#ask(['consume', queue, id, window]);
    } catch (error) {
      this.#consuming.delete(id);
      throw error;
    }
    return {
      announce: () => Promise.resolve(),
      pause: () => this.#pause(id),
      resume: () => this.#resume(id),
      stop: () => this.#stop(id, false),
    };
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
    // Paused first: it is not consumed again on another connection.
    const consuming = this.#consuming.get(id);
    if (consuming !== undefined) consuming.paused = true;
    await this.#askIfConnected(['stop', id, giveBack]);
    this.#consuming.delete(id);
  }

  async #pause(id: number): Promise<void> {
    const consuming = this.#consuming.get(id);
    if (consuming === undefined || consuming.paused) return;
    consuming.paused = true;
    await this.#askIfConnected(['stop', id, false]);
  }

  async #resume(id: number): Promise<void> {
    const consuming = this.#consuming.get(id);
    if (consuming?.paused !== true) return;
    consuming.paused = false;
    await this.#askIfConnected(['consume', consuming.queue, id, consuming.window]);
  }

  /** Where the connection is gone, the next one brings the owner in line with what is consumed here. */
  async #askIfConnected(question: Question): Promise<void> {
    try {
      await this.#ask(question);
    } catch (error) {
      if (findFailure(error)?.errorClass !== 'transient') throw error;
    }
  }

  #askDeclare({ name, interface: owner, topics = [], order }: QueueDefinition): Promise<unknown> {
    return this.#ask(['declare', name, owner, topics, order !== undefined]);
  }

  #ask(question: Question, bytes = 0): Promise<unknown> {
    const answer = this.#connection.ask(question, unavailable, bytes);
    this.#underWay.add(answer);
    const done = (): void => void this.#underWay.delete(answer);
    answer.then(done, done);
    return answer;
  }

  #deliver([consumerId, lease, redelivered, parcel, ledgerState]: DeliveryParcel): void {
    const consuming = this.#consuming.get(consumerId);
    if (consuming === undefined) {
      this.#releaseSoon(lease);
      return;
    }
    const { queue } = consuming;
    const settle = this.#buildSettle(lease);
    const { voided } = this.#connection;
    let envelope: Envelope;
    try {
      envelope = toEnvelope(parcel);
    } catch {
      this.#logger.error(
        { queue, id: parcel[0] },
        'A message with an unreadable header is put aside',
      );
      settle((beside) => ['deadLetter', lease, beside, JSON.stringify([unreadableHeader])]).catch(
        (error: unknown) => this.#logUnsettled(queue, parcel[0], error),
      );
      return;
    }
    const delivery: Delivery = {
      queue,
      envelope,
      redelivered,
      voided,
      ledgerState,
      accept: (outgoing, entries) =>
        settle((beside) => ['accept', lease, beside], { outgoing, entries }),
      retry: (delayMs, { countAttempt = true, ...settling } = {}) =>
        settle((beside) => ['retry', lease, beside, delayMs, countAttempt], settling),
      deadLetter: (issues, outgoing, entries) =>
        settle((beside) => ['deadLetter', lease, beside, JSON.stringify(issues)], {
          outgoing,
          entries,
        }),
    };
    try {
      consuming.handler(delivery);
    } catch (error) {
      this.#logger.error(
        { queue, id: envelope.id, error: error instanceof Error ? error.name : '' },
        'A consumer threw; the message is retried',
      );
      // Rejects where the consumer had settled before it threw: then that stands.
      delivery.retry(handlerFailureDelayMs).catch(() => undefined);
    }
  }

  #buildSettle(
    lease: number,
  ): (ask: (beside: Beside) => Question, settling?: Settling) => Promise<void> {
    const { generation } = this.#connection;
    let settled = false;
    return async (ask, { outgoing = [], entries = [] } = {}) => {
      if (settled) {
        throw buildError(
          'permanent',
          'already-settled',
          'A delivery that is not settled yet was expected: settle each exactly once.',
        );
      }
      let bytes = 0;
      for (const { envelope } of outgoing) {
        assertBodySize(envelope);
        bytes += envelope.body.length;
      }
      settled = true;
      // A lease ends with its connection: it is delivered again.
      if (generation !== this.#connection.generation) throw toUnavailable(unavailable);
      const isAlone = outgoing.length + entries.length === 0;
      const beside = isAlone ? undefined : { outgoing: outgoing.map(toOutgoing), entries };
      try {
        await this.#ask(ask(beside), bytes);
      } catch (error) {
        if (!isAlone && findFailure(error)?.errorClass === 'permanent') {
          // Nothing was stored, and it is still held.
          settled = false;
          throw error;
        }
        // While the connection stays, nobody else gives it back; a lost one has done it.
        if (generation === this.#connection.generation) this.#releaseSoon(lease);
        throw error;
      }
    };
  }

  /**
   * Held for a moment first, in the consumer's window: what fails to be settled will fail again, and the
   * backlog behind it too, as fast as it is delivered.
   */
  #releaseSoon(lease: number): void {
    const { generation } = this.#connection;
    const timer = setTimeout(() => {
      if (generation !== this.#connection.generation) return;
      // Rejects only with the connection, and the lease ends with that too.
      this.#ask(['release', lease]).catch(() => undefined);
    }, releaseDelayMs);
    // The process need not stay for it: with its connection everything goes back.
    timer.unref();
  }

  #logUnsettled(queue: string, id: string, error: unknown): void {
    this.#logger.error(
      { queue, id, error: error instanceof Error ? error.message : '' },
      'A message could not be settled; it is delivered again',
    );
  }
}

const unreadableHeader: Issue = {
  code: 'header-unreadable',
  severity: 'error',
  message:
    'An envelope header of this version was expected in the data file and could not be read. ' +
    'The bytes of the message are there: replay it from the ledger.',
};

function toParcel(envelope: Envelope): Parcel {
  const { body, attempt, ...header } = envelope;
  return [envelope.id, attempt, JSON.stringify(header), body];
}

function toOutgoing(outgoing: Outgoing): OutgoingParcel {
  const parcel = toParcel(outgoing.envelope);
  return 'queue' in outgoing
    ? ['queue', outgoing.queue, parcel]
    : ['topic', outgoing.topic, parcel];
}

function toEnvelope([, attempt, header, body]: Parcel): Envelope {
  return { ...(JSON.parse(header) as Omit<Envelope, 'attempt' | 'body'>), attempt, body };
}
