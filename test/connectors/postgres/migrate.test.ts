import type pg from 'pg';
import { openCluster } from '../../../connectors/postgres/cluster.ts';
import { migrate, readVersion } from '../../../connectors/postgres/migrate.ts';
import { openPostgres } from '../../../connectors/postgres/open.ts';
import { latestVersion } from '../../../connectors/postgres/schema.ts';
import { openSession } from '../../../connectors/postgres/session.ts';
import { addOld } from '../../contract/retention.ts';
import { until } from '../../support/hilum.ts';
import { silent } from '../../runtime/owner.ts';
import { startPostgres, type PostgresServer } from '../../support/postgres.ts';
import { describeWith } from '../../support/programs.ts';
import { openStore, toAddress } from './support.ts';

describeWith('postgres', 'tables of the ledger', () => {
  let server: PostgresServer;
  let url: string;
  let client: pg.Client;

  beforeAll(async () => {
    server = await startPostgres();
  }, 150_000);
  afterAll(() => server.stop());
  beforeEach(async () => {
    url = await server.createDatabase();
    client = await openSession(toAddress(url));
  });
  afterEach(() => client.end());

  /** What the tables are, to the last index. */
  async function describeTables(): Promise<readonly unknown[]> {
    const { rows } = await client.query<object>(
      `SELECT 'column' AS what, table_name AS of, column_name AS name, data_type AS detail
         FROM information_schema.columns WHERE table_schema = 'hilum'
       UNION ALL SELECT 'index', tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'hilum'
       ORDER BY 1, 2, 3`,
    );
    return rows;
  }

  it('go forward and back to nothing, step by step, and forward to the same again', async () => {
    const steps = await migrate(client);
    expect(steps).toHaveLength(latestVersion);
    expect(await readVersion(client)).toBe(latestVersion);
    const whole = await describeTables();
    expect(await migrate(client)).toEqual([]);
    for (let to = latestVersion - 1; to >= 0; to -= 1) {
      expect(await migrate(client, { to, isDryRun: true })).toEqual([{ from: to + 1, to }]);
      expect(await migrate(client, { to })).toEqual([{ from: to + 1, to }]);
      expect(await readVersion(client)).toBe(to);
    }
    expect(await describeTables()).toEqual([]);
    for (let to = 1; to <= latestVersion; to += 1) await migrate(client, { to });
    expect(await describeTables()).toEqual(whole);
  });

  it('keep what an earlier version has written, parts and all, when they are brought up to date', async () => {
    const store = await openStore(url);
    const message = await addOld(store.ledger, 0, ['received', 'queued', 'taken', 'processed']);
    const trace = await store.ledger.trace(message.id);
    await store.close();
    // A ledger of the first version, as it is in the field.
    await migrate(client, { to: 1 });
    expect(await readVersion(client)).toBe(1);
    const again = await openStore(url);
    expect(await again.ledger.trace(message.id)).toEqual(trace);
    expect((await again.ledger.read(message.id))?.body).toHaveLength(message.body.length);
    const changes = { messageId: message.id, text: '{}' };
    await again.ledger.append([{ type: 'changes', changes }]);
    expect(await again.ledger.changes(message.id)).toEqual(changes);
    const { rows } = await client.query<{ name: string }>(
      'SELECT tableoid::regclass::text AS name FROM payload_change',
    );
    expect(rows[0]!.name).toMatch(/^payload_change_\d{8}$/);
    await again.close();
  });

  it('are brought up to date once where many begin at the same time', async () => {
    const stores = await Promise.all(Array.from({ length: 6 }, () => openStore(url)));
    expect(await readVersion(client)).toBe(latestVersion);
    await Promise.all(stores.map((store) => addOld(store.ledger, 0, ['received'])));
    const writers = await client.query('SELECT DISTINCT writer FROM event_count');
    expect(writers.rows).toHaveLength(6);
    await Promise.all(stores.map((store) => store.close()));
  });

  it('are left alone where a newer Hilum has made them, with words that say what to do', async () => {
    await migrate(client);
    await client.query('UPDATE schema_version SET version = 99, usable_from = $1', [
      latestVersion + 1,
    ]);
    await expect(openStore(url)).rejects.toThrow(
      new RegExp(
        `version ${latestVersion} or earlier was expected.*version 99 was found.*Start that version`,
      ),
    );
    // A process that is to go on without its ledger does, and tells whoever asks.
    const store = await openPostgres({ address: toAddress(url), logger: silent });
    await expect(store.ledger.read('x')).rejects.toMatchObject({
      issues: [{ code: 'ledger-unavailable' }],
    });
    await store.close();
  });

  it('are worked with where a newer Hilum has made them and says that this one can, and not changed', async () => {
    await migrate(client);
    await client.query('UPDATE schema_version SET version = version + 1, usable_from = $1', [
      latestVersion,
    ]);
    await client.query(
      `ALTER TABLE message ADD COLUMN later TEXT; ALTER TABLE event ADD COLUMN later TEXT`,
    );
    const store = await openStore(url);
    const { id } = await addOld(store.ledger, 0, ['received', 'queued', 'processed']);
    expect(await store.ledger.read(id)).toMatchObject({ id });
    await store.close();
    const cluster = await openCluster({ address: toAddress(url), logger: silent });
    expect(await cluster.list(1)).toEqual([]);
    await cluster.close();
    const { rows } = await client.query('SELECT * FROM schema_version');
    expect(rows).toEqual([{ version: latestVersion + 1, usable_from: latestVersion }]);
    // The way back is the newer one's to know.
    await expect(migrate(client, { to: latestVersion })).rejects.toThrow(/Start that version/);
  });

  it.each([
    [4, 4],
    // What was taken away is an index.
    [5, 4],
    // What was added may stay empty.
    [6, 4],
  ])('of version %i can be worked with from version %i on', async (to, usableFrom) => {
    await migrate(client, { to });
    const { rows } = await client.query('SELECT version, usable_from FROM schema_version');
    expect(rows).toEqual([{ version: to, usable_from: usableFrom }]);
  });

  it('are not touched any more by a process that runs, once a newer Hilum has made them unusable for it', async () => {
    const store = await openStore(url);
    const { id } = await addOld(store.ledger, 0, ['received']);
    await client.query('UPDATE schema_version SET version = 99, usable_from = 99');
    await client.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    );
    const words = 'one of version 99 was found: a newer Hilum has made it';
    const failed = await until(
      () => store.ledger.read(id).then(String, String),
      (text) => text.includes(words),
      10_000,
    );
    expect(failed).toContain(words);
    await expect(addOld(store.ledger, 0, ['received'])).rejects.toMatchObject({
      issues: [{ code: 'ledger-unavailable' }],
    });
    await store.close();
    expect((await client.query('SELECT count(*)::int AS count FROM message')).rows).toEqual([
      { count: 1 },
    ]);
  });

  it('are not made where the user may not, with words that say what it needs', async () => {
    await client.query(`CREATE ROLE reader LOGIN PASSWORD 'secret'`);
    const other = url.replace('hilum:secret', 'reader:secret');
    await expect(openStore(other)).rejects.toThrow(/must own the schema hilum/);
    const nowhere = url.replace(/test_\d+$/, 'absent');
    await expect(openStore(nowhere)).rejects.toThrow(/no database of the name/);
    // A schema of its own is enough: no rights on the database.
    await client.query('CREATE SCHEMA hilum AUTHORIZATION reader');
    const store = await openStore(other);
    await addOld(store.ledger, 0, ['received']);
    await store.close();
    expect(await readVersion(client)).toBe(latestVersion);
  });
});
