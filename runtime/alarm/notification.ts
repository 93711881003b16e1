import type { AlarmKind, AlarmView } from '../../console/api/alarms.ts';
import type { AlarmChange, StandingAlarm } from './alarms.ts';
import { formatAmount, hasTimeLimit } from './limits.ts';

/** The body of a post: `id` and `event` together are told once, or again after a crash. */
export interface Notification extends AlarmView {
  readonly event: 'started' | 'ended' | 'test';
  /** When it was made, ISO 8601 UTC. */
  readonly at: string;
  readonly product: 'hilum';
}

/** The names for people that go with ids. */
export interface Names {
  readonly interfaces: ReadonlyMap<string, string>;
  /** Listeners and senders, by queue. */
  readonly queues: ReadonlyMap<string, string>;
}

/** An alarm as the API shows it. */
export function toAlarmView(alarm: StandingAlarm, names: Names): AlarmView {
  const { kind, queue, value, limit } = alarm;
  const interfaceLabel = names.interfaces.get(alarm.interface);
  const label = queue === undefined ? undefined : names.queues.get(queue);
  const isTime = hasTimeLimit(kind);
  return {
    id: alarm.id,
    kind,
    interface: alarm.interface,
    ...(interfaceLabel === undefined ? {} : { interfaceLabel }),
    ...(queue === undefined ? {} : { queue }),
    ...(label === undefined ? {} : { label }),
    since: alarm.since,
    value: isTime ? Math.round(value / 1_000) : value,
    limit: isTime ? limit / 1_000 : limit,
    unit: isTime ? 'seconds' : 'messages',
    message: toSentence(alarm, interfaceLabel ?? alarm.interface, label ?? queue ?? ''),
  };
}

/** What is told of a change. */
export function toNotification(change: AlarmChange, names: Names, at: string): Notification {
  const view = toAlarmView(change.alarm, names);
  const over = change.isUnwatched === true ? 'It is not watched any more' : 'It is over';
  const message = change.event === 'ended' ? `${over}. ${view.message}` : view.message;
  return { ...view, message, event: change.event, at, product: 'hilum' };
}

/** One that says nothing but that it arrives. */
export function buildTestNotification(id: string, at: string): Notification {
  return {
    id,
    event: 'test',
    kind: 'backlog',
    interface: 'test',
    since: at,
    at,
    value: 0,
    limit: 1,
    unit: 'messages',
    message: 'A test of the way that alarms take. Nothing is wrong.',
    product: 'hilum',
  };
}

const sentences: Readonly<
  Record<AlarmKind, (where: string, value: string, limit: string) => string>
> = {
  backlog: (where, value, limit) => `${where}: ${value} messages wait (limit ${limit}).`,
  oldest: (where, value, limit) => `${where}: the oldest waits for ${value} (limit ${limit}).`,
  dead: (where, value, limit) => `${where}: dead letters: ${value} (limit ${limit}).`,
  silence: (where, value, limit) => `${where}: nothing received for ${value} (limit ${limit}).`,
};

function toSentence({ kind, value, limit }: StandingAlarm, owner: string, queue: string): string {
  const where = queue === '' ? `"${owner}"` : `"${owner}", ${queue}`;
  return sentences[kind](where, formatAmount(kind, value), formatAmount(kind, limit));
}
