import type pg from 'pg';
import { sqlStateOf, UnknownSchema } from './failures.ts';
import { firstThatSays, latestVersion, migrations } from './schema.ts';
import { schemaName } from './session.ts';

/** Of the advisory locks that Hilum takes in its database: "HILU". */
export const lockClass = 0x48494c55;
/** The one for changes of tables; those from 1 on are of writers. */
export const schemaLock = 0;

/** A step that was made, or would be. */
export interface MigrationStep {
  readonly from: number;
  readonly to: number;
}

const undefinedTable = '42P01';

/** The version of the schema in the database; 0: there is none yet. */
export async function readVersion(client: pg.Client): Promise<number> {
  try {
    const sql = `SELECT version FROM ${schemaName}.schema_version`;
    const { rows } = await client.query<{ readonly version: number }>(sql);
    return rows[0]?.version ?? 0;
  } catch (error) {
    if (sqlStateOf(error) === undefinedTable) return 0;
    throw error;
  }
}

/**
 * Brings the tables to a version, forward or back, a transaction for each step; one process at a time, others wait.
 * Resolves with the steps: with none where a newer Hilum has made the tables, which are usable for this one, and no
 * version is named. Throws {@link UnknownSchema} where they are not, or where the way back is to be found in the newer
 * Hilum alone.
 */
export async function migrate(
  client: pg.Client,
  options: { readonly to?: number; readonly isDryRun?: boolean } = {},
): Promise<readonly MigrationStep[]> {
  const { to = latestVersion, isDryRun = false } = options;
  if (to < 0 || to > latestVersion) {
    throw new Error(`A version from 0 to ${latestVersion} was expected, and ${to} was found.`);
  }
  await client.query('SELECT pg_advisory_lock($1, $2)', [lockClass, schemaLock]);
  try {
    let version = await readVersion(client);
    if (version > latestVersion) {
      if (options.to !== undefined) throw buildUnknown(version);
      await assertUsable(client);
      return [];
    }
    const steps: MigrationStep[] = [];
    while (version !== to) {
      const next = version < to ? version + 1 : version - 1;
      if (!isDryRun) await step(client, { from: version, to: next });
      steps.push({ from: version, to: next });
      version = next;
    }
    return steps;
  } finally {
    await client.query('SELECT pg_advisory_unlock($1, $2)', [lockClass, schemaLock]);
  }
}

/** Throws {@link UnknownSchema} where the tables are of a newer Hilum, and this one cannot work with them. */
export async function assertUsable(client: pg.Client): Promise<void> {
  const version = await readVersion(client);
  if (version <= latestVersion) return;
  const sql = `SELECT usable_from FROM ${schemaName}.schema_version`;
  const { rows } = await client.query<{ readonly usable_from: number }>(sql);
  if ((rows[0]?.usable_from ?? version) > latestVersion) throw buildUnknown(version);
}

function buildUnknown(version: number): UnknownSchema {
  return new UnknownSchema(
    `A ledger of version ${latestVersion} or earlier was expected in PostgreSQL and one of version ${version} was ` +
      'found: a newer Hilum has made it. Start that version, or go back with its hilum ledger migrate --to ' +
      `${latestVersion}.`,
  );
}

async function step(client: pg.Client, { from, to }: MigrationStep): Promise<void> {
  const migration = migrations[Math.max(from, to) - 1];
  if (migration === undefined) throw new Error(`No step leads from version ${from} to ${to}.`);
  await client.query('BEGIN');
  try {
    // It may have much to do.
    await client.query('SET LOCAL statement_timeout = 0');
    if (from === 0) {
      const { rowCount } = await client.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [
        schemaName,
      ]);
      // Whoever may not make one in this database can be given one.
      if (rowCount === 0) await client.query(`CREATE SCHEMA ${schemaName}`);
      await client.query('CREATE TABLE schema_version (version INTEGER NOT NULL)');
      await client.query('INSERT INTO schema_version VALUES (0)');
    }
    await client.query(to > from ? migration.up : migration.down);
    if (to === 0) await client.query('DROP TABLE schema_version');
    else await client.query('UPDATE schema_version SET version = $1', [to]);
    if (to >= firstThatSays) {
      const usableFrom = migrations[to - 1]?.usableFrom ?? to;
      await client.query('UPDATE schema_version SET usable_from = $1', [usableFrom]);
    }
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}
