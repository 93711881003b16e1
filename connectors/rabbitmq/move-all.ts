import type { Channel, GetMessage } from 'amqplib';
import { setTimeout as pause } from 'node:timers/promises';
import type { Connection } from './connection.ts';
import { buildUnavailable, toAmqpFailure } from './failures.ts';
import { onThrowAwayChannel } from './topology.ts';

interface Options {
  /** The queue's name on the server. */
  readonly from: string;
  /** An exclusive queue of this name keeps others from moving meanwhile. */
  readonly lock: string;
  /** Resolves when the message is durable elsewhere. */
  readonly move: (message: GetMessage) => Promise<void>;
}

const lockedAgainMs = 200;

/**
 * Moves everything that a queue holds, one after the other, which keeps its order; of several that call it at the same
 * time each begins when the one before has ended. Resolves with the count when the queue is empty, but for what others
 * hold unsettled. Rejects with `broker-unavailable`, or as `move` does: the rest is where it was.
 */
export async function moveAll(connection: Connection, options: Options): Promise<number> {
  const { from, lock } = options;
  await take(connection, lock);
  try {
    return await onThrowAwayChannel(connection, async (channel) => {
      let moved = 0;
      for (;;) {
        // A count is no answer: a server that has just started says 0. Nor is what was looked at and let go, which
        // RabbitMQ puts behind others that it had to take back.
        const message = await connection.call(
          () => channel.get(from),
          `The queue ${from} cannot be read`,
        );
        if (message === false) return moved;
        await options.move(message);
        channel.ack(message);
        moved += 1;
      }
    });
  } finally {
    await release(connection, lock);
  }
}

/** An exclusive queue goes with its connection, however that ends. */
async function take(connection: Connection, lock: string): Promise<void> {
  const what = `The queue ${lock} cannot be declared`;
  for (;;) {
    try {
      await onThrowAwayChannel(connection, (channel) =>
        connection.call(() => channel.assertQueue(lock, { exclusive: true, durable: false }), what),
      );
      return;
    } catch (error) {
      if (toAmqpFailure(error).code !== 405) throw buildUnavailable(what, error);
      await pause(lockedAgainMs);
    }
  }
}

async function release(connection: Connection, lock: string): Promise<void> {
  const deleting = (channel: Channel) =>
    connection.call(() => channel.deleteQueue(lock), `The queue ${lock} cannot be deleted`);
  await onThrowAwayChannel(connection, deleting).catch(() => undefined);
}
