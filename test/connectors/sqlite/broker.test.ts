import { DatabaseSync } from 'node:sqlite';
import type { Issue } from '../../../core/issue.ts';
import { describeBroker } from '../../contract/broker.ts';
import { OwnerFixture } from './support.ts';

// One owner for all of them: every test has queues of its own.
const owner = new OwnerFixture();
beforeAll(() => owner.start());
afterAll(() => owner.close());

describeBroker('embedded (SQLite)', async () => {
  const client = await owner.connect();
  return {
    broker: client.broker,
    reopen: async () => (await owner.connect()).broker,
    cut: () => {
      client.cut();
      return Promise.resolve();
    },
    restart: async () => {
      await owner.kill();
      await owner.start();
    },
    refuseToStore: () => {
      // Whoever holds the write lock keeps the owner from every transaction, as a full disk does.
      const database = new DatabaseSync(owner.file);
      database.exec('BEGIN IMMEDIATE');
      return Promise.resolve(() => {
        database.close();
        return Promise.resolve();
      });
    },
    deadLetters: async (queue) => {
      // A question for what is in the tables has them written.
      await client.ledger.ages();
      const database = new DatabaseSync(owner.file, { readOnly: true });
      const rows = database
        .prepare(
          `SELECT id, issues FROM queued JOIN queue ON queue.number = queued.queue
           WHERE queue.name = ? ORDER BY position`,
        )
        .all(`${queue}.dead`);
      database.close();
      return rows.map((row) => ({
        id: String(row['id']),
        issues: JSON.parse(String(row['issues'])) as Issue[],
      }));
    },
    close: () => owner.disconnect(),
  };
});
