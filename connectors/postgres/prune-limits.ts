import type pg from 'pg';
import type { RetentionLimit } from '../../core/ports/retention.ts';
import { stateNumber } from './codes.ts';

/** The limits of every interface that the ledger knows, as statements take them. */
export interface Cutoffs {
  /** For {@link limitsTable}. */
  readonly values: readonly [
    numbers: readonly number[],
    endedMs: readonly number[],
    deadMs: readonly number[],
    endedAt: readonly string[],
  ];
  /** Nothing that was received at this time or later goes, of whatever interface; ms since 1970. */
  readonly endedMs: number;
  readonly anyMs: number;
}

/** The limits as a table, for the values of {@link Cutoffs} as the first of a statement. */
export const limitsTable = `unnest($1::int[], $2::bigint[], $3::bigint[], $4::text[])
  AS allowed(interface, ended_ms, dead_ms, ended_at)`;

const dead = stateNumber('dead-lettered');
/** Nothing more is to come of a message in one of these. */
const ended = (
  [
    'dead-lettered',
    'received',
    'refused',
    'duplicate',
    'processed',
    'delivered',
    'withdrawn',
  ] as const
).map(stateNumber);

/** Whether a row of `standing`, beside its limits, is older than these. */
export const isOld = `(CASE WHEN standing.received_ms IS NULL THEN standing.last_event_at < allowed.ended_at
  WHEN standing.state = ${dead} THEN standing.received_ms < allowed.dead_ms
  ELSE standing.received_ms < allowed.ended_ms END)`;

/** Whether such a row may go, if all of its correlation may. */
export const mayGo = `(${isOld} AND standing.state IN (${ended.join(', ')})
  AND NOT EXISTS (SELECT FROM waiting WHERE waiting.id = standing.id)
  AND NOT EXISTS (SELECT FROM parked WHERE parked.id = standing.id))`;

export async function readCutoffs(
  client: pg.Client,
  limits: readonly RetentionLimit[],
): Promise<Cutoffs> {
  const byName = new Map(limits.map((limit) => [limit.interface, limit]));
  const { rows } = await client.query<{ readonly number: number; readonly name: string }>(
    'SELECT number, name FROM interface',
  );
  const found = rows.map(({ name }) => byName.get(name) ?? byName.get(undefined));
  const toMs = (instant: string | undefined): number =>
    instant === undefined ? 0 : Date.parse(instant) || 0;
  const endedMs = found.map((limit) => toMs(limit?.before));
  const deadMs = found.map((limit) => toMs(limit?.deadBefore));
  return {
    values: [
      rows.map(({ number }) => number),
      endedMs,
      deadMs,
      found.map((limit) => limit?.before ?? ''),
    ],
    endedMs: Math.max(0, ...endedMs),
    anyMs: Math.max(0, ...endedMs, ...deadMs),
  };
}
