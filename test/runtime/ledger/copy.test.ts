import path from 'node:path';
import { connectOwner } from '../../../connectors/sqlite/client.ts';
import { openOwner } from '../../../connectors/sqlite/owner.ts';
import type { Ledger } from '../../../core/ports/ledger.ts';
import { copyFile } from '../../../runtime/ledger/copy-file.ts';
import { exportLedger } from '../../../runtime/ledger/export.ts';
import { openStore, toAddress } from '../../connectors/postgres/support.ts';
import { addOld, childOf } from '../../contract/retention.ts';
import { startPostgres, type PostgresServer } from '../../support/postgres.ts';
import { describeWith } from '../../support/programs.ts';
import { makeTempFolder } from '../../support/temp.ts';
import { silent } from '../owner.ts';
import { parkedKeys } from '../../support/parked.ts';

describeWith('postgres', 'moving a ledger to PostgreSQL', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  }, 150_000);
  afterAll(() => server.stop());

  const folder = makeTempFolder('copy');
  const file = path.join(folder, 'hilum.db');
  const socket = path.join(folder, 'owner.sock');
  const queue = 'in.lab';

  /** Messages of two months, in every state, a large one, changes, and keys that are set aside. */
  async function fill(ledger: Ledger): Promise<void> {
    for (let each = 0; each < 150; each += 1) {
      const parent = await addOld(ledger, 60 - each / 3, ['received', 'queued', 'processed']);
      await addOld(ledger, 60 - each / 3, ['queued', 'delivered'], childOf(parent));
      await addOld(ledger, 60 - each / 3, ['received', 'queued']);
    }
    const large = { body: Buffer.alloc(9 * 1024 * 1024, 'x') };
    const { id } = await addOld(ledger, 30, ['received', 'queued', 'taken', 'failed'], large);
    await ledger.append([{ type: 'changes', changes: { messageId: id, text: '{}' } }]);
    // Parked in another order than they were received in.
    for (const days of [10, 20, 15]) await addOld(ledger, days, ['queued', 'parked'], { key: 'P' });
  }

  async function describeLedger(ledger: Ledger) {
    const exported = [];
    for await (const each of exportLedger(ledger, {})) exported.push(each);
    const parked = await ledger.readParked(queue, 'P', 10);
    const byName = <Row extends object>(rows: readonly Row[]): readonly Row[] =>
      rows.toSorted((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1));
    return {
      exported: exported.toSorted((one, other) => (one.id < other.id ? -1 : 1)),
      parked: parked.map(({ id }) => id),
      keys: await parkedKeys(ledger),
      ages: byName(await ledger.ages()),
      counts: byName(await ledger.counts()),
      waiting: (await ledger.waiting(queue, { limit: 1_000 })).map(({ id }) => id).sort(),
    };
  }

  it('brings all of it, goes on where it was ended, and takes nothing twice', async () => {
    const owner = await openOwner({ file, socket, logger: silent });
    const source = await connectOwner({ socket, logger: silent });
    await fill(source.ledger);
    const before = await describeLedger(source.ledger);
    expect(before.exported).toHaveLength(454);
    await source.close();
    await owner.close();

    const url = await server.createDatabase();
    const address = toAddress(url);
    const options = { file, address, logger: silent };
    // Ended in the middle, as by Ctrl-C.
    const ended = copyFile({
      ...options,
      onProgress: ({ messages }) => {
        if (messages > 300) throw new Error('ended');
      },
    });
    await expect(ended).rejects.toThrow('ended');
    const done = await copyFile({ ...options, onProgress: () => undefined });
    const events = before.exported.reduce((sum, each) => sum + each.events.length, 0);
    expect(done).toMatchObject({ messages: 454, events });
    expect(done.found).toBeGreaterThan(100);
    expect(done.found).toBeLessThan(454);
    const store = await openStore(url);
    expect(await describeLedger(store.ledger)).toEqual(before);
    const large = before.exported.find(({ state }) => state === 'retrying')!;
    expect(await store.ledger.changes(large.id)).toEqual({ messageId: large.id, text: '{}' });
    await store.close();
  }, 120_000);

  it('refuses a file that somebody has, and one that is not there', async () => {
    const owner = await openOwner({ file, socket, logger: silent });
    const options = {
      address: toAddress(await server.createDatabase()),
      logger: silent,
      onProgress: () => undefined,
    };
    await expect(copyFile({ ...options, file })).rejects.toThrow(/another has it/);
    await owner.close();
    const absent = path.join(folder, 'absent.db');
    await expect(copyFile({ ...options, file: absent })).rejects.toThrow(/there is none/);
  });
});
