import type { Connection } from './connection.ts';
import { buildUnavailable, toAmqpFailure } from './failures.ts';
import type { QueueMetrics } from './metrics.ts';
import type { Names } from './names.ts';
import { laneNames } from './names.ts';
import { onThrowAwayChannel, retryStepsMs } from './topology.ts';

/** A queue and how many lanes it has, those from before included. */
export interface Countable {
  readonly queue: string;
  readonly lanes: number;
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
  connection: Connection,
  names: Names,
  countable: Countable,
): Promise<Counts | undefined> {
  try {
    return await onThrowAwayChannel(connection, async (channel) => {
      const count = async (name: string): Promise<number> => {
        const asking = (): PromiseLike<{ messageCount: number }> => channel.checkQueue(name);
        return (await connection.call(asking, `The queue ${name} cannot be counted`)).messageCount;
      };
      let ready = 0;
      for (const name of [...workNames(names, countable), ...retryNames(names, countable)]) {
        ready += await count(name);
      }
      return { ready, dead: await count(names.dead(countable.queue)) };
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

function workNames(names: Names, { queue, lanes }: Countable): readonly string[] {
  return [names.queue(queue), ...laneNames(names, queue, lanes)];
}

function retryNames(names: Names, { queue }: Countable): readonly string[] {
  return retryStepsMs.map((stepMs) => names.retry(queue, stepMs));
}
