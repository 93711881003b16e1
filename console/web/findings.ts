import type { AlarmKind } from '../api/alarms.ts';
import type { UnmappedView } from '../api/unmapped.ts';
import type { StatusView, QueueView } from '../api/views.ts';
import { toAge, toShortTime } from './time.ts';

/** Something that a person should look at, the worst first. */
export interface Finding {
  readonly key: string;
  readonly severity: 'alarm' | 'error' | 'warning';
  /** What, since when and why. */
  readonly text: string;
  /** Where the messages behind it are found: their state. */
  readonly state?: 'dead-lettered' | 'queued' | 'retrying';
  readonly interface?: string;
}

/** So many codes are asked for, those that are waited for longest. */
export const mostUnmapped = 200;

/** A message that waits longer than this in a queue is told about. */
const stuckSeconds = 60;

/** Reads out of the engine's state what is stuck, since when, and why. */
export function findFindings(facts: {
  readonly queues: readonly QueueView[];
  readonly status: StatusView;
  readonly unmapped: readonly UnmappedView[];
  readonly now: number;
}): Finding[] {
  const { queues, status, unmapped, now } = facts;
  // What an alarm tells of a queue is not told again.
  const isToldOf = (kind: AlarmKind, queue: string): boolean =>
    status.alarms.some((alarm) => alarm.kind === kind && alarm.queue === queue);
  return [
    ...status.alarms.map((alarm): Finding => {
      const state = statesOf[alarm.kind];
      return {
        key: `alarm ${alarm.id}`,
        severity: 'alarm',
        text: `${alarm.message} Since ${toShortTime(alarm.since, now)}.`,
        interface: alarm.interface,
        ...(state === undefined ? {} : { state }),
      };
    }),
    ...status.processes
      .filter(({ state }) => state === 'stopped' || state === 'restarting')
      .map(({ role, state, since, restarts }): Finding => {
        const when = since === undefined ? '' : ` since ${toShortTime(since, now)}`;
        const often = restarts === undefined || restarts === 0 ? '' : ` (restart ${restarts})`;
        return {
          key: `process ${role}`,
          severity: 'error',
          text: `The ${role} process is ${state}${when}${often}.`,
        };
      }),
    ...status.interfaces
      .filter(({ state }) => state === 'stopped')
      .map(({ id, label, cause, since, reason = '' }): Finding => {
        const when = since === undefined ? '' : ` since ${toShortTime(since, now)}`;
        return {
          key: `interface ${id}`,
          severity: cause === 'crash' ? 'error' : 'warning',
          text: `“${label}” is stopped${when}. ${reason}`,
          interface: id,
        };
      }),
    ...status.listeners
      .filter(({ state }) => state === 'failed')
      .map((listener): Finding => ({
        key: `listener ${listener.id}`,
        severity: 'error',
        text: `“${listener.label}” takes no messages on ${listener.host}:${listener.port}: ${listener.reason ?? 'it failed'}`,
      })),
    ...status.senders
      .filter(({ state }) => state === 'failing')
      .map((sender): Finding => ({
        key: `sender ${sender.id}`,
        severity: 'error',
        text: `“${sender.label}” cannot deliver to ${sender.target}: ${sender.reason ?? 'it fails'}`,
        state: 'retrying',
        interface: sender.interface,
      })),
    ...queues
      .filter(({ dead, queue }) => dead > 0 && !isToldOf('dead', queue))
      .map((queue): Finding => ({
        key: `dead ${queue.queue}`,
        severity: 'error',
        text: `${plural(queue.dead, 'message')} given up in “${queue.label ?? queue.queue}”.`,
        state: 'dead-lettered',
        interface: queue.interface,
      })),
    ...toHeld(unmapped, now),
    ...queues.flatMap((queue): Finding[] => {
      if (queue.oldestAt === null || isToldOf('oldest', queue.queue)) return [];
      const seconds = (now - Date.parse(queue.oldestAt)) / 1000;
      if (seconds < stuckSeconds) return [];
      const waiting = queue.ready + queue.unsettled;
      return [
        {
          key: `stuck ${queue.queue}`,
          severity: 'warning',
          text: `${plural(waiting, 'message')} not yet through “${queue.label ?? queue.queue}”, the oldest since ${toShortTime(queue.oldestAt, now)} (${toAge(seconds)}).`,
        },
      ];
    }),
  ];
}

/** One for all codes: the table below has each. Several messages may wait for more than one. */
function toHeld(unmapped: readonly UnmappedView[], now: number): readonly Finding[] {
  const open = unmapped.filter(({ isMapped }) => !isMapped);
  const [first] = open;
  if (first === undefined) return [];
  const orMore = unmapped.length < mostUnmapped ? '' : ' or more';
  const most = open.reduce((sum, { messages }) => sum + messages, 0);
  const codes =
    open.length === 1
      ? `a code that table ${first.table} lacks`
      : `${open.length}${orMore} codes that no table has`;
  const since = toShortTime(first.firstAt, now);
  const text = `${plural(most, 'message')}${orMore} held for ${codes}, since ${since}: see “Unmapped codes”.`;
  return [{ key: 'unmapped', severity: 'warning', text }];
}

/** Where the messages behind an alarm are found. */
const statesOf: Readonly<Partial<Record<AlarmKind, Finding['state']>>> = {
  dead: 'dead-lettered',
  backlog: 'queued',
  oldest: 'queued',
};

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
