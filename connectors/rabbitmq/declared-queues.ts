import type { Message } from 'amqplib';
import { findFailure } from '../../core/errors.ts';
import type { QueueDefinition } from '../../core/ports/broker.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Connection } from './connection.ts';
import { toAmqpFailure } from './failures.ts';
import { toLaneCount } from './lane-choice.ts';
import { moveAll } from './move-all.ts';
import type { Names } from './names.ts';
import { countLanes, declareEvents, declareQueue } from './topology.ts';

export interface Declared {
  readonly definition: QueueDefinition;
  /** How many lanes it has; 0: it is not in order. */
  readonly lanes: number;
  /** How many there are on the server: more where it had more before. */
  readonly lanesThere: number;
}

interface Options {
  readonly names: Names;
  readonly logger: Logger;
  /** Resolves when what was being published is in its queue. */
  readonly published: () => Promise<void>;
  /** Puts a message as it is into its lane. */
  readonly moveHome: (queue: string, message: Message, lanes: number) => Promise<void>;
}

/** The queues that this client has declared: made again on every new connection. */
export class DeclaredQueues {
  readonly #options: Options;
  readonly #declared = new Map<string, Declared>();
  /** One declaration of a queue after the other. */
  readonly #declaring = new Map<string, Promise<void>>();
  /** What is to be published to a queue while what it held goes into its lanes. */
  readonly #held = new Map<string, ((lanes: number) => void)[]>();

  constructor(options: Options) {
    this.#options = options;
  }

  find(queue: string): Declared | undefined {
    return this.#declared.get(queue);
  }

  all(): readonly Declared[] {
    return [...this.#declared.values()];
  }

  /**
   * Makes it exist. Where it begins to have lanes, what it holds is in them first, in its order: nothing that is
   * published from then on overtakes it. Rejects with `broker-topology-differs` or `broker-unavailable`.
   */
  async declare(connection: Connection, definition: QueueDefinition): Promise<void> {
    const { name } = definition;
    const before = this.#declaring.get(name) ?? Promise.resolve();
    const declaring = before
      .catch(() => undefined)
      .then(() => this.#declare(connection, definition));
    this.#declaring.set(name, declaring);
    try {
      await declaring;
    } finally {
      if (this.#declaring.get(name) === declaring) this.#declaring.delete(name);
    }
  }

  /** Again, since a part of it is missing; it may have been declared by nobody yet. */
  async repair(connection: Connection, queue: string): Promise<void> {
    const { definition = { name: queue, interface: '' }, lanesThere = 0 } = this.find(queue) ?? {};
    await declareQueue(connection, this.#options.names, { definition, lanesThere });
  }

  /** On every new connection: what was deleted while we were away, by hand or with the server. */
  async recover(connection: Connection): Promise<void> {
    const { names, logger } = this.#options;
    await declareEvents(connection, names);
    for (const declared of this.#declared.values()) {
      const { definition } = declared;
      try {
        await declareQueue(connection, names, declared);
      } catch (error) {
        if (findFailure(error)?.errorClass !== 'permanent') throw error;
        // One queue that differs now must not keep the others waiting.
        const { message } = toAmqpFailure(error);
        logger.error({ queue: definition.name, reason: message }, 'A queue is not ours any more');
      }
    }
  }

  /**
   * Calls `send` with the number of the queue's lanes, 0 where it is not known to have some: at once, or in the order
   * of the calls when what it held is in its lanes.
   */
  withLanes(queue: string, send: (lanes: number) => Promise<void>): Promise<void> {
    const held = this.#held.get(queue);
    if (held === undefined) return send(this.find(queue)?.lanes ?? 0);
    return new Promise((resolve, reject) => {
      held.push((lanes) => {
        send(lanes).then(resolve, reject);
      });
    });
  }

  async #declare(connection: Connection, definition: QueueDefinition): Promise<void> {
    const { names } = this.#options;
    const { name } = definition;
    const former = this.find(name);
    const lanes = toLaneCount(definition.order);
    const known = Math.max(lanes, former?.lanesThere ?? 0);
    const lanesThere =
      former?.lanesThere === known
        ? known
        : await countLanes(connection, names, { queue: name, known });
    await declareQueue(connection, names, { definition, lanesThere });
    const topics = [
      ...new Set([...(former?.definition.topics ?? []), ...(definition.topics ?? [])]),
    ];
    const declared = { definition: { ...definition, topics }, lanes, lanesThere };
    if (lanes === 0 || (former?.lanes ?? 0) > 0) this.#declared.set(name, declared);
    else await this.#begin(connection, declared);
  }

  async #begin(connection: Connection, declared: Declared): Promise<void> {
    const { names, published, moveHome, logger } = this.#options;
    const { definition, lanes } = declared;
    const { name } = definition;
    const held: ((lanes: number) => void)[] = [];
    this.#held.set(name, held);
    try {
      await published();
      const moved = await moveAll(connection, {
        from: names.queue(name),
        lock: names.moving(name),
        move: (message) => moveHome(name, message, lanes),
        onProgress: (moved) =>
          logger.info({ queue: name, moved }, 'What waited in a queue goes into its lanes'),
        onOvertaken: (overtaken) =>
          logger.error(
            { queue: name, overtaken },
            'A message could not be moved into its lane, and some that came after it are there already',
          ),
      });
      if (moved > 0) logger.info({ queue: name, moved }, 'What waited in a queue is in its lanes');
      this.#declared.set(name, declared);
    } finally {
      this.#held.delete(name);
      const now = this.find(name)?.lanes ?? 0;
      for (const send of held) send(now);
    }
  }
}
