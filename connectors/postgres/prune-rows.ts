import type pg from 'pg';
import type { PruneRequest, PruneResult } from '../../core/ports/retention.ts';
import { listParts } from './parts.ts';
import { isOld, limitsTable, mayGo, type Cutoffs } from './prune-limits.ts';
import { partitionedTables } from './schema.ts';

interface Candidate {
  readonly id: string;
  readonly correlation: string;
  readonly received_ms: number;
  readonly bytes: number;
}

interface Member {
  readonly id: string;
  readonly correlation: string;
  readonly goes: boolean;
  readonly bytes: number;
}

/**
 * One step of removing messages one by one, by their time of receipt: those of the rest, and of parts that are old as a
 * whole. What is in younger parts waits for them to be dropped.
 */
export async function pruneRows(
  client: pg.Client,
  request: PruneRequest & { readonly after: number },
  cutoffs: Cutoffs,
): Promise<Omit<PruneResult, 'dead'>> {
  const candidates = await findCandidates(client, request, cutoffs);
  const old = candidates.filter(({ is_old }) => is_old);
  let next = candidates.length < request.limit ? undefined : candidates.at(-1)?.received_ms;
  const step = { removed: 0, bytes: 0, kept: 0 };
  await client.query('BEGIN');
  try {
    const goes = await findGoing(client, old, cutoffs);
    if (request.isDryRun === true) {
      for (const { correlation, bytes } of old) {
        if (!goes.has(correlation)) step.kept += 1;
        else {
          step.removed += 1;
          step.bytes += bytes;
        }
      }
    } else {
      const members: Member[] = [];
      const taken = new Set<string>();
      for (const { correlation, received_ms } of old) {
        const all = goes.get(correlation);
        if (all === undefined) step.kept += 1;
        else if (!taken.has(correlation)) {
          taken.add(correlation);
          // In pieces where it is a large one: the rest of it is old as well, and goes with the next step.
          members.push(...all.slice(0, request.limit));
          if (all.length > request.limit) {
            next = received_ms - 1;
            break;
          }
        }
      }
      step.removed = members.length;
      step.bytes = members.reduce((sum, { bytes }) => sum + bytes, 0);
      await remove(client, members, step.bytes);
    }
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
  if (next === undefined && request.isDryRun !== true) await forgetStrays(client, cutoffs);
  return { ...step, ...(next === undefined ? {} : { next }) };
}

/** By the time of receipt, all of one instant or none. */
async function findCandidates(
  client: pg.Client,
  { after, limit, isDryRun = false }: PruneRequest & { readonly after: number },
  cutoffs: Cutoffs,
): Promise<readonly (Candidate & { readonly is_old: boolean })[]> {
  const young = (await listParts(client)).filter(({ endMs }) => endMs > cutoffs.endedMs);
  const [first, last] = [young[0], young.at(-1)];
  const outside =
    first === undefined || last === undefined
      ? ''
      : `AND (message.id < '${first.startId}' OR message.id >= '${last.endId}')`;
  const { rows } = await client.query<Candidate & { readonly is_old: boolean }>(
    `SELECT message.id, correlation_id AS correlation, message.received_ms, bytes, ${isOld} IS TRUE AS is_old
     FROM message JOIN standing ON standing.id = message.id
     LEFT JOIN ${limitsTable} ON allowed.interface = standing.interface
     WHERE message.received_ms + 0 > $5 AND message.received_ms + 0 < $6 ${outside}
     ORDER BY message.received_ms + 0 FETCH FIRST ($7::int) ROWS WITH TIES`,
    [...cutoffs.values, after, cutoffs.anyMs, isDryRun ? limit : Math.max(1, limit)],
  );
  return rows;
}

/** Of these correlations those that may go, with all their messages, the first of them last: the others are found by it. */
async function findGoing(
  client: pg.Client,
  candidates: readonly Candidate[],
  cutoffs: Cutoffs,
): Promise<ReadonlyMap<string, readonly Member[]>> {
  const correlations = [...new Set(candidates.map(({ correlation }) => correlation))].sort();
  if (correlations.length === 0) return new Map();
  // Nothing befalls them meanwhile.
  await client.query(
    `SELECT FROM standing WHERE id IN (
       SELECT unnest($1::text[]) UNION
       SELECT id FROM message WHERE correlation_id = ANY($1) AND correlation_id <> id)
     ORDER BY id FOR UPDATE`,
    [correlations],
  );
  const { rows } = await client.query<Member>(
    `SELECT member.id, correlation, bytes, ${mayGo} IS TRUE AS goes
     FROM (
       SELECT id, correlation_id AS correlation, bytes FROM message
         WHERE correlation_id = ANY($5) AND correlation_id <> id
       UNION ALL SELECT id, id, bytes FROM message WHERE id = ANY($5)) AS member
     JOIN standing ON standing.id = member.id
     LEFT JOIN ${limitsTable} ON allowed.interface = standing.interface
     ORDER BY member.id = correlation`,
    [...cutoffs.values, correlations],
  );
  const all = new Map<string, Member[]>();
  for (const member of rows) {
    const of = all.get(member.correlation);
    if (of === undefined) all.set(member.correlation, [member]);
    else of.push(member);
  }
  return new Map([...all].filter(([, members]) => members.every(({ goes }) => goes)));
}

async function remove(client: pg.Client, members: readonly Member[], bytes: number): Promise<void> {
  if (members.length === 0) return;
  const ids = members.map(({ id }) => id);
  await client.query(
    `UPDATE pruned SET messages = messages + $2, bytes = bytes + $3,
       events = events + (SELECT coalesce(sum(count), 0)::bigint FROM event WHERE id = ANY($1))`,
    [ids, members.length, bytes],
  );
  for (const table of partitionedTables) {
    await client.query(`DELETE FROM ${table} WHERE id = ANY($1)`, [ids]);
  }
}

/** Events that came for what was gone already. */
async function forgetStrays(client: pg.Client, cutoffs: Cutoffs): Promise<void> {
  await client.query(
    `WITH gone AS (
       DELETE FROM standing_rest AS standing USING ${limitsTable}
       WHERE allowed.interface = standing.interface AND standing.received_ms IS NULL AND ${mayGo}
       RETURNING standing.id),
     changes AS (DELETE FROM payload_change_rest WHERE id IN (SELECT id FROM gone)),
     events AS (DELETE FROM event_rest WHERE id IN (SELECT id FROM gone) RETURNING count)
     UPDATE pruned SET events = events + (SELECT coalesce(sum(count), 0)::bigint FROM events)
     WHERE EXISTS (SELECT FROM gone)`,
    [...cutoffs.values],
  );
}
