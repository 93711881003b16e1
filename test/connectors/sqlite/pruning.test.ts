import { statSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { connectOwner, type OwnerClient } from '../../../connectors/sqlite/client.ts';
import { openOwner, type Owner } from '../../../connectors/sqlite/owner.ts';
import type { Envelope } from '../../../core/envelope.ts';
import type { LedgerEventKind } from '../../../core/ports/ledger.ts';
import type { RetentionLimit } from '../../../core/ports/retention.ts';
import {
  addOld,
  childOf,
  daysAgo,
  describeRetention,
  pruneAll as pruneEach,
} from '../../contract/retention.ts';
import { buildMessage, silent } from '../../runtime/owner.ts';
import { makeTempFolder } from '../../support/temp.ts';

const queue = 'in.lab';

let file: string;
let owner: Owner;
let client: OwnerClient;

beforeEach(async () => {
  const folder = makeTempFolder('pruning');
  file = path.join(folder, 'hilum.db');
  const socket = path.join(folder, 'owner.sock');
  owner = await openOwner({ file, socket, logger: silent });
  client = await connectOwner({ socket, logger: silent });
  await client.broker.declare({ name: queue, interface: 'lab' });
});

afterEach(async () => {
  await client.close();
  await owner.close();
});

const add = (days: number, kinds: readonly LedgerEventKind[], changes: Partial<Envelope> = {}) =>
  addOld(client.ledger, days, kinds, changes);
const pruneAll = (given?: readonly RetentionLimit[], limit?: number) =>
  pruneEach(client.retention, given, limit);
const isThere = async ({ id }: Envelope): Promise<boolean> =>
  (await client.ledger.read(id)) !== undefined;

describeRetention('embedded (SQLite)', () => {
  // Opened and closed around each test anyway.
  const { ledger, retention } = client;
  return Promise.resolve({ ledger, retention, close: () => Promise.resolve() });
});

it('never removes a body that a queue refers to, whatever the ledger says', async () => {
  const message = buildMessage('C1', { receivedAt: daysAgo(31) });
  const event = { messageId: message.id, at: daysAgo(31), queue };
  await Promise.all([
    client.broker.publish(queue, message),
    client.ledger.append([
      { type: 'message', envelope: message },
      { type: 'event', event: { ...event, kind: 'processed' } },
    ]),
  ]);
  expect(await pruneAll()).toMatchObject({ removed: 0, kept: 1 });
  const body = await new Promise((resolve) => {
    void client.broker.consume(queue, { window: 1 }, (delivery) => {
      void delivery.accept().then(() => resolve(Buffer.from(delivery.envelope.body)));
    });
  });
  expect(body).toEqual(Buffer.from(message.body));
  expect(await pruneAll()).toMatchObject({ removed: 1 });
});

it.each(['shares its body', 'has a copy of its own'])(
  'keeps a message that a queue still has, which %s',
  async (how) => {
    const message = buildMessage('C1', { receivedAt: daysAgo(31) });
    const event = { messageId: message.id, at: daysAgo(31), queue };
    const append = client.ledger.append([
      { type: 'message', envelope: message },
      { type: 'event', event: { ...event, kind: 'processed' } },
    ]);
    // What is written to the tables in between is not shared any more.
    if (how !== 'shares its body') await append.then(() => client.ledger.trace(message.id));
    await Promise.all([append, client.broker.publish(queue, message)]);
    expect(await pruneAll()).toMatchObject({ removed: 0, kept: 1 });
  },
);

it('keeps dead letters for as long as their own limit says, and takes them out of their queue then', async () => {
  const young = await deadLetter(99);
  const old = await deadLetter(101);
  expect(await pruneAll()).toMatchObject({ removed: 0, dead: [old.id] });
  await client.retention.discardDead([old.id]);
  expect(await client.broker.depths()).toMatchObject([{ dead: 1 }]);
  expect(await pruneAll()).toMatchObject({ removed: 1, dead: [] });
  expect(await Promise.all([young, old].map(isThere))).toEqual([true, false]);
});

async function deadLetter(days: number): Promise<Envelope> {
  const message = buildMessage('C1', { receivedAt: daysAgo(days) });
  const event = { messageId: message.id, at: daysAgo(days), queue };
  await client.ledger.append([
    { type: 'message', envelope: message },
    { type: 'event', event: { ...event, kind: 'queued' } },
  ]);
  await client.broker.publish(queue, message);
  const settled = Promise.withResolvers<undefined>();
  const consumer = await client.broker.consume(queue, { window: 1 }, (delivery) => {
    const entry = { type: 'event', event: { ...event, kind: 'dead-lettered' } } as const;
    void delivery.deadLetter([], [], [entry]).then(() => settled.resolve(undefined));
  });
  await settled.promise;
  await consumer.stop();
  return message;
}

it('counts what is in the rows or was in those that it removed, and leaves no bytes behind', async () => {
  for (let each = 0; each < 5; each += 1) {
    const old = await add(31 + each, ['received', 'queued', 'processed']);
    for (let child = 0; child < 3; child += 1) await add(31, ['delivered'], childOf(old));
    await add(31, ['queued']);
  }
  expect((await pruneAll(undefined, 1)).removed).toBe(20);
  await add(0, ['received']);
  await client.close();
  await owner.close();
  // What is counted is in the rows, or was in those that were removed.
  const database = new DatabaseSync(file);
  const law = database
    .prepare(
      `SELECT (SELECT sum(count) FROM event_count) AS counted,
         (SELECT sum(json_array_length(events)) FROM event) + (SELECT events FROM pruned) AS rows`,
    )
    .get();
  expect(law?.['counted']).toBe(law?.['rows']);
  expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  const orphans = database
    .prepare(
      `SELECT count(*) AS count FROM content WHERE number NOT IN (SELECT content FROM message WHERE content IS NOT NULL)
         AND number NOT IN (SELECT content FROM queued)`,
    )
    .get();
  expect(orphans).toEqual({ count: 0 });
  database.close();
});

it('gives the room back to the disk, a bounded piece at a time', async () => {
  for (let each = 0; each < 40; each += 1) {
    await add(31, ['processed'], { body: Buffer.alloc(256 * 1024, each) });
  }
  await client.retention.storage();
  await pruneAll();
  const full = await client.retention.storage();
  expect(full.canGiveBack).toBe(true);
  expect(full.freeBytes).toBeGreaterThan(9 * 1024 * 1024);
  const piece = await client.retention.giveBack(1024 * 1024);
  expect(piece).toBeGreaterThan(0);
  expect(piece).toBeLessThan(1.1 * 1024 * 1024);
  while ((await client.retention.giveBack(4 * 1024 * 1024)) > 0);
  const after = await client.retention.storage();
  expect(after.freeBytes).toBe(0);
  expect(after.fileBytes).toBeLessThan(full.fileBytes - 9 * 1024 * 1024);
  await client.close();
  await owner.close();
  expect(statSync(file).size).toBeLessThan(2 * 1024 * 1024);
});
