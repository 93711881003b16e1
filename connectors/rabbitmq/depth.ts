import type { ChannelModel } from 'amqplib';
import { buildUnavailable, toAmqpFailure } from './failures.ts';
import type { Names } from './topology.ts';
import { onThrowAwayChannel, retryStepsMs } from './topology.ts';

/**
 * Counts a queue, its retry queues and its dead-letter queue by passive declares, which need no plugin
 * and no permission beyond our own; undefined where the queue is gone. A server that has just started
 * answers 0 for a while.
 */
export async function countQueue(
  model: ChannelModel,
  names: Names,
  queue: string,
): Promise<{ readonly ready: number; readonly dead: number } | undefined> {
  try {
    return await onThrowAwayChannel(model, async (channel) => {
      const count = async (name: string): Promise<number> =>
        (await channel.checkQueue(name)).messageCount;
      let ready = await count(names.queue(queue));
      for (const stepMs of retryStepsMs) ready += await count(names.retry(queue, stepMs));
      return { ready, dead: await count(names.dead(queue)) };
    });
  } catch (error) {
    if (toAmqpFailure(error).code === 404) return undefined;
    throw buildUnavailable(`The queue ${queue} could not be counted`, error);
  }
}
