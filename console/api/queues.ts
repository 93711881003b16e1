import type { QueueDepth } from '../../core/ports/broker.ts';
import type { QueueAge } from '../../core/ports/ledger.ts';
import type { ControlStatus } from './control.ts';
import type { Rates } from './rates.ts';
import type { LiveQueue, QueueView } from './views.ts';

/** What is known of the queues at one moment. */
export interface QueueFacts {
  readonly depths: readonly QueueDepth[];
  readonly ages: readonly QueueAge[];
  readonly status: ControlStatus;
  readonly rates: Rates;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** The declared queues by interface and name: the broker counts, the ledger knows since when. */
export function toQueueViews(facts: QueueFacts): QueueView[] {
  const oldest = new Map(facts.ages.map((age) => [age.queue, age.oldestAt]));
  const labels = new Map(
    [...facts.status.listeners, ...facts.status.senders].map((each) => [each.queue, each.label]),
  );
  return facts.depths
    .map((depth) => {
      const oldestAt = oldest.get(depth.queue) ?? null;
      const label = labels.get(depth.queue);
      return {
        queue: depth.queue,
        interface: depth.interface,
        ...(label === undefined ? {} : { label }),
        ready: depth.ready,
        unsettled: depth.unsettled,
        dead: depth.dead,
        oldestAt,
        oldestAgeSeconds: oldestAt === null ? null : toAgeSeconds(oldestAt, facts.now),
        ratePerMinute: facts.rates.perMinute(depth.queue),
      };
    })
    .toSorted((a, b) => compare(a.interface, b.interface) || compare(a.queue, b.queue));
}

/** The same with the history that the live page draws. */
export function toLiveQueues(facts: QueueFacts): LiveQueue[] {
  return toQueueViews(facts).map((view) => ({ ...view, history: facts.rates.history(view.queue) }));
}

function toAgeSeconds(instant: string, now: number): number {
  return Math.max(0, Math.round((now - Date.parse(instant)) / 1000));
}

/** By code unit: the same order on every machine, whatever its language. */
function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
