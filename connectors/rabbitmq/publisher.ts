import type { ConfirmChannel, Message } from 'amqplib';
import { buildError } from '../../core/errors.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Connection } from './connection.ts';
import { buildUnavailable } from './failures.ts';
import type { AmqpMessage } from './message.ts';

export interface PublisherLimits {
  /** How many messages wait for their confirm at a time, and how many bytes of them. */
  readonly window: number;
  readonly windowBytes: number;
  /** From the call to the confirm, reconnecting included. */
  readonly timeoutMs: number;
}

/** Where a message goes, and what its publisher is told when no queue is there. */
export interface Address {
  readonly exchange: string;
  readonly routingKey: string;
  readonly buildUnroutable: () => Error;
}

interface Entry {
  readonly address: Address;
  readonly message: AmqpMessage;
  readonly outcome: PromiseWithResolvers<void>;
  timer: NodeJS.Timeout | undefined;
  /** RabbitMQ sends back what no queue takes, and then confirms it all the same. */
  returned: boolean;
  settled: boolean;
}

/**
 * Publishes with confirms, in the order of the calls, a bounded number at a time. A message whose confirm
 * was lost with the connection is sent again in its place with the same id, until its time is up: it may
 * then be in the queue twice, and never behind a later one only. Resolves only what RabbitMQ confirmed.
 */
export class Publisher {
  readonly #limits: PublisherLimits;
  readonly #logger: Logger;
  #channel: ConfirmChannel | undefined;
  #blocked = false;
  #closed = false;
  #waiting: Entry[] = [];
  /** In the order of sending. */
  #inFlight = new Set<Entry>();
  #inFlightBytes = 0;
  #idle: (() => void)[] = [];

  constructor(limits: PublisherLimits, logger: Logger) {
    this.#limits = limits;
    this.#logger = logger;
  }

  /** Resolves when it is confirmed. Rejects with what `address` says, or with `broker-unavailable`. */
  publish(address: Address, message: AmqpMessage): Promise<void> {
    if (this.#closed) return Promise.reject(buildUnavailable('The broker has been closed'));
    const entry: Entry = {
      address,
      message,
      outcome: Promise.withResolvers(),
      timer: undefined,
      returned: false,
      settled: false,
    };
    entry.timer = setTimeout(() => this.#giveUp(entry), this.#limits.timeoutMs);
    this.#waiting.push(entry);
    this.#pump();
    return entry.outcome.promise;
  }

  /** Resolves when all that it was given so far is confirmed or has failed. */
  async drained(): Promise<void> {
    const entries = [...this.#inFlight, ...this.#waiting];
    await Promise.allSettled(entries.map(({ outcome }) => outcome.promise));
  }

  /** Opens the confirm channel on a new connection and goes on with what waits. */
  async attach(connection: Connection): Promise<void> {
    const channel = await connection.createConfirmChannel();
    this.#blocked = false;
    let error: Error | undefined;
    channel.on('error', (reason: Error) => {
      error = reason;
    });
    channel.on('return', (message: Message) => this.#markReturned(message));
    // Before amqplib's own listener, which calls back every unconfirmed message.
    channel.prependListener('close', () => {
      this.#detach(channel, error);
      // The next connection brings another one.
      if (error !== undefined) connection.drop(error);
    });
    this.#channel = channel;
    this.#pump();
  }

  setBlocked(blocked: boolean): void {
    this.#blocked = blocked;
    this.#pump();
  }

  /** Takes no more; resolves when everything under way is confirmed or has failed. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#inFlight.size + this.#waiting.length === 0) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #pump(): void {
    while (this.#channel !== undefined && !this.#blocked && this.#hasRoom()) {
      const entry = this.#waiting.shift();
      if (entry === undefined) break;
      if (!entry.settled) this.#send(this.#channel, entry);
    }
    if (this.#inFlight.size + this.#waiting.length === 0) {
      for (const resolve of this.#idle.splice(0)) resolve();
    }
  }

  #hasRoom(): boolean {
    const { window, windowBytes } = this.#limits;
    return (
      this.#inFlight.size === 0 ||
      (this.#inFlight.size < window && this.#inFlightBytes < windowBytes)
    );
  }

  #send(channel: ConfirmChannel, entry: Entry): void {
    const { address, message } = entry;
    entry.returned = false;
    try {
      channel.publish(
        address.exchange,
        address.routingKey,
        message.body,
        message.properties,
        (error: unknown) => this.#confirmed(entry, error),
      );
    } catch (error) {
      if (error instanceof RangeError || error instanceof TypeError) {
        const what = `The message cannot be written as AMQP: ${error.message}. Headers of a message are limited to 64 KiB together`;
        this.#settle(entry, buildError('permanent', 'message-unencodable', what, error));
        return;
      }
      // The channel is gone and will say so in its close event.
      this.#waiting.unshift(entry);
      this.#channel = undefined;
      return;
    }
    this.#inFlight.add(entry);
    this.#inFlightBytes += message.body.length;
  }

  #confirmed(entry: Entry, error: unknown): void {
    // Not there any more: given up, or taken back when its channel closed.
    if (!this.#remove(entry)) return;
    // Callbacks of a closed channel never come here, so an error is a nack.
    if (error !== null && error !== undefined) {
      this.#settle(entry, buildUnavailable('RabbitMQ did not store the message (nack)', error));
    } else {
      this.#settle(entry, entry.returned ? entry.address.buildUnroutable() : undefined);
    }
    this.#pump();
  }

  /** A return comes before its confirm. All of one id and address are told: none is stored unnoticed. */
  #markReturned(message: Message): void {
    const id: unknown = message.properties.messageId;
    for (const entry of this.#inFlight) {
      const { exchange, routingKey } = entry.address;
      if (
        entry.message.properties.messageId === id &&
        exchange === message.fields.exchange &&
        routingKey === message.fields.routingKey
      ) {
        entry.returned = true;
      }
    }
  }

  #detach(channel: ConfirmChannel, error: Error | undefined): void {
    if (this.#channel === channel) this.#channel = undefined;
    const unconfirmed = [...this.#inFlight];
    this.#inFlight.clear();
    this.#inFlightBytes = 0;
    if (error === undefined) {
      this.#waiting.unshift(...unconfirmed);
      return;
    }
    // RabbitMQ closed this channel because of something on it. Sent again, that would close the next one.
    this.#logger.error({ reason: error.message }, 'RabbitMQ closed the channel for publishing');
    for (const entry of unconfirmed) {
      this.#settle(entry, buildUnavailable('RabbitMQ closed the channel', error));
    }
  }

  #giveUp(entry: Entry): void {
    const sent = this.#remove(entry);
    const reason = this.#blocked
      ? 'RabbitMQ blocks publishers (memory or disk alarm)'
      : sent
        ? 'RabbitMQ has not confirmed the message'
        : 'There is no connection to RabbitMQ';
    const what = `Not stored within ${this.#limits.timeoutMs / 1000} s: ${reason}`;
    this.#settle(entry, buildUnavailable(what));
    // Time runs out in the order of waiting: what is settled stands at the front.
    while (this.#waiting[0]?.settled === true) this.#waiting.shift();
    this.#pump();
  }

  #remove(entry: Entry): boolean {
    if (!this.#inFlight.delete(entry)) return false;
    this.#inFlightBytes -= entry.message.body.length;
    return true;
  }

  #settle(entry: Entry, failure: Error | undefined): void {
    if (entry.settled) return;
    entry.settled = true;
    clearTimeout(entry.timer);
    if (failure === undefined) entry.outcome.resolve();
    else entry.outcome.reject(failure);
  }
}
