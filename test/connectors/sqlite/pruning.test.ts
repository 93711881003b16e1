import { statSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { connectOwner, type OwnerClient } from '../../../connectors/sqlite/client.ts';
import { openOwner, type Owner } from '../../../connectors/sqlite/owner.ts';
import type { Envelope } from '../../../core/envelope.ts';
import type { LedgerEventKind } from '../../../core/ports/ledger.ts';
import type { PruneResult, RetentionLimit } from '../../../core/ports/retention.ts';
import { buildMessage, silent } from '../../runtime/owner.ts';
import { makeTempFolder } from '../../support/temp.ts';

const dayMs = 86_400_000;
const queue = 'in.lab';
const daysAgo = (days: number): string => new Date(Date.now() - days * dayMs).toISOString();
/** Thirty days, dead letters a hundred. */
const limits: readonly RetentionLimit[] = [{ before: daysAgo(30), deadBefore: daysAgo(100) }];

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

/** A message of so many days ago, and what befell it then. */
async function add(
  days: number,
  kinds: readonly LedgerEventKind[],
  changes: Partial<Envelope> = {},
): Promise<Envelope> {
  const at = daysAgo(days);
  const envelope = buildMessage('C1', { receivedAt: at, key: 'K', ...changes });
  await client.ledger.append([
    { type: 'message', envelope },
    ...kinds.map((kind) => ({
      type: 'event' as const,
      event: {
        messageId: envelope.id,
        kind,
        at,
        ...(kind === 'received' ? {} : { queue }),
        ...(kind === 'parked' ? { issues: [] } : {}),
      },
    })),
  ]);
  return envelope;
}

const childOf = ({ id, correlationId }: Envelope): Partial<Envelope> => ({
  causationId: id,
  correlationId,
});

/** Steps until there are no more, as small as they are asked for. */
async function pruneAll(given: readonly RetentionLimit[] = limits, limit = 100) {
  const steps: PruneResult[] = [];
  let after: number | undefined;
  do {
    const step = await client.retention.prune({
      limits: given,
      limit,
      ...(after === undefined ? {} : { after }),
    });
    steps.push(step);
    after = step.next;
  } while (after !== undefined && steps.length < 1_000);
  return {
    removed: steps.reduce((sum, step) => sum + step.removed, 0),
    kept: steps.reduce((sum, step) => sum + step.kept, 0),
    dead: steps.flatMap((step) => step.dead),
    steps: steps.length,
  };
}

const isThere = async ({ id }: Envelope): Promise<boolean> =>
  (await client.ledger.read(id)) !== undefined;

it('removes what nodes made of a message together with it, and of no other', async () => {
  const [old, young] = [31, 1].map((days) => add(days, ['received', 'processed']));
  const ids = [(await old!).id, (await young!).id];
  const made = ids.map((messageId) => ({ messageId, text: '{}' }));
  await client.ledger.append(made.map((changes) => ({ type: 'changes', changes })));
  await pruneAll();
  expect(await client.ledger.changes(ids[1]!)).toEqual(made[1]);
  await client.close();
  await owner.close();
  const database = new DatabaseSync(file);
  const rows = database.prepare('SELECT count(*) AS count FROM payload_change').get();
  database.close();
  expect(rows).toEqual({ count: 1 });
});

it('removes what is old and through, with all that was made of it, and leaves what is young', async () => {
  const old = await add(31, ['received', 'queued', 'processed']);
  const child = await add(31, ['queued', 'delivered'], childOf(old));
  const young = await add(29, ['received', 'queued', 'processed']);
  expect(await pruneAll()).toMatchObject({ removed: 2, kept: 0, dead: [] });
  expect(await Promise.all([old, child, young].map(isThere))).toEqual([false, false, true]);
  expect(await client.ledger.trace(old.id)).toBeUndefined();
  expect([...(await client.ledger.states([old.id, young.id])).keys()]).toEqual([young.id]);
});

it.each<readonly [string, readonly LedgerEventKind[]]>([
  ['waits in a queue', ['queued']],
  ['is under way', ['queued', 'taken']],
  ['is tried again', ['queued', 'taken', 'failed']],
  ['is set aside', ['queued', 'parked']],
])('never removes what %s, nor what it was made of', async (_what, kinds) => {
  const old = await add(400, ['received', 'queued', 'processed']);
  const done = await add(400, ['queued', 'delivered'], childOf(old));
  const open = await add(400, kinds, childOf(old));
  expect(await pruneAll()).toMatchObject({ removed: 0 });
  expect(await Promise.all([old, done, open].map(isThere))).toEqual([true, true, true]);
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

it('keeps an interface for as long as its own limit says, or for ever', async () => {
  const all = await Promise.all(
    ['short', 'long', 'ever'].map((name) => add(31, ['processed'], { interface: name })),
  );
  const given = [...limits, { interface: 'long', before: daysAgo(365) }, { interface: 'ever' }];
  expect(await pruneAll(given)).toMatchObject({ removed: 1 });
  expect(await Promise.all(all.map(isThere))).toEqual([false, true, true]);
});

it('says in a dry run what would go, and leaves it', async () => {
  const old = await add(31, ['processed']);
  await add(31, ['delivered'], childOf(old));
  const step = await client.retention.prune({ limits, limit: 100, isDryRun: true });
  expect(step).toMatchObject({ removed: 2, bytes: 2 * old.body.length });
  expect(await isThere(old)).toBe(true);
});

it('comes to the same in steps of one as in one step, and the counters go on counting', async () => {
  for (let each = 0; each < 5; each += 1) {
    const old = await add(31 + each, ['received', 'queued', 'processed']);
    for (let child = 0; child < 3; child += 1) await add(31, ['delivered'], childOf(old));
    await add(31, ['queued']);
  }
  const before = await client.ledger.counts();
  const { removed, steps } = await pruneAll(limits, 1);
  expect(removed).toBe(20);
  expect(steps).toBeGreaterThan(20);
  expect(await client.ledger.counts()).toEqual(before);
  await add(0, ['received']);
  const { pruned } = await client.retention.storage();
  expect(pruned).toMatchObject({ messages: 20, events: 5 * 3 + 5 * 3 });
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

it('takes an event that comes for what is gone', async () => {
  const old = await add(31, ['processed']);
  await pruneAll();
  const event = { messageId: old.id, kind: 'answered' as const, at: daysAgo(0), queue };
  await client.ledger.append([{ type: 'event', event }]);
  expect(await isThere(old)).toBe(false);
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
