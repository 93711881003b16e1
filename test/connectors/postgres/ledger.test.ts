import type { PostgresStore } from '../../../connectors/postgres/open.ts';
import { describeLedger } from '../../contract/ledger.ts';
import { describeRetention } from '../../contract/retention.ts';
import { startPostgres, type PostgresServer } from '../../support/postgres.ts';
import { describeWith } from '../../support/programs.ts';
import { openStore } from './support.ts';

describeWith('postgres', 'PostgreSQL', () => {
  let server: PostgresServer;
  let url: string;
  beforeAll(async () => {
    server = await startPostgres();
    // One database for all of them: every test looks at rows of its own.
    url = await server.createDatabase();
  }, 150_000);
  afterAll(() => server.stop());

  describeLedger('PostgreSQL', async () => {
    const stores: PostgresStore[] = [];
    const connect = async () => {
      const store = await openStore(url);
      stores.push(store);
      return store.ledger;
    };
    return {
      ledger: await connect(),
      reopen: connect,
      restart: async () => {
        await server.kill();
        await server.start();
      },
      close: async () => {
        await Promise.all(stores.map((store) => store.close()));
      },
    };
  });

  describeRetention('PostgreSQL', async () => openStore(await server.createDatabase()));
});
