import type pg from 'pg';
import type { PruneResult } from '../../core/ports/retention.ts';
import { sqlStateOf } from './failures.ts';
import { listParts, type Part } from './parts.ts';
import { limitsTable, mayGo, type Cutoffs } from './prune-limits.ts';
import { partitionedTables } from './schema.ts';

/** Of a part of which more stays than this, messages go one by one. */
const shareThatMayStay = 0.2;
const numberThatMayStay = 1_000;
/** Whoever reads or writes meanwhile goes first; the next run tries again. */
const lockTimeoutMs = 1_000;
const lockNotAvailable = '55P03';

/** The first part after `afterMs` that is old as a whole, and of which little stays. */
export async function findOldPart(
  client: pg.Client,
  cutoffs: Cutoffs,
  afterMs: number,
): Promise<Part | undefined> {
  for (const part of await listParts(client)) {
    if (part.endMs <= afterMs) continue;
    if (part.endMs > cutoffs.endedMs) return undefined;
    const all = await count(client, `SELECT FROM standing_${part.name}`);
    const few = Math.max(numberThatMayStay, Math.floor(all * shareThatMayStay));
    const stays = await count(
      client,
      `SELECT FROM standing_${part.name} AS standing
       LEFT JOIN ${limitsTable} ON allowed.interface = standing.interface
       WHERE ${mayGo} IS NOT TRUE LIMIT ${few + 1}`,
      cutoffs.values,
    );
    if (stays <= few) return part;
  }
  return undefined;
}

/**
 * Drops the tables of a part; what must stay, or belongs to what is elsewhere, goes into the rest. Appends wait
 * meanwhile, some seconds for a million messages.
 */
export async function dropPart(
  client: pg.Client,
  part: Part,
  cutoffs: Cutoffs,
): Promise<Pick<PruneResult, 'removed' | 'bytes' | 'kept'>> {
  await client.query('BEGIN');
  try {
    await client.query(`SET LOCAL lock_timeout = ${lockTimeoutMs}`);
    await client.query(`LOCK TABLE standing_${part.name} IN EXCLUSIVE MODE`);
    await findKept(client, part, cutoffs);
    const figures = await client.query<{
      readonly removed: number;
      readonly bytes: number;
      readonly events: number;
      readonly kept: number;
    }>(
      `SELECT (SELECT count(*) FROM kept) AS kept,
        (SELECT count(*) FROM standing_${part.name} WHERE id NOT IN (SELECT id FROM kept)) AS removed,
        (SELECT coalesce(sum(bytes), 0)::bigint FROM message_${part.name}
          WHERE id NOT IN (SELECT id FROM kept)) AS bytes,
        (SELECT coalesce(sum(count), 0)::bigint FROM event_${part.name}
          WHERE id NOT IN (SELECT id FROM kept)) AS events`,
    );
    for (const table of partitionedTables) {
      await client.query(
        `CREATE TEMPORARY TABLE kept_${table} ON COMMIT DROP AS
         SELECT each.* FROM ${table}_${part.name} AS each JOIN kept USING (id)`,
      );
      await client.query(`DROP TABLE ${table}_${part.name}`);
      await client.query(`INSERT INTO ${table} SELECT * FROM kept_${table}`);
    }
    await client.query('DELETE FROM part WHERE name = $1', [part.name]);
    const { removed = 0, bytes = 0, events = 0, kept = 0 } = figures.rows[0] ?? {};
    await client.query(
      'UPDATE pruned SET messages = messages + $1, events = events + $2, bytes = bytes + $3',
      [removed, events, bytes],
    );
    await client.query('COMMIT');
    return { removed, bytes, kept };
  } catch (error) {
    await client.query('ROLLBACK');
    if (sqlStateOf(error) === lockNotAvailable) return { removed: 0, bytes: 0, kept: 0 };
    throw error;
  }
}

/** What of the part stays, as the table `kept`: each correlation as a whole. */
async function findKept(client: pg.Client, part: Part, cutoffs: Cutoffs): Promise<void> {
  await client.query(
    `CREATE TEMPORARY TABLE own (id TEXT COLLATE "C", correlation TEXT COLLATE "C", stays BOOLEAN) ON COMMIT DROP`,
  );
  await client.query(
    `INSERT INTO own
     SELECT standing.id, coalesce(correlation_id, standing.id), ${mayGo} IS NOT TRUE
     FROM standing_${part.name} AS standing LEFT JOIN message_${part.name} AS message ON message.id = standing.id
     LEFT JOIN ${limitsTable} ON allowed.interface = standing.interface`,
    [...cutoffs.values],
  );
  const { startId, endId } = part;
  await client.query(
    'CREATE TEMPORARY TABLE kept (id TEXT COLLATE "C" PRIMARY KEY) ON COMMIT DROP',
  );
  await client.query(
    `INSERT INTO kept SELECT id FROM own WHERE correlation < '${startId}' OR correlation >= '${endId}'
       OR correlation IN (SELECT correlation FROM own WHERE stays)
       OR correlation IN (
         SELECT correlation_id FROM message WHERE correlation_id >= '${startId}' AND correlation_id < '${endId}'
           AND correlation_id <> id AND (id < '${startId}' OR id >= '${endId}'))`,
  );
}

async function count(
  client: pg.Client,
  rows: string,
  values: readonly unknown[] = [],
): Promise<number> {
  const found = await client.query<{ readonly count: number }>(
    `SELECT count(*) AS count FROM (${rows}) AS counted`,
    [...values],
  );
  return found.rows[0]?.count ?? 0;
}
