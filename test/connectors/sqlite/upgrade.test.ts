import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { connectOwner } from '../../../connectors/sqlite/client.ts';
import { openOwner } from '../../../connectors/sqlite/owner.ts';
import type { Ledger } from '../../../core/ports/ledger.ts';
import { exportLedger } from '../../../runtime/ledger/export.ts';
import { addOld, childOf } from '../../contract/retention.ts';
import { silent } from '../../runtime/owner.ts';
import { makeTempFolder } from '../../support/temp.ts';

/** What each version has brought, undone: a file as that before it has left it. */
const undo: readonly (readonly [version: number, sql: string])[] = [
  [10, 'DROP INDEX parked_held; ALTER TABLE parked DROP COLUMN held'],
  [9, 'DROP TABLE payload_change'],
  [8, 'ALTER TABLE message DROP COLUMN reply_to'],
  [7, 'DROP TABLE spooled'],
  [6, 'DROP TABLE pruned'],
];

const folder = makeTempFolder('upgrade');

async function open(name: string) {
  const socket = path.join(folder, `${name}.sock`);
  const owner = await openOwner({ file: path.join(folder, name), socket, logger: silent });
  const client = await connectOwner({ socket, logger: silent });
  const close = async (): Promise<void> => {
    await client.close();
    await owner.close();
  };
  return { ...client, close };
}

async function exportAll(ledger: Ledger): Promise<readonly unknown[]> {
  const all = [];
  for await (const each of exportLedger(ledger, {})) all.push(each);
  return all;
}

it.each(undo)('keeps all of a data file that is from before version %i', async (version) => {
  const name = `before-${version}.db`;
  const former = await open(name);
  await former.broker.declare({ name: 'in.lab', interface: 'lab' });
  for (let days = 1; days <= 5; days += 1) {
    const parent = await addOld(former.ledger, days, ['received', 'queued', 'processed']);
    await addOld(former.ledger, days, ['queued', 'dead-lettered'], childOf(parent));
    const waiting = await addOld(former.ledger, days, ['received', 'queued']);
    await former.broker.publish('in.lab', waiting);
  }
  const before = await exportAll(former.ledger);
  const depths = await former.broker.depths();
  await former.close();
  const file = new DatabaseSync(path.join(folder, name));
  expect(file.prepare('PRAGMA user_version').get()).toEqual({ user_version: 10 });
  for (const [each, sql] of undo) if (each >= version) file.exec(sql);
  file.exec(`PRAGMA user_version = ${version - 1}`);
  file.close();

  const upgraded = await open(name);
  expect(await exportAll(upgraded.ledger)).toEqual(before);
  expect(await upgraded.broker.depths()).toEqual(depths);
  const message = await addOld(upgraded.ledger, 0, ['received']);
  await upgraded.ledger.append([
    { type: 'changes', changes: { messageId: message.id, text: '{}' } },
  ]);
  expect(await upgraded.ledger.changes(message.id)).toMatchObject({ text: '{}' });
  expect((await upgraded.retention.storage()).pruned).toMatchObject({ messages: 0 });
  await upgraded.close();
});
