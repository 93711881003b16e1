import type { AlarmKind } from '../../console/api/alarms.ts';

/** What was measured of an interface, or of one of its queues, against its limit. */
export interface Reading {
  readonly kind: AlarmKind;
  readonly interface: string;
  readonly queue?: string;
  /** Messages or milliseconds; undefined: it could not be measured, which says nothing. */
  readonly value: number | undefined;
  readonly limit: number;
}

/** An alarm that stands, as it is kept. */
export interface StandingAlarm {
  readonly id: string;
  readonly kind: AlarmKind;
  readonly interface: string;
  readonly queue?: string;
  /** ISO 8601 instant. */
  readonly since: string;
  readonly value: number;
  readonly limit: number;
}

export interface AlarmChange {
  readonly event: 'started' | 'ended';
  readonly alarm: StandingAlarm;
  /** It ended because nobody watches that any more: the limit or the queue is gone. */
  readonly isUnwatched?: boolean;
}

/** An alarm ends at this part of its limit, so that a figure that swings about the limit is one alarm. */
const endsAt = 0.8;
/** So many looks in a row must agree before an alarm starts or ends. */
const looksInARow = 2;

/**
 * Which alarms stand: one starts when its figure has reached the limit at two looks in a row, and ends when it was
 * below four fifths of it at two looks in a row. What could not be measured changes nothing.
 */
export class Alarms {
  readonly #newId: () => string;
  readonly #standing = new Map<string, StandingAlarm>();
  /** How many looks in a row spoke for a change. */
  readonly #turning = new Map<string, number>();

  constructor(standing: readonly StandingAlarm[], newId: () => string) {
    this.#newId = newId;
    for (const alarm of standing) this.#standing.set(keyOf(alarm), alarm);
  }

  standing(): readonly StandingAlarm[] {
    return [...this.#standing.values()];
  }

  /** Takes in one look; `at` is its ISO 8601 instant. What changed comes in the order of the readings. */
  observe(readings: readonly Reading[], at: string): readonly AlarmChange[] {
    const changes: AlarmChange[] = [];
    const watched = new Set(readings.map(keyOf));
    for (const reading of readings) {
      const change = this.#observe(reading, at);
      if (change !== undefined) changes.push(change);
    }
    for (const [key, alarm] of this.#standing) {
      if (watched.has(key)) continue;
      this.#standing.delete(key);
      changes.push({ event: 'ended', alarm, isUnwatched: true });
    }
    for (const key of this.#turning.keys()) if (!watched.has(key)) this.#turning.delete(key);
    return changes;
  }

  #observe({ value, ...reading }: Reading, at: string): AlarmChange | undefined {
    if (value === undefined) return undefined;
    const key = keyOf(reading);
    const standing = this.#standing.get(key);
    const isTurning =
      standing === undefined ? value >= reading.limit : value < endsAt * reading.limit;
    if (standing !== undefined) {
      this.#standing.set(key, { ...standing, value, limit: reading.limit });
    }
    const looks = isTurning ? (this.#turning.get(key) ?? 0) + 1 : 0;
    if (looks < looksInARow) {
      this.#turning.set(key, looks);
      return undefined;
    }
    this.#turning.delete(key);
    if (standing === undefined) {
      const alarm = { id: this.#newId(), ...reading, since: at, value };
      this.#standing.set(key, alarm);
      return { event: 'started', alarm };
    }
    this.#standing.delete(key);
    return { event: 'ended', alarm: { ...standing, value, limit: reading.limit } };
  }
}

function keyOf({ kind, interface: owner, queue }: Omit<Reading, 'value' | 'limit'>): string {
  return JSON.stringify([kind, owner, queue ?? null]);
}
