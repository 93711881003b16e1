import path from 'node:path';
import { openRabbitBroker } from '../../../connectors/rabbitmq/broker.ts';
import type { OwnerClient } from '../../../connectors/sqlite/client.ts';
import type { Broker } from '../../../core/ports/broker.ts';
import type { LedgerEntry, LedgerEventKind } from '../../../core/ports/ledger.ts';
import { Administrator } from '../../../runtime/admin/administrator.ts';
import { keptInFile } from '../../../runtime/admin/kept.ts';
import { PausedQueues } from '../../../runtime/admin/paused-queues.ts';
import { PuttingBack } from '../../../runtime/admin/putting-back.ts';
import { HeldMessages } from '../../../runtime/held/held-messages.ts';
import { until } from '../../support/hilum.ts';
import { describeWith } from '../../support/programs.ts';
import { startRabbit, type RabbitServer } from '../../support/rabbitmq.ts';
import { makeTempFolder } from '../../support/temp.ts';
import { buildMessage, OwnerHere, silent } from '../owner.ts';

const loose = 'in.loose';
const ordered = 'in.ordered';
const issues = [{ code: 'code-unmapped-held', severity: 'error', message: 'It waits.' }] as const;
const held = [{ node: 'map', layers: '', table: 'wards', code: 'A', source: 'PV1-3' }];

describeWith('rabbitmq-server', 'what is put back into a queue of RabbitMQ', () => {
  let server: RabbitServer;
  let owner: OwnerHere;
  let client: OwnerClient;
  let broker: Broker;
  let puttingBack: PuttingBack;
  let working: HeldMessages;
  let administrator: Administrator;
  let released: string[];
  let now = Date.now();

  beforeAll(async () => {
    server = await startRabbit();
  }, 150_000);

  afterAll(async () => {
    await server.stop();
  });

  beforeEach(async () => {
    owner = new OwnerHere();
    await owner.open();
    client = await owner.connect();
    broker = await openRabbitBroker({
      ...{ url: server.url, prefix: `t${now}`, logger: silent, timeoutMs: 1_000 },
    });
    await broker.declare({ name: loose, interface: 'lab' });
    await broker.declare({ name: ordered, interface: 'lab', order: { lanes: 1 } });
    released = [];
    const { ledger, retention } = client;
    const stores = { broker, ledger, retention };
    const clock = (): number => (now += 1);
    const queues = () =>
      new Map([
        [loose, { isOrdered: false }],
        [ordered, { isOrdered: true }],
      ]);
    const onRelease = (_queue: string, key: string): void => void released.push(key);
    puttingBack = new PuttingBack({ stores, logger: silent, queues });
    const kept = (name: string) => keptInFile(path.join(makeTempFolder('held'), name));
    working = new HeldMessages({
      ...{ stores, logger: silent, clock, kept: kept('decisions'), puttingBack, queues },
      deployed: () => Promise.resolve({ isAwaited: () => false, findRow: () => undefined }),
      settled: () => Promise.resolve(),
      ...{ paused: () => [], onRelease, labelOf: () => undefined },
      pace: { patienceMs: 50 },
    });
    administrator = new Administrator({
      stores: stores as unknown as ConstructorParameters<typeof Administrator>[0]['stores'],
      ...{ logger: silent, clock, puttingBack, onRelease },
      paused: await PausedQueues.open(kept('paused')),
      queues: () => [loose, ordered],
      keepsOrder: (queue) => queue === ordered,
      onPaused: () => undefined,
    });
  }, 60_000);

  afterEach(async () => {
    await working.stop();
    await broker.close();
    await owner.close();
  }, 60_000);

  const event = (messageId: string, kind: LedgerEventKind, more: object = {}): LedgerEntry => {
    const at = new Date((now += 1)).toISOString();
    return { type: 'event', event: { messageId, kind, at, ...more } };
  };
  async function setAside(queue: string, more: object = { issues, held }): Promise<string> {
    const envelope = buildMessage('M1', { key: 'K' });
    const parked = event(envelope.id, 'parked', { queue, ...more });
    await client.ledger.append([{ type: 'message', envelope }, parked]);
    return envelope.id;
  }
  const stateOf = async (id: string) => (await client.ledger.states([id])).get(id);
  const consume = () =>
    broker.consume(loose, { window: 5 }, (delivery) => {
      void client.ledger
        .append([event(delivery.envelope.id, 'processed', { queue: loose })])
        .then(() => delivery.accept());
    });
  const untilProcessed = (id: string): Promise<unknown> =>
    until(
      () => stateOf(id),
      (state) => state === 'processed',
      30_000,
    );

  it('comes back by itself, although those of another queue went on meanwhile', async () => {
    await consume();
    const id = await setAside(loose);
    const other = await setAside(ordered);
    await puttingBack.work();
    await server.kill();
    await expect(working.look()).rejects.toThrow();
    // What is decided is decided; RabbitMQ has it not.
    expect([await stateOf(id), await stateOf(other)]).toEqual(['retrying', 'retrying']);
    expect(released).toHaveLength(1);
    await expect(puttingBack.work()).rejects.toThrow();
    await server.start();
    working.start();
    await untilProcessed(id);
    expect(puttingBack.count).toBe(1);
  }, 120_000);

  it('comes back by itself where a person has released it while RabbitMQ was away', async () => {
    await consume();
    const id = await setAside(loose, { issues });
    await puttingBack.work();
    await server.kill();
    const queueAndId = { queue: loose, id };
    await administrator.release(queueAndId, 'again', { by: 'ada' });
    expect(await stateOf(id)).toBe('retrying');
    await server.start();
    working.start();
    await untilProcessed(id);
  }, 120_000);

  it('is read one message at a time, in its order, however much there is of a key', async () => {
    const [count, bytes] = [5_000, 20_000];
    const ids: string[] = [];
    for (let at = 0; at < count; at += 100) {
      const entries = Array.from({ length: 100 }, () => {
        const envelope = buildMessage('M1', { key: 'K', body: Buffer.alloc(bytes, 'x') });
        ids.push(envelope.id);
        return [
          { type: 'message', envelope } as const,
          event(envelope.id, 'parked', { queue: loose, issues }),
          event(envelope.id, 'resumed', { queue: loose }),
        ];
      });
      await client.ledger.append(entries.flat());
    }
    const sizeNow = (): number => {
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      return heapUsed + arrayBuffers;
    };
    globalThis.gc?.();
    const before = sizeNow();
    let most = 0;
    const publish = broker.publish.bind(broker);
    const got: string[] = [];
    // The real thing, and looked at on the way.
    broker.publish = async (queue, envelope) => {
      most = Math.max(most, sizeNow() - before);
      got.push(envelope.id);
      await publish(queue, envelope);
    };
    await puttingBack.work();
    expect(got).toEqual(ids);
    expect(puttingBack.count).toBe(count);
    process.stdout.write(`put back: ${count} of 20 kB, up to ${Math.round(most / 1e6)} MB more\n`);
    // All at once would be 100 MB and more.
    expect(most).toBeLessThan(60_000_000);
  }, 300_000);
});
