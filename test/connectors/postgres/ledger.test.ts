import { parseAddress } from '../../../connectors/postgres/address.ts';
import { openPostgres, type PostgresStore } from '../../../connectors/postgres/open.ts';
import { describeLedger } from '../../contract/ledger.ts';
import { silent } from '../../runtime/owner.ts';
import { startPostgres, type PostgresServer } from '../../support/postgres.ts';
import { describeWith } from '../../support/programs.ts';

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
      const parsed = parseAddress(url);
      if (!parsed.ok) throw new Error(parsed.problems.join(' '));
      const store = await openPostgres({ address: parsed.address, logger: silent });
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
});
