import { describeLedger } from '../../contract/ledger.ts';
import { OwnerFixture } from './support.ts';

// One owner for all of them: every test looks at rows of its own.
const owner = new OwnerFixture();
beforeAll(() => owner.start());
afterAll(() => owner.close());

describeLedger('embedded (SQLite)', async () => {
  const client = await owner.connect();
  return {
    ledger: client.ledger,
    reopen: async () => (await owner.connect()).ledger,
    restart: async () => {
      await owner.kill();
      await owner.start();
    },
    close: () => owner.disconnect(),
  };
});
