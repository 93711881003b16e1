import { randomUUID } from 'node:crypto';
import type { ChannelModel, ConsumeMessage } from 'amqplib';
import { fenceHeader, Lane } from './lane.ts';
import type { LaneOptions } from './lane.ts';
import type { AmqpMessage } from './message.ts';

const fenceAgainMs = 2_000;

/**
 * A lane of a number that the queue had before, which nothing new is published to. What is left in it is delivered;
 * it is empty when a fence that was published behind all has come, and everything before that is settled. Where
 * another process has the lane, the fence comes when that one is through.
 */
export class EarlierLane {
  readonly #lane: Lane;
  readonly #fences = new Set<string>();
  readonly #publishFence: (message: AmqpMessage) => Promise<void>;
  readonly #emptied = Promise.withResolvers<undefined>();
  /** The last one of ours: those of earlier channels stand before it. */
  #last: string | undefined;
  #passed = false;
  /** Fences of others, on this channel. */
  #kept = 0;
  #timer: NodeJS.Timeout | undefined;
  #generation = 0;

  constructor(
    options: Omit<LaneOptions, 'onFence' | 'onOpen' | 'onSettled'>,
    /** To this lane, with confirm. */
    publishFence: (message: AmqpMessage) => Promise<void>,
  ) {
    this.#publishFence = publishFence;
    this.#lane = new Lane({
      ...options,
      onFence: (message) => this.#meet(message),
      onOpen: () => this.#begin(),
      onSettled: () => this.#look(),
    });
  }

  /** Resolves when everything that was in it is settled; it then lets go of it. */
  get emptied(): Promise<void> {
    return this.#emptied.promise;
  }

  get lane(): Lane {
    return this.#lane;
  }

  open(model: ChannelModel): Promise<void> {
    return this.#lane.open(model);
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#generation += 1;
    await this.#lane.stop();
  }

  /** What was held when the channel was lost is in front of the next fence again. */
  #begin(): void {
    this.#passed = false;
    this.#kept = 0;
    this.#generation += 1;
    void this.#send(this.#generation);
  }

  async #send(generation: number): Promise<void> {
    if (generation !== this.#generation) return;
    const id = randomUUID();
    this.#fences.add(id);
    this.#last = id;
    try {
      await this.#publishFence({
        body: Buffer.alloc(0),
        properties: {
          messageId: id,
          persistent: true,
          mandatory: true,
          headers: { [fenceHeader]: Date.now() },
        },
      });
    } catch {
      // It may have been stored all the same: another one is no harm.
      this.#timer = setTimeout(() => void this.#send(generation), fenceAgainMs);
      this.#timer.unref();
    }
  }

  /** One of another process is kept for it: it gets it when this lane is let go of. */
  #meet(message: ConsumeMessage): boolean {
    const id: unknown = message.properties.messageId;
    if (typeof id === 'string' && this.#fences.delete(id)) {
      if (id === this.#last) this.#passed = true;
      return true;
    }
    this.#kept += 1;
    return false;
  }

  #look(): void {
    if (!this.#passed || this.#lane.unsettled > this.#kept) return;
    this.#passed = false;
    void this.stop().then(() => this.#emptied.resolve(undefined));
  }
}
