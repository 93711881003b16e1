import pg from 'pg';
import type { PostgresStore } from '../../../connectors/postgres/open.ts';
import { startPostgres, type PostgresServer } from '../../support/postgres.ts';
import { parkedKeys } from '../../support/parked.ts';
import { describeWith } from '../../support/programs.ts';
import { openStore } from './support.ts';

const large = 12_000;

describeWith('postgres', 'what is set aside beside much of other queues', () => {
  let server: PostgresServer;
  let store: PostgresStore;
  let client: pg.Client;

  beforeAll(async () => {
    server = await startPostgres();
    const url = await server.createDatabase();
    store = await openStore(url);
    client = new pg.Client({ connectionString: url });
    await client.connect();
    await setAside('in.large', 1, large);
    await setAside('in.lab', large + 1, 2);
  }, 150_000);
  afterAll(async () => {
    await store.close();
    await client.end();
    await server.stop();
  });

  async function setAside(queue: string, from: number, count: number): Promise<void> {
    await client.query(
      `INSERT INTO parked SELECT number, $1, 'K' || number, 'M' || number, '2026-01-01T00:00:00.000Z', false, NULL
       FROM generate_series($2::int, $3::int) AS number`,
      [queue, from, from + count - 1],
    );
  }

  it.each([
    ['in.none', []],
    ['in.lab', [`M${large + 1}`, `M${large + 2}`]],
  ])('is found with one question, whatever others have: %s', async (queue, ids) => {
    const { keys, next } = await store.ledger.parked({ queue, limit: 10 });
    expect(keys.map(({ firstId }) => firstId)).toEqual(ids);
    expect(next).toBeUndefined();
  });

  it('is found page by page of a queue that has much, and of all', async () => {
    expect(await parkedKeys(store.ledger, 'in.large')).toHaveLength(large);
    expect(await parkedKeys(store.ledger)).toHaveLength(large + 2);
    const { keys, next } = await store.ledger.parked({
      ...{ queue: 'in.large', isStopped: true, limit: 10 },
    });
    expect(keys).toEqual([]);
    expect(next).toBe(5_000);
  });
});
