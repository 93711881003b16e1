import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { ChannelModel } from 'amqplib';
import { findFailure } from '../../core/errors.ts';
import { toAmqpFailure } from './failures.ts';
import { laneCounts } from './lane-choice.ts';
import type { Names } from './names.ts';
import type { Publisher } from './publisher.ts';
import { knownLanesKey, onThrowAwayChannel } from './topology.ts';

const unknownLanes = 'lanes-unknown';
const patienceMs = 2_000;

/**
 * Which numbers of lanes a queue has ever had. What exists on the server can be asked for only at the price of
 * an error in its log for what does not; so every number leaves a binding behind, and whether that is there
 * shows in whether a message is routed, to a queue that keeps none.
 */
export async function findKnownLanes(
  queue: string,
  {
    names,
    publisher,
    model,
  }: { readonly names: Names; readonly publisher: Publisher; readonly model: ChannelModel },
): Promise<readonly number[]> {
  const isKnown = async (count: number): Promise<boolean> => {
    const routed = publisher.takes
      ? await within(patienceMs, isRouted(publisher, names.known, knownLanesKey(queue, count)))
      : undefined;
    // While publishers are blocked, and whoever consumes must start to relieve RabbitMQ, the price is paid.
    return routed ?? exists(model, names.lane(queue, 0, count));
  };
  const known = await Promise.all(
    laneCounts.map(async (count) => [count, await isKnown(count)] as const),
  );
  return known.flatMap(([count, is]) => (is ? [count] : []));
}

/** What comes of it, or undefined where it takes longer or fails. */
async function within<Result>(ms: number, promise: Promise<Result>): Promise<Result | undefined> {
  const failed = promise.catch(() => undefined);
  return Promise.race([failed, pause(ms, undefined, { ref: false })]);
}

async function isRouted(publisher: Publisher, exchange: string, key: string): Promise<boolean> {
  try {
    await publisher.publish(
      { exchange, routingKey: key, buildUnroutable: () => new Error(unknownLanes) },
      {
        body: Buffer.alloc(0),
        properties: { messageId: randomUUID(), mandatory: true, headers: {} },
      },
    );
    return true;
  } catch (error) {
    if (findFailure(error) !== undefined || !(error instanceof Error)) throw error;
    if (error.message !== unknownLanes) throw error;
    return false;
  }
}

async function exists(model: ChannelModel, name: string): Promise<boolean> {
  try {
    await onThrowAwayChannel(model, (channel) => channel.checkQueue(name));
    return true;
  } catch (error) {
    if (toAmqpFailure(error).code === 404) return false;
    throw error;
  }
}
