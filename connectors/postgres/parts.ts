import type pg from 'pg';
import { lockClass, schemaLock } from './migrate.ts';
import { partitionedTables } from './schema.ts';

/** A stretch of time whose messages are in tables of their own. */
export interface Part {
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
  /** The lowest ids of these times. */
  readonly startId: string;
  readonly endId: string;
}

const dayMs = 86_400_000;
/** Made so long before they are needed. */
const aheadMs = 14 * dayMs;
/** They are made at a moment when nobody reads for long, or the next time. */
const lockTimeoutMs = 2_000;

/** What every id of this time or later begins with, or is above: ids (UUID 7 and 8) begin with 48 bits of milliseconds. */
export function lowestId(ms: number): string {
  const hex = Math.max(0, Math.floor(ms)).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
}

export async function listParts(client: pg.Client): Promise<readonly Part[]> {
  const { rows } = await client.query<Part>(
    `SELECT name, start_ms AS "startMs", end_ms AS "endMs", start_id AS "startId", end_id AS "endId"
     FROM part ORDER BY start_ms`,
  );
  return rows;
}

/**
 * Makes the parts from `fromMs` (where there are none yet) until two weeks from now; one process at a time, others
 * leave it to that one. What is in the rest already goes into its part. Resolves with the names of the new ones.
 */
export async function makeParts(
  client: pg.Client,
  { fromMs, nowMs }: { readonly fromMs?: number; readonly nowMs: number },
): Promise<readonly string[]> {
  const last = await findLast(client);
  if (last !== undefined && last >= nowMs + aheadMs) return [];
  await client.query('BEGIN');
  try {
    await client.query(`SET LOCAL lock_timeout = ${lockTimeoutMs}`);
    const lock = await client.query<{ readonly taken: boolean }>(
      'SELECT pg_try_advisory_xact_lock($1, $2) AS taken',
      [lockClass, schemaLock],
    );
    const made: string[] = [];
    if (lock.rows[0]?.taken === true) {
      const width = await client.query<{ readonly days: number }>('SELECT days FROM part_width');
      const widthMs = (width.rows[0]?.days ?? 1) * dayMs;
      // A clock of another machine may be behind.
      const firstMs = Math.floor((fromMs ?? nowMs - dayMs) / dayMs) * dayMs;
      let startMs = (await findLast(client)) ?? firstMs;
      for (; startMs < nowMs + aheadMs; startMs += widthMs) {
        made.push(await makePart(client, startMs, startMs + widthMs));
      }
    }
    await client.query('COMMIT');
    return made;
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}

/** Makes the parts from `fromMs` to the first that there is. */
export async function makeEarlierParts(client: pg.Client, fromMs: number): Promise<void> {
  const [first] = await listParts(client);
  const width = await client.query<{ readonly days: number }>('SELECT days FROM part_width');
  const widthMs = (width.rows[0]?.days ?? 1) * dayMs;
  const from = Math.floor(fromMs / dayMs) * dayMs;
  if (first === undefined || from >= first.startMs) return;
  await client.query('BEGIN');
  try {
    await client.query('SELECT pg_advisory_xact_lock($1, $2)', [lockClass, schemaLock]);
    for (let startMs = from; startMs < first.startMs; startMs += widthMs) {
      await makePart(client, startMs, Math.min(startMs + widthMs, first.startMs));
    }
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}

async function findLast(client: pg.Client): Promise<number | undefined> {
  const { rows } = await client.query<{ readonly last: number | null }>(
    'SELECT max(end_ms) AS last FROM part',
  );
  return rows[0]?.last ?? undefined;
}

async function makePart(client: pg.Client, startMs: number, endMs: number): Promise<string> {
  const name = new Date(startMs).toISOString().slice(0, 10).replaceAll('-', '');
  const [startId, endId] = [lowestId(startMs), lowestId(endMs)];
  for (const table of partitionedTables) {
    const part = `${table}_${name}`;
    await client.query(`CREATE TABLE ${part} (LIKE ${table} INCLUDING ALL)`);
    await client.query(
      `WITH moved AS (DELETE FROM ${table}_rest WHERE id >= '${startId}' AND id < '${endId}' RETURNING *)
       INSERT INTO ${part} SELECT * FROM moved`,
    );
    await client.query(
      `ALTER TABLE ${table} ATTACH PARTITION ${part} FOR VALUES FROM ('${startId}') TO ('${endId}')`,
    );
  }
  await client.query('INSERT INTO part VALUES ($1, $2, $3, $4, $5)', [
    ...[name, startMs, endMs, startId, endId],
  ]);
  return name;
}
