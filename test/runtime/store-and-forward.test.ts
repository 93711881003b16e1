import { randomUUID } from 'node:crypto';
import { connect } from 'amqplib';
import { openRabbitBroker } from '../../connectors/rabbitmq/broker.ts';
import type { OwnerClient } from '../../connectors/sqlite/client.ts';
import type { ListenerDefinition } from '../../core/interface.ts';
import type { Broker } from '../../core/ports/broker.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Edge } from '../../runtime/edge/edge.ts';
import { waitForLedger } from '../../runtime/spool/ledger-spool.ts';
import { AwaitedBroker } from '../../runtime/store-and-forward/awaited-broker.ts';
import { StoreAndForward } from '../../runtime/store-and-forward/store-and-forward.ts';
import { withSpooled } from '../../runtime/store-and-forward/with-spooled.ts';
import { buildListener, openTestEdge } from '../support/edge.ts';
import { until } from '../support/hilum.ts';
import { buildLabResult, controlIdOf } from '../support/lab-results.ts';
import { MllpPartner, readAnswer } from '../support/mllp.ts';
import { describeWith } from '../support/programs.ts';
import { startRabbit, type RabbitServer } from '../support/rabbitmq.ts';
import { openTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { buildMessage, OwnerHere, silent } from './owner.ts';

const queue = 'in.listener';
const spool = `spool.${queue}`;

describeWith('rabbitmq-server', 'messages while RabbitMQ is away', () => {
  let server: RabbitServer;
  /** What Hilum reaches it by: where it refuses, RabbitMQ is as good as away, and back much sooner than one that starts. */
  let proxy: TcpProxy;
  let owner: OwnerHere;
  let client: OwnerClient;
  let prefix: string;
  let lines: string[];
  const closing: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    server = await startRabbit();
  }, 150_000);
  afterAll(() => server.stop());

  beforeEach(async () => {
    prefix = `t${randomUUID().slice(0, 8)}`;
    lines = [];
    proxy = await openTcpProxy({ port: server.port });
    owner = new OwnerHere();
    await owner.open();
    client = await owner.connect();
  });
  afterEach(async () => {
    if (server.pid === undefined) await server.start();
    proxy.restore();
    for (const close of closing.splice(0).reverse()) await close();
    await owner.close();
    await proxy.close();
  }, 150_000);

  /** What an edge puts messages with; as after a start of its process. */
  async function open(): Promise<{ readonly broker: Broker; readonly inlet: StoreAndForward }> {
    const log = (_: object, message: string): void => void lines.push(message);
    const logger: Logger = { ...silent, info: log, warn: log };
    const url = `amqp://guest:guest@127.0.0.1:${proxy.port}`;
    const remote = await AwaitedBroker.open(
      () => openRabbitBroker({ url, logger: silent, prefix, timeoutMs: 500 }),
      { patienceMs: 1_000, logger: silent },
    );
    const inlet = new StoreAndForward({
      remote,
      local: client.broker,
      ledgerSpool: waitForLedger(client.ledger),
      logger,
      clock: Date.now,
    });
    closing.push(() => remote.close());
    closing.push(() => inlet.stop());
    // Where it cannot be declared yet it is when RabbitMQ is there.
    if (server.pid !== undefined) await remote.declare({ name: queue, interface: 'lab' });
    return { broker: remote, inlet };
  }

  async function listen(
    parts: { readonly broker: Broker; readonly inlet: StoreAndForward },
    settings: Partial<ListenerDefinition> = {},
  ): Promise<{ readonly edge: Edge; readonly partner: MllpPartner }> {
    const { edge, ports } = await openTestEdge(
      { ...parts, ledger: client.ledger },
      buildListener(settings),
    );
    closing.push(() => edge.stop());
    const partner = await MllpPartner.connect(ports[0] ?? 0);
    return { edge, partner };
  }

  const spooled = async (): Promise<number> => {
    const depths = await client.broker.depths();
    const own = depths.find((each) => each.queue === spool);
    return (own?.ready ?? 0) + (own?.unsettled ?? 0);
  };

  /** The control ids that lie in the queue on RabbitMQ, taken out in their order. */
  async function take(count: number): Promise<readonly string[]> {
    const connection = await connect(server.url);
    connection.on('error', () => undefined);
    const channel = await connection.createChannel();
    const found: string[] = [];
    await until(
      async () => {
        for (;;) {
          const message = await channel.get(`${prefix}.${queue}`, { noAck: true });
          if (message === false) return found.length;
          found.push(String(message.properties.headers?.['x-hilum-control-id']));
        }
      },
      (all) => all >= count,
      60_000,
    );
    await connection.close();
    return found;
  }

  const send = async (partner: MllpPartner, index: number): Promise<string> =>
    readAnswer(await partner.send(buildLabResult({ index, patient: index })));

  it('are acknowledged, lie here, say so, and go on in their order before all that come later', async () => {
    const parts = await open();
    const { partner } = await listen(parts);
    expect(await send(partner, 1)).toBe(`AA ${controlIdOf(1)}`);
    expect(await spooled()).toBe(0);
    await server.kill();
    for (const index of [2, 3, 4, 5]) {
      expect(await send(partner, index)).toBe(`AA ${controlIdOf(index)}`);
    }
    expect(await spooled()).toBe(4);
    const shown = await withSpooled(parts.broker, client.broker).depths();
    expect(shown).toEqual([expect.objectContaining({ queue: spool, interface: 'lab' })]);
    const { events = [] } = (await client.ledger.trace(controlIdOf(3))) ?? {};
    expect(events.map(({ kind }) => kind)).toEqual(['received', 'queued']);
    expect(events[1]).toMatchObject({
      queue,
      summary: expect.stringContaining('spooled here until RabbitMQ is back') as string,
    });
    // A copy of what lies here is acknowledged, and lies here once.
    expect(await send(partner, 3)).toBe(`AA ${controlIdOf(3)}`);
    expect(await spooled()).toBe(4);
    await server.start();
    const indices = [1, 2, 3, 4, 5];
    for (let index = 6; (await spooled()) > 0; index += 1) {
      expect(await send(partner, index)).toBe(`AA ${controlIdOf(index)}`);
      indices.push(index);
    }
    await until(
      () => Promise.resolve(lines),
      (all) => all.length >= 2,
      10_000,
    );
    expect(await send(partner, 9_999)).toBe(`AA ${controlIdOf(9_999)}`);
    const taken = await take(indices.length + 1);
    // What RabbitMQ did not confirm in time comes twice: the first counts, and the ledger takes it once.
    expect([...new Set(taken)]).toEqual([...indices, 9_999].map(controlIdOf));
    expect(await spooled()).toBe(0);
    expect(lines).toEqual([
      expect.stringContaining('spooled here until it is back'),
      expect.stringContaining('has everything'),
    ]);
  }, 150_000);

  it('lie here over a restart of the edge, which starts without RabbitMQ and puts others behind them', async () => {
    const first = await open();
    proxy.refuse();
    for (const name of ['a', 'b', 'c']) {
      expect(await first.inlet.put(queue, buildMessage(name))).toBe('spooled');
    }
    for (const close of closing.splice(0).reverse()) await close();
    const second = await open();
    await second.broker.declare({ name: queue, interface: 'lab' });
    const { partner } = await listen(second);
    expect(await send(partner, 1)).toBe(`AA ${controlIdOf(1)}`);
    expect(await spooled()).toBe(4);
    proxy.restore();
    expect(await take(4)).toEqual(['a', 'b', 'c', controlIdOf(1)]);
    await until(spooled, (count) => count === 0, 10_000);
  }, 150_000);

  it('keep the order of many that were on their way when it went', async () => {
    const { inlet } = await open();
    const names = Array.from({ length: 400 }, (_, at) => `m${at}`);
    const putting = names.slice(0, 200).map((name) => inlet.put(queue, buildMessage(name)));
    await putting[0];
    await server.kill();
    putting.push(...names.slice(200).map((name) => inlet.put(queue, buildMessage(name))));
    const where = await Promise.all(putting);
    expect(new Set(where.slice(200))).toEqual(new Set(['spooled']));
    await server.start();
    const taken = await take(names.length);
    expect([...new Set(taken)]).toEqual(names);
  }, 150_000);

  it('whose sender waits for their flow are answered as any that take too long', async () => {
    const parts = await open();
    const { partner } = await listen(parts, {
      acknowledge: 'processed',
      wait: { timeoutMs: 1_000, onTimeout: 'error' },
    });
    proxy.refuse();
    expect(await send(partner, 1)).toBe(`AE ${controlIdOf(1)}`);
    expect(await spooled()).toBe(1);
  }, 150_000);

  it('are refused where they can lie nowhere, and where no queue is theirs', async () => {
    const { inlet } = await open();
    await expect(inlet.put('in.unknown', buildMessage('u'))).rejects.toMatchObject({
      errorClass: 'permanent',
    });
    proxy.refuse();
    await owner.leave();
    await expect(inlet.put(queue, buildMessage('n'))).rejects.toMatchObject({
      errorClass: 'transient',
    });
    await owner.open();
    await until(() => client.broker.depths().then(Boolean, () => false), Boolean, 10_000);
    expect(await inlet.put(queue, buildMessage('o'))).toBe('spooled');
    proxy.restore();
    expect(await take(1)).toEqual(['o']);
  }, 150_000);
});
