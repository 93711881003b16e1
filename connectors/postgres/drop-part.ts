import { setTimeout as wait } from 'node:timers/promises';
import type pg from 'pg';
import type { PruneResult } from '../../core/ports/retention.ts';
import { sqlStateOf } from './failures.ts';
import { listParts, type Part } from './parts.ts';
import { limitsTable, mayGo, type Cutoffs } from './prune-limits.ts';
import { partitionedTables } from './schema.ts';

/** Of a part of which more stays than this, messages go one by one. */
const shareThatMayStay = 0.2;
const numberThatMayStay = 1_000;
/** Shorter than PostgreSQL takes to look for a deadlock: where others want the tables in another order, they go on. */
const lockTimeoutMs = 200;
const lockTries = 25;
/** Not in time, or a deadlock all the same. */
const notLocked: ReadonlySet<string> = new Set(['55P03', '40P01']);

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

interface Figures {
  readonly removed: number;
  readonly bytes: number;
  readonly events: number;
}

/**
 * Drops the tables of a part; what must stay, or belongs to what is elsewhere, goes into the rest. What stays is found
 * while others read and write; then they wait for as long as it takes to count what goes and to move what stays.
 */
export async function dropPart(
  client: pg.Client,
  part: Part,
  cutoffs: Cutoffs,
): Promise<Pick<PruneResult, 'removed' | 'bytes' | 'kept'>> {
  await client.query('BEGIN');
  try {
    const before = await client.query<{ readonly xmin: string }>(
      'SELECT (pg_snapshot_xmin(pg_current_snapshot())::text::bigint & 4294967295)::text AS xmin',
    );
    await findKept(client, part, cutoffs);
    if (!(await lockTables(client))) {
      await client.query('ROLLBACK');
      return { removed: 0, bytes: 0, kept: 0 };
    }
    await keepChanged(client, part, before.rows[0]?.xmin ?? '0');
    const { removed, bytes, events } = await readFigures(client, part);
    const kept = await count(client, 'SELECT FROM kept');
    for (const table of partitionedTables) {
      await client.query(
        `CREATE TEMPORARY TABLE kept_${table} ON COMMIT DROP AS
         SELECT each.* FROM ${table}_${part.name} AS each JOIN kept USING (id)`,
      );
      await client.query(`DROP TABLE ${table}_${part.name}`);
      await client.query(`INSERT INTO ${table} SELECT * FROM kept_${table}`);
    }
    await client.query('DELETE FROM part WHERE name = $1', [part.name]);
    await client.query(
      'UPDATE pruned SET messages = messages + $1, events = events + $2, bytes = bytes + $3',
      [removed, events, bytes],
    );
    await client.query('COMMIT');
    return { removed, bytes, kept };
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}

/**
 * All that read and write go first, and others get in between tries: to wait for long would hold up everybody who comes
 * after. False where it does not succeed.
 */
async function lockTables(client: pg.Client): Promise<boolean> {
  await client.query(`SET LOCAL lock_timeout = ${lockTimeoutMs}`);
  await client.query('SAVEPOINT unlocked');
  for (let tries = 1; tries <= lockTries; tries += 1) {
    try {
      const tables = partitionedTables.map((table) => `ONLY ${table}`).join(', ');
      await client.query(`LOCK TABLE ${tables} IN ACCESS EXCLUSIVE MODE`);
      return true;
    } catch (error) {
      await client.query('ROLLBACK TO unlocked');
      if (!notLocked.has(sqlStateOf(error) ?? '')) throw error;
      await wait(lockTimeoutMs);
    }
  }
  return false;
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
       OR correlation IN (${elsewhere(part)})`,
  );
}

/** Keeps what has changed since, or had something made of it elsewhere, with its correlation. */
async function keepChanged(client: pg.Client, part: Part, xmin: string): Promise<void> {
  await client.query(
    `INSERT INTO kept
     WITH now AS (
       SELECT standing.id, coalesce(correlation_id, standing.id) AS correlation
       FROM standing_${part.name} AS standing LEFT JOIN message_${part.name} AS message ON message.id = standing.id
       WHERE standing.xmin::text::bigint >= $1::bigint),
     moved AS (SELECT correlation FROM now UNION ${elsewhere(part)})
     SELECT id FROM now UNION SELECT id FROM own WHERE correlation IN (SELECT correlation FROM moved)
     EXCEPT SELECT id FROM kept`,
    [xmin],
  );
}

/** The correlations that began in the part and have messages elsewhere. */
function elsewhere({ startId, endId }: Part): string {
  return `SELECT correlation_id FROM message WHERE correlation_id >= '${startId}' AND correlation_id < '${endId}'
    AND correlation_id <> id AND (id < '${startId}' OR id >= '${endId}')`;
}

/** What goes. */
async function readFigures(client: pg.Client, { name }: Part): Promise<Figures> {
  const { rows } = await client.query<Figures>(
    `SELECT (SELECT count(*) FROM own WHERE id NOT IN (SELECT id FROM kept)) AS removed,
      (SELECT coalesce(sum(bytes), 0)::bigint FROM message_${name}
        WHERE id NOT IN (SELECT id FROM kept)) AS bytes,
      (SELECT coalesce(sum(count), 0)::bigint FROM event_${name}
        WHERE id NOT IN (SELECT id FROM kept)) AS events`,
  );
  return rows[0] ?? { removed: 0, bytes: 0, events: 0 };
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
