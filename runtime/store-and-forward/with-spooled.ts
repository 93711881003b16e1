import type { Broker, QueueDepth } from '../../core/ports/broker.ts';
import { within } from '../spool/patience.ts';
import { findSpooled, spoolOf } from './spool-queues.ts';

/** Shorter than whoever asks for the depths waits. */
const patienceMs = 1_500;

/** The broker, which also counts what is spooled on this machine; that alone while it is away. */
export function withSpooled(remote: Broker, local: Broker): Broker {
  const countRemote = (): Promise<readonly QueueDepth[]> =>
    within(patienceMs, remote.depths()).catch(() => []);
  const countSpooled = async (): Promise<readonly QueueDepth[]> => {
    const depths = await local.depths();
    const spooled = new Set(findSpooled(depths).map(({ queue }) => spoolOf(queue)));
    return depths.filter(({ queue }) => spooled.has(queue));
  };
  return {
    declare: (queue) => remote.declare(queue),
    publish: (queue, envelope) => remote.publish(queue, envelope),
    publishEvent: (topic, envelope) => remote.publishEvent(topic, envelope),
    consume: (queue, options, handler) => remote.consume(queue, options, handler),
    depths: async () => (await Promise.all([countRemote(), countSpooled()])).flat(),
    close: () => remote.close(),
  };
}
