import type { QueueDepth } from '../../core/ports/broker.ts';

const prefix = 'spool.';

/** The queue of this machine where messages for another one lie. */
export function spoolOf(queue: string): string {
  return `${prefix}${queue}`;
}

/** What lies here for which queue. */
export function findSpooled(
  depths: readonly QueueDepth[],
): readonly { readonly queue: string; readonly interface: string; readonly waiting: number }[] {
  return depths
    .filter(({ queue }) => queue.startsWith(prefix))
    .map(({ queue, interface: owner, ready, unsettled }) => ({
      queue: queue.slice(prefix.length),
      interface: owner,
      waiting: ready + unsettled,
    }));
}
