import { randomUUID } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import type { OwnerClient } from '../../../connectors/sqlite/client.ts';
import type { Envelope } from '../../../core/envelope.ts';
import type { Delivery } from '../../../core/ports/broker.ts';
import type { LedgerEntry, LedgerEvent } from '../../../core/ports/ledger.ts';
import { OwnerFixture } from './support.ts';
import { parkedKeys } from '../../support/parked.ts';

const queue = 'in.journal';
const told = '{\u007fa\u007f:"\\r ä\u0001"}';

describe('what is in the journal and not yet in the tables', () => {
  let owner: OwnerFixture;
  let client: OwnerClient;
  beforeEach(async () => {
    owner = new OwnerFixture();
    await owner.start();
    client = await owner.connect();
    await client.broker.declare({ name: queue, interface: 'test' });
  });
  afterEach(() => owner.close());

  /** Kills the owner, and connects to the next one. */
  async function restart(): Promise<OwnerClient> {
    await owner.kill();
    await owner.disconnect();
    await owner.start();
    client = await owner.connect();
    return client;
  }

  /** A question for what is in the tables has them written. */
  const writeBack = (): Promise<unknown> => client.ledger.ages();

  it.each(['in the journal', 'in the tables', 'in both'] as const)(
    'is known after a kill: every settlement, %s',
    async (where) => {
      const [accepted, retried, dead, held] = [1, 2, 3, 4].map(() => buildEnvelope());
      const all = [accepted!, retried!, dead!, held!];
      for (const envelope of all) await client.broker.publish(queue, envelope);
      if (where !== 'in the journal') await writeBack();
      const deliveries = await take(client, 4);
      await deliveries[0]!.accept();
      await deliveries[1]!.retry(3_600_000);
      await deliveries[2]!.deadLetter([{ code: 'why', severity: 'error', message: 'because' }]);
      if (where === 'in the tables') await writeBack();
      await restart();
      expect(await client.broker.depths()).toMatchObject([{ queue, ready: 2, dead: 1 }]);
      const [again] = await take(client, 1);
      expect(again!.envelope).toEqual(held);
      expect(again!.redelivered).toBe(true);
      const [letter] = await take(client, 1, `${queue}.dead`);
      expect(letter!.envelope).toEqual(dead);
      // Its id is still taken, the others' are free.
      await client.broker.publish(queue, retried!);
      await client.broker.publish(queue, accepted!);
      expect(await client.broker.depths()).toMatchObject([{ ready: 2, unsettled: 1 }]);
    },
  );

  it.each([false, true])(
    'is known after a kill: messages, events, who waits and is set aside (written before: %s)',
    async (isWritten) => {
      const [first, second] = [buildEnvelope({ key: 'k' }), buildEnvelope({ key: 'k' })];
      await client.ledger.append([
        { type: 'message', envelope: first },
        event(first, 'received', 0),
        event(first, 'queued', 1, { queue }),
        { type: 'message', envelope: second },
        event(second, 'queued', 2, { queue }),
      ]);
      if (isWritten) await writeBack();
      const issues = [{ code: 'x', severity: 'error', message: 'Expected y.' }] as const;
      await client.ledger.append([
        event(first, 'taken', 3, { queue, attempt: 2, summary: 'a "quoted" word' }),
        event(first, 'parked', 4, { queue, issues }),
        event(second, 'parked', 5, { queue }),
        { type: 'changes', changes: { messageId: first.id, text: told } },
      ]);
      const ask = async () => ({
        traces: [await client.ledger.trace(first.id), await client.ledger.trace(second.id)],
        read: await client.ledger.read(first.id),
        changes: await client.ledger.changes(first.id),
        waiting: await client.ledger.waiting(queue, { limit: 10 }),
        parked: await parkedKeys(client.ledger),
        behind: await client.ledger.readParked(queue, 'k', 10),
        counts: new Set((await client.ledger.counts()).map((each) => JSON.stringify(each))),
      });
      await restart();
      const after = await ask();
      expect(after.traces[0]?.events.map(({ kind }) => kind)).toEqual([
        'received',
        'queued',
        'taken',
        'parked',
      ]);
      expect(after.traces[0]?.events[2]).toMatchObject({ summary: 'a "quoted" word', attempt: 2 });
      expect(after.traces[0]?.events[3]?.issues).toEqual(issues);
      expect(after.read).toEqual(first);
      expect(after.changes).toEqual({ messageId: first.id, text: told });
      expect(after.waiting.map(({ id }) => id)).toEqual([first.id, second.id]);
      expect(after.parked).toMatchObject([{ firstId: first.id, parked: 2, isStopped: true }]);
      expect(after.behind.map(({ id }) => id)).toEqual([first.id, second.id]);
      await restart();
      expect(await ask()).toEqual(after);
    },
  );

  it('finds a copy of a message that is not in the tables yet, and none of one that was refused', async () => {
    const envelope = buildEnvelope({ controlId: 'C1' });
    const query = { interface: 'test', controlId: 'C1', since: '2026-01-01T00:00:00.000Z' };
    const digest = 'of the content';
    await client.ledger.append([
      { type: 'message', envelope, digest },
      event(envelope, 'queued', 0),
    ]);
    const same = await client.ledger.findReceived([{ ...query, digest }]);
    const other = await client.ledger.findReceived([{ ...query, digest: 'of another' }]);
    const receipt = { id: envelope.id, state: 'queued', receivedAt: envelope.receivedAt };
    expect(same).toEqual([{ ...receipt, hasSameContent: true }]);
    expect(other).toEqual([{ ...receipt, hasSameContent: false }]);
    await writeBack();
    expect(await client.ledger.findReceived([{ ...query, digest }])).toEqual(same);
    await client.ledger.append([event(envelope, 'refused', 1)]);
    expect(await client.ledger.findReceived([{ ...query, digest }])).toEqual([undefined]);
  });

  it('stores the bytes of queue and ledger once, and as long as one of them has them', async () => {
    const [shared, alone, copied] = [1, 2, 3].map(() => buildEnvelope());
    await client.broker.declare({ name: 'event.a', interface: 'test', topics: ['a.b'] });
    await client.broker.declare({ name: 'event.b', interface: 'test', topics: ['a.b'] });
    await Promise.all([
      client.broker.publish(queue, shared!),
      client.ledger.append([{ type: 'message', envelope: shared! }]),
      client.broker.publish(queue, alone!),
      client.broker.publishEvent('a.b', copied!),
    ]);
    await writeBack();
    // One of the ledger and its queue, one of the queue alone, one each of the two that got the event.
    expect(countContents(owner.file)).toBe(4);
    for (const delivery of await take(client, 2)) await delivery.accept();
    await (await take(client, 1, 'event.a'))[0]!.accept();
    await writeBack();
    expect(countContents(owner.file)).toBe(2);
    expect((await client.ledger.read(shared!.id))?.body).toEqual(shared!.body);
    const [copy] = await take(client, 1, 'event.b');
    expect(copy!.envelope.body).toEqual(copied!.body);
  });

  it('puts a message in its place by time whose events came long before it', async () => {
    const at = (second: number) => `2026-01-02T03:04:0${second}.000Z`;
    const [early, late] = [1, 2].map((second) => buildEnvelope({ receivedAt: at(second) }));
    await client.ledger.append([event(early!, 'taken', 9_000, { queue })]);
    await client.ledger.append([{ type: 'message', envelope: late! }]);
    await writeBack();
    await client.ledger.append([
      { type: 'message', envelope: early! },
      event(early!, 'queued', 1, { queue }),
    ]);
    const found = await client.ledger.find({ interface: 'test' }, { limit: 9, order: 'oldest' });
    expect(found.map(({ id }) => id)).toEqual([early!.id, late!.id]);
    const trace = await client.ledger.trace(early!.id);
    expect(trace?.events.map(({ kind }) => kind)).toEqual(['queued', 'taken']);
    const waiting = await client.ledger.waiting(queue, { limit: 9 });
    expect(waiting.map(({ id }) => id)).toEqual([early!.id]);
  });

  it('keeps the order of more messages of one instant than it has numbers for, and of what comes late', async () => {
    const instant = '2026-01-02T03:04:05.678Z';
    const many = Array.from({ length: 5_000 }, () => buildEnvelope({ receivedAt: instant }));
    const late = buildEnvelope({ receivedAt: '2026-01-02T03:04:05.677Z' });
    for (const envelopes of [many.slice(0, 1_000), many.slice(1_000), [late]]) {
      await client.ledger.append(envelopes.map((envelope) => ({ type: 'message', envelope })));
      await writeBack();
    }
    const found = await client.ledger.find({}, { limit: 6_000, order: 'oldest' });
    expect(found.map(({ id }) => id)).toEqual([late, ...many].map(({ id }) => id));
  });
});

function take(client: OwnerClient, count: number, name = queue): Promise<Delivery[]> {
  return new Promise((resolve, reject) => {
    const taken: Delivery[] = [];
    client.broker
      .consume(name, { window: count }, (delivery) => {
        taken.push(delivery);
        if (taken.length === count) resolve(taken);
      })
      .catch(reject);
  });
}

function countContents(file: string): unknown {
  const database = new DatabaseSync(file, { readOnly: true });
  const row = database.prepare('SELECT count(*) AS count FROM content').get();
  database.close();
  return row?.['count'];
}

function event(
  { id }: Envelope,
  kind: LedgerEvent['kind'],
  ms: number,
  more: Partial<LedgerEvent> = {},
): LedgerEntry {
  const at = new Date(Date.parse('2026-01-02T03:04:05.000Z') + ms).toISOString();
  return { type: 'event', event: { messageId: id, kind, at, ...more } };
}

function buildEnvelope(fields: Partial<Envelope> = {}): Envelope {
  const id = randomUUID();
  return {
    id,
    interface: 'test',
    contentType: 'text/plain',
    correlationId: id,
    receivedAt: '2026-01-02T03:04:05.000Z',
    attempt: 1,
    body: Buffer.from(id),
    ...fields,
  };
}
