import type { InterfaceDefinitions } from '../../core/interface.ts';
import type { QueueDepth } from '../../core/ports/broker.ts';
import type { QueueAge } from '../../core/ports/ledger.ts';
import type { Reading } from './alarms.ts';
import type { AlarmLimits } from './limits.ts';

/** What is known at one moment. */
export interface Measured {
  readonly definitions: Pick<InterfaceDefinitions, 'listeners' | 'queues'>;
  readonly limitsOf: (owner: string) => AlarmLimits;
  readonly depths: readonly QueueDepth[];
  readonly ages: readonly QueueAge[];
  /** Milliseconds of silence by interface. */
  readonly silent: ReadonlyMap<string, number>;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Every figure that has a limit, by queue and, where it is silence, by interface. */
export function measure(measured: Measured): readonly Reading[] {
  const { definitions, limitsOf, silent } = measured;
  const depths = new Map(measured.depths.map((depth) => [depth.queue, depth]));
  const ages = new Map(measured.ages.map((age) => [age.queue, age]));
  const readings: Reading[] = [];
  for (const { name: queue, interface: owner } of definitions.queues) {
    const limits = limitsOf(owner);
    const depth = depths.get(queue);
    const age = ages.get(queue);
    const about = { interface: owner, queue };
    if (limits.backlog !== undefined) {
      // The ledger counts those that are set aside, the broker copies of events and just after a start not all.
      const value = depth && Math.max(depth.ready, age?.waiting ?? 0);
      readings.push({ kind: 'backlog', ...about, value, limit: limits.backlog });
    }
    if (limits.oldest !== undefined) {
      const oldestAt = age?.oldestAt;
      const value = oldestAt === undefined ? 0 : measured.now - Date.parse(oldestAt);
      readings.push({ kind: 'oldest', ...about, value, limit: limits.oldest });
    }
    if (limits.dead !== undefined) {
      readings.push({ kind: 'dead', ...about, value: depth?.dead, limit: limits.dead });
    }
  }
  for (const owner of findListening(definitions)) {
    const { silence } = limitsOf(owner);
    if (silence === undefined) continue;
    readings.push({ kind: 'silence', interface: owner, value: silent.get(owner), limit: silence });
  }
  return readings;
}

/** The interfaces that receive: those of the listeners. */
export function findListening({
  listeners,
}: Pick<InterfaceDefinitions, 'listeners'>): readonly string[] {
  return [...new Set(listeners.map(({ interface: owner }) => owner))];
}
