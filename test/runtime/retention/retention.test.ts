import type { OwnerClient } from '../../../connectors/sqlite/client.ts';
import type { Envelope } from '../../../core/envelope.ts';
import type { LedgerEventKind } from '../../../core/ports/ledger.ts';
import type { RetentionPolicy, RetentionSettings } from '../../../runtime/retention/policy.ts';
import { Retention } from '../../../runtime/retention/retention.ts';
import { buildMessage, OwnerHere, silent } from '../owner.ts';

const dayMs = 86_400_000;
const queue = 'in.lab';

let here: OwnerHere;
let client: OwnerClient;
let policies: ReadonlyMap<string, RetentionPolicy>;

beforeEach(async () => {
  here = new OwnerHere();
  await here.open();
  client = await here.connect();
  await client.broker.declare({ name: queue, interface: 'lab' });
  policies = new Map();
});
afterEach(() => here.close());

function open(settings: Partial<RetentionSettings> = {}): Retention {
  return new Retention({
    retention: client.retention,
    settings: { policy: { days: 30, deadDays: 100 }, everyMs: 3_600_000, ...settings },
    logger: silent,
    clock: Date.now,
    policies: () => policies,
    labelOf: (owner) => `The ${owner}`,
  });
}

async function add(
  days: number,
  kind: LedgerEventKind,
  changes: Partial<Envelope> = {},
): Promise<Envelope> {
  const at = new Date(Date.now() - days * dayMs).toISOString();
  const envelope = buildMessage('C1', { receivedAt: at, ...changes });
  await client.ledger.append([
    { type: 'message', envelope },
    { type: 'event', event: { messageId: envelope.id, kind, at, queue } },
  ]);
  return envelope;
}

const areThere = (messages: readonly Envelope[]): Promise<readonly boolean[]> =>
  Promise.all(messages.map(async ({ id }) => (await client.ledger.read(id)) !== undefined));

it('removes what is older than its days in many steps, counts it, and shows the run', async () => {
  for (let each = 0; each < 250; each += 1) await add(31, 'processed');
  const others = [await add(29, 'processed'), await add(500, 'queued')];
  const retention = open();
  expect(await retention.dryRun()).toMatchObject({ messages: 250, kept: 1 });
  const run = await retention.run('cli');
  expect(run).toMatchObject({ removed: 250, kept: 1 });
  expect(run.failed).toBeUndefined();
  expect(await areThere(others)).toEqual([true, true]);
  expect(await retention.view()).toMatchObject({
    policies: [{ days: 30, deadDays: 100 }],
    maxFileBytes: null,
    storage: { canGiveBack: true, pruned: { messages: 250 } },
    last: { removed: 250 },
  });
});

it('goes by what an interface says itself', async () => {
  policies = new Map([['kept', { days: 365, deadDays: 365 }]]);
  const messages = [await add(31, 'processed'), await add(31, 'processed', { interface: 'kept' })];
  const retention = open();
  await retention.run('cli');
  expect(await areThere(messages)).toEqual([false, true]);
  expect((await retention.view()).policies).toEqual([
    { days: 30, deadDays: 100 },
    { interface: 'kept', interfaceLabel: 'The kept', days: 365, deadDays: 365 },
  ]);
});

it('keeps everything where nothing is to go', async () => {
  const old = await add(5_000, 'processed');
  expect(await open({ policy: {} }).run('cli')).toMatchObject({ removed: 0, kept: 0 });
  expect(await areThere([old])).toEqual([true]);
});

it('takes old dead letters out of their queue as well', async () => {
  const message = buildMessage('C1', {
    receivedAt: new Date(Date.now() - 101 * dayMs).toISOString(),
  });
  const event = { messageId: message.id, at: message.receivedAt, queue };
  await client.ledger.append([{ type: 'message', envelope: message }]);
  await client.broker.publish(queue, message);
  const settled = Promise.withResolvers<undefined>();
  const consumer = await client.broker.consume(queue, { window: 1 }, (delivery) => {
    const entry = { type: 'event', event: { ...event, kind: 'dead-lettered' } } as const;
    void delivery.deadLetter([], [], [entry]).then(() => settled.resolve(undefined));
  });
  await settled.promise;
  await consumer.stop();
  expect(await client.broker.depths()).toMatchObject([{ dead: 1 }]);
  expect(await open().run('cli')).toMatchObject({ removed: 1 });
  expect(await client.broker.depths()).toMatchObject([{ dead: 0 }]);
});

it('lets the oldest go early where the file is too large, and never what waits', async () => {
  const mib = 1024 * 1024;
  const waiting = await add(25, 'queued', { body: Buffer.alloc(mib) });
  for (let day = 20; day > 0; day -= 1) await add(day, 'processed', { body: Buffer.alloc(mib) });
  const newest = await add(0, 'processed', { body: Buffer.alloc(mib) });
  const retention = open({ maxFileBytes: 12 * mib });
  const run = await retention.run('cli');
  const { fileBytes, freeBytes } = (await retention.view()).storage;
  expect(fileBytes - freeBytes).toBeLessThan(12 * mib);
  expect(run.removed).toBeGreaterThanOrEqual(10);
  expect(run.earlyBefore).toBeDefined();
  expect(await areThere([waiting, newest])).toEqual([true, true]);
});

it('says why a run failed, and the next one goes on', async () => {
  await add(31, 'processed');
  const retention = open();
  await here.leave();
  expect((await retention.run('cli')).failed).toMatch(/owner of the data file/);
  const connected = new Promise<void>((resolve) => {
    client.onState((state) => {
      if (state === 'connected') resolve();
    });
  });
  await here.open();
  await connected;
  expect(await retention.run('cli')).toMatchObject({ removed: 1 });
});
