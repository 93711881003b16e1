import { formatDuration, parseDurationMs } from '../duration.ts';
import type { AlarmKind } from '../../console/api/alarms.ts';

/** The limits of one interface: numbers of messages, or milliseconds; a kind that is absent is not watched. */
export type AlarmLimits = Readonly<Partial<Record<AlarmKind, number>>>;

interface LimitSetting {
  readonly kind: AlarmKind;
  /** In Hilum's environment for all interfaces, in a tab's for its own. */
  readonly name: string;
  readonly unit: 'messages' | 'time';
}

const limitSettings: readonly LimitSetting[] = [
  { kind: 'backlog', name: 'HILUM_ALARM_BACKLOG', unit: 'messages' },
  { kind: 'oldest', name: 'HILUM_ALARM_OLDEST', unit: 'time' },
  { kind: 'silence', name: 'HILUM_ALARM_SILENCE', unit: 'time' },
  { kind: 'dead', name: 'HILUM_ALARM_DEAD', unit: 'messages' },
];

/** Of interfaces that name none: who sends how often nobody knows, so silence is not watched. */
const usualLimits: AlarmLimits = { backlog: 1_000, oldest: 15 * 60_000, dead: 1 };

export const hasTimeLimit = (kind: AlarmKind): boolean => kind === 'oldest' || kind === 'silence';

/**
 * The limits that `find` gives by name, over those that hold otherwise: a number, a duration (`15m`), or `off`.
 * With a problem in words for each that is none of these.
 */
export function readAlarmLimits(
  find: (name: string) => string | undefined,
  otherwise: AlarmLimits = usualLimits,
): { readonly limits: AlarmLimits; readonly problems: readonly string[] } {
  const limits: Partial<Record<AlarmKind, number | undefined>> = { ...otherwise };
  const problems: string[] = [];
  for (const { kind, name, unit } of limitSettings) {
    const text = find(name)?.trim() ?? '';
    if (text === '') continue;
    if (text === 'off') {
      limits[kind] = undefined;
      continue;
    }
    const value = unit === 'time' ? parseDurationMs(text) : parseCount(text);
    if (value !== undefined && value > 0) limits[kind] = value;
    else {
      const expected =
        unit === 'time' ? 'a duration such as 90s, 15m, 2h or 3d' : 'a number from 1';
      problems.push(`${name}: expected ${expected}, or off, found "${text}".`);
    }
  }
  return { limits: withoutAbsent(limits), problems };
}

function withoutAbsent(limits: Partial<Record<AlarmKind, number | undefined>>): AlarmLimits {
  return Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit !== undefined));
}

function parseCount(text: string): number | undefined {
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

/** A value or limit of this kind for people: `1200`, `15m`. */
export function formatAmount(kind: AlarmKind, value: number): string {
  if (!hasTimeLimit(kind)) return String(value);
  return formatDuration(Math.max(1_000, Math.round(value / 1_000) * 1_000));
}
