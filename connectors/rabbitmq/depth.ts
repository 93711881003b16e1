import type { ChannelModel } from 'amqplib';
import { buildUnavailable, toAmqpFailure } from './failures.ts';
import type { QueueMetrics } from './metrics.ts';
import type { Names } from './names.ts';
import { laneNames } from './names.ts';
import { onThrowAwayChannel, retryStepsMs } from './topology.ts';

/** A queue and the numbers of lanes that it has, or has had. */
export interface Countable {
  readonly queue: string;
  readonly laneCounts: readonly number[];
}

export interface Counts {
  readonly ready: number;
  /** Absent where the source cannot tell. */
  readonly unsettled?: number;
  readonly dead: number;
}

/**
 * Counts a queue, its lanes, its retry queues and its dead-letter queue by passive declares, which need no plugin
 * and no permission beyond our own; undefined where the queue is gone. A server that has just started
 * answers 0 for a while.
 */
export async function countQueue(
  model: ChannelModel,
  names: Names,
  countable: Countable,
): Promise<Counts | undefined> {
  try {
    return await onThrowAwayChannel(model, async (channel) => {
      let ready = 0;
      for (const name of [...workNames(names, countable), ...retryNames(names, countable)]) {
        ready += (await channel.checkQueue(name)).messageCount;
      }
      const { messageCount } = await channel.checkQueue(names.dead(countable.queue));
      return { ready, dead: messageCount };
    });
  } catch (error) {
    if (toAmqpFailure(error).code === 404) return undefined;
    throw buildUnavailable(`The queue ${countable.queue} could not be counted`, error);
  }
}

/** The same from metrics; undefined where one of its queues is not among them (made a moment ago). */
export function sumQueue(
  metrics: ReadonlyMap<string, QueueMetrics>,
  names: Names,
  countable: Countable,
): Counts | undefined {
  const work = workNames(names, countable).map((name) => metrics.get(name));
  const retries = retryNames(names, countable).map((name) => metrics.get(name));
  const dead = metrics.get(names.dead(countable.queue));
  let ready = 0;
  let unsettled = 0;
  for (const each of [...work, ...retries]) {
    if (each === undefined) return undefined;
    ready += each.ready;
    unsettled += each.unacknowledged;
  }
  return dead === undefined ? undefined : { ready, unsettled, dead: dead.ready };
}

function workNames(names: Names, { queue, laneCounts }: Countable): readonly string[] {
  return [names.queue(queue), ...laneCounts.flatMap((count) => laneNames(names, queue, count))];
}

function retryNames(names: Names, { queue }: Countable): readonly string[] {
  return retryStepsMs.map((stepMs) => names.retry(queue, stepMs));
}
