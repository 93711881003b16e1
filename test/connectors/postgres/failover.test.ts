import { openPostgres } from '../../../connectors/postgres/open.ts';
import type { PostgresStore } from '../../../connectors/postgres/open.ts';
import { openSession } from '../../../connectors/postgres/session.ts';
import { addOld } from '../../contract/retention.ts';
import { silent } from '../../runtime/owner.ts';
import { until } from '../../support/hilum.ts';
import { startPostgres, type PostgresServer } from '../../support/postgres.ts';
import { describeWith } from '../../support/programs.ts';
import { openTcpProxy } from '../../support/tcp-proxy.ts';
import { openStore, toAddress } from './support.ts';

describeWith('postgres', 'PostgreSQL that goes away', () => {
  let server: PostgresServer;
  let url: string;

  beforeEach(async () => {
    server = await startPostgres();
    url = await server.createDatabase();
  }, 150_000);
  afterEach(() => server.stop());

  const recovers = (store: PostgresStore) =>
    until(
      () =>
        addOld(store.ledger, 0, ['received']).then(
          ({ id }) => id,
          () => undefined,
        ),
      (id) => id !== undefined,
      20_000,
    );

  it('is told as unavailable at once, and used again when it is back', async () => {
    const store = await openStore(url);
    const before = await addOld(store.ledger, 0, ['received']);
    await server.kill();
    for (let each = 0; each < 20; each += 1) {
      const startedMs = performance.now();
      await expect(store.ledger.read(before.id)).rejects.toMatchObject({
        errorClass: 'transient',
        issues: [{ code: 'ledger-unavailable' }],
      });
      await expect(addOld(store.ledger, 0, ['received'])).rejects.toMatchObject({
        errorClass: 'transient',
        issues: [{ code: 'ledger-unavailable' }],
      });
      expect(performance.now() - startedMs).toBeLessThan(5_000);
    }
    await server.start();
    await recovers(store);
    expect(await store.ledger.read(before.id)).toMatchObject({ id: before.id });
    await store.close();
  }, 60_000);

  it('need not be there when a process begins', async () => {
    await server.kill();
    const store = await openPostgres({ address: toAddress(url), logger: silent });
    await expect(store.ledger.ages()).rejects.toMatchObject({ errorClass: 'transient' });
    await server.start();
    await recovers(store);
    await store.close();
  }, 60_000);

  it('has none of an append whose connection was cut, or all of it', async () => {
    const proxy = await openTcpProxy({ port: server.port });
    const store = await openStore(url.replace(`:${server.port}/`, `:${proxy.port}/`));
    const told: { id: string; isTold: boolean }[] = [];
    for (let each = 0; each < 30; each += 1) {
      const adding = addOld(store.ledger, 0, ['received', 'queued']).then(
        ({ id }) => told.push({ id, isTold: true }),
        () => undefined,
      );
      if (each % 5 === 4) proxy.cut();
      await adding;
    }
    await recovers(store);
    expect(told.length).toBeGreaterThan(5);
    const client = await openSession(toAddress(url));
    const law = await client.query<{ counted: number; there: number; messages: number }>(
      `SELECT (SELECT sum(count) FROM event_count)::int AS counted, (SELECT sum(count) FROM event)::int AS there,
         (SELECT count(*) FROM message)::int AS messages`,
    );
    expect(law.rows[0]!.counted).toBe(law.rows[0]!.there);
    expect(law.rows[0]!.messages).toBeGreaterThanOrEqual(told.length);
    const states = await store.ledger.states(told.map(({ id }) => id));
    expect([...new Set(states.values())]).toEqual(['queued']);
    expect(states.size).toBe(told.length);
    await client.end();
    await store.close();
    await proxy.close();
  }, 60_000);

  it('gives way to its standby when that is promoted, which is not written to before', async () => {
    const standby = await server.startStandby();
    const place = `127.0.0.1:${server.port}`;
    const both = url.replace(place, `127.0.0.1:${standby.port},${place}`);
    const alone = toAddress(url.replace(place, `127.0.0.1:${standby.port}`));
    await expect(openSession(alone)).rejects.toThrow(/it is a standby/);
    const store = await openStore(both);
    const before = await addOld(store.ledger, 0, ['received']);
    const session = await openSession({ ...alone, hosts: toAddress(url).hosts });
    await until(
      async () => {
        const { rows } = await session.query<{ behind: boolean }>(
          'SELECT bool_or(replay_lsn < pg_current_wal_lsn()) AS behind FROM pg_stat_replication',
        );
        return rows[0]?.behind;
      },
      (behind) => behind === false,
      20_000,
    );
    await session.end();
    await server.kill();
    await expect(store.ledger.read(before.id)).rejects.toMatchObject({ errorClass: 'transient' });
    standby.promote();
    await recovers(store);
    expect(await store.ledger.read(before.id)).toMatchObject({ id: before.id });
    await store.close();
    await standby.stop();
  }, 120_000);
});
