import { randomBytes, randomUUID } from 'node:crypto';
import { connect } from 'amqplib';
import { openRabbitBroker } from '../../connectors/rabbitmq/broker.ts';
import type { OwnerClient } from '../../connectors/sqlite/client.ts';
import type { Envelope } from '../../core/envelope.ts';
import type { Broker, Delivery } from '../../core/ports/broker.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { ClaimCheckBroker } from '../../runtime/claim-check/claim-check-broker.ts';
import { until } from '../support/hilum.ts';
import { describeWith } from '../support/programs.ts';
import { startRabbit, type RabbitServer } from '../support/rabbitmq.ts';
import { buildMessage, OwnerHere, silent } from './owner.ts';

const mebibyte = 1024 * 1024;

describeWith('rabbitmq-server', 'a large message over RabbitMQ', () => {
  let server: RabbitServer;
  let owner: OwnerHere;
  let client: OwnerClient;
  let prefix: string;
  let brokers: Broker[];
  let lines: string[];

  beforeAll(async () => {
    server = await startRabbit();
  }, 150_000);
  afterAll(() => server.stop());

  beforeEach(async () => {
    prefix = `t${randomUUID().slice(0, 8)}`;
    brokers = [];
    lines = [];
    owner = new OwnerHere();
    await owner.open();
    client = await owner.connect();
  });
  afterEach(async () => {
    await Promise.all(brokers.map((broker) => broker.close()));
    await owner.close();
  });

  async function open(maxHeldBytes?: number): Promise<Broker> {
    const record = (entries: Parameters<typeof client.ledger.append>[0]) =>
      client.ledger.append(entries);
    const rabbit = await openRabbitBroker({ url: server.url, logger: silent, prefix, record });
    const logger: Logger = { ...silent, warn: (_, message) => lines.push(message) };
    const parts = { ledger: client.ledger, logger, clock: Date.now, patienceMs: 5_000 };
    const broker = new ClaimCheckBroker(rabbit, {
      ...parts,
      ...(maxHeldBytes === undefined ? {} : { maxHeldBytes }),
    });
    brokers.push(broker);
    await broker.declare({ name: 'in', interface: 'lab', topics: ['lab.*'] });
    await broker.declare({ name: 'out', interface: 'lab' });
    return broker;
  }

  /** What comes, in the order in which it is handed out. */
  async function consume(broker: Broker, queue: string, window = 16) {
    const deliveries: Delivery[] = [];
    const consumer = await broker.consume(queue, { window }, (delivery) =>
      deliveries.push(delivery),
    );
    const count = (wanted: number) =>
      until(
        () => Promise.resolve(deliveries.length),
        (found) => found >= wanted,
        20_000,
      );
    return { deliveries, count, consumer };
  }

  /** The messages of a queue of RabbitMQ as any other program sees them. */
  async function look(queue: string) {
    const connection = await connect(server.url);
    const channel = await connection.createChannel();
    const message = await channel.get(`${prefix}.${queue}`, { noAck: true });
    await connection.close();
    if (message === false) throw new Error('The queue is empty.');
    return message;
  }

  const large = (controlId: string, bytes = 20 * mebibyte): Envelope =>
    buildMessage(controlId, { body: randomBytes(bytes), key: controlId });

  it('comes as it was sent, although RabbitMQ takes only 16 MiB, and goes on to where its flow sends it', async () => {
    const broker = await open();
    const [sent, answer] = [large('L1'), large('L2')];
    await broker.publish('in', sent);
    const inbound = await consume(broker, 'in');
    await inbound.count(1);
    const [delivery] = inbound.deliveries;
    expect({ ...delivery?.envelope, body: undefined }).toEqual({ ...sent, body: undefined });
    expect(Buffer.compare(delivery?.envelope.body ?? Buffer.alloc(0), sent.body)).toBe(0);
    await delivery?.accept([{ queue: 'out', envelope: answer }]);
    const outbound = await consume(broker, 'out');
    await outbound.count(1);
    expect(outbound.deliveries[0]?.envelope.contentType).toBe(answer.contentType);
    expect(
      Buffer.compare(outbound.deliveries[0]?.envelope.body ?? Buffer.alloc(0), answer.body),
    ).toBe(0);
    await outbound.deliveries[0]?.accept();
  });

  it('travels as a reference from one byte above 1 MiB on, and as it is up to there', async () => {
    const broker = await open();
    await broker.publish('out', large('S1', mebibyte));
    expect((await look('out')).content.length).toBe(mebibyte);
    const sent = large('S2', mebibyte + 1);
    await broker.publish('out', sent);
    const { content, properties } = await look('out');
    expect(JSON.parse(content.toString())).toEqual({
      id: sent.id,
      contentType: sent.contentType,
      bytes: mebibyte + 1,
    });
    expect(properties).toMatchObject({
      contentType: 'application/vnd.hilum.reference+json',
      messageId: sent.id,
    });
  });

  it('is retried, published as an event, and dead-lettered as any other', async () => {
    const broker = await open();
    const sent = large('R1', 2 * mebibyte);
    await broker.publishEvent('lab.result', sent);
    const { deliveries, count } = await consume(broker, 'in');
    await count(1);
    await deliveries[0]?.retry(10);
    await count(2);
    expect(deliveries[1]?.envelope).toMatchObject({ id: sent.id, attempt: 2 });
    expect(Buffer.compare(deliveries[1]?.envelope.body ?? Buffer.alloc(0), sent.body)).toBe(0);
    await deliveries[1]?.deadLetter([{ code: 'test', severity: 'error', message: 'Given up.' }]);
    const dead = await look('in.dead');
    expect(JSON.parse(dead.content.toString())).toMatchObject({ id: sent.id });
    expect((await client.ledger.read(sent.id))?.body.length).toBe(2 * mebibyte);
  });

  it('is not overtaken, on the way in and on the way out', async () => {
    const broker = await open();
    const sent = Array.from({ length: 12 }, (_, at) =>
      large(`O${at}`, at % 3 === 0 ? 3 * mebibyte : 100),
    );
    await Promise.all(sent.map((each) => broker.publish('in', each)));
    const { deliveries, count } = await consume(broker, 'in');
    await count(12);
    const ids = (all: readonly { readonly controlId?: string }[]) => all.map((it) => it.controlId);
    expect(ids(deliveries.map(({ envelope }) => envelope))).toEqual(ids(sent));
  });

  it('is not published while the ledger is away, and waits with those behind it where it was', async () => {
    const broker = await open();
    const [sent, behind] = [large('W1', 2 * mebibyte), large('W2', 10)];
    await broker.publish('in', sent);
    await broker.publish('in', behind);
    await owner.leave();
    await expect(broker.publish('in', large('W3', 2 * mebibyte))).rejects.toMatchObject({
      errorClass: 'transient',
    });
    const { deliveries, count } = await consume(broker, 'in');
    await until(
      () => Promise.resolve(lines),
      (all) => all.length > 0,
      10_000,
    );
    expect(lines).toEqual([expect.stringContaining('The ledger is needed for the body')]);
    expect(deliveries).toEqual([]);
    await owner.open();
    await count(2);
    expect(deliveries.map(({ envelope }) => envelope.controlId)).toEqual(['W1', 'W2']);
  });

  it('that was to go out while the ledger is away leaves its message to be delivered again', async () => {
    const broker = await open();
    await broker.publish('in', buildMessage('A1'));
    const { deliveries, count } = await consume(broker, 'in');
    await count(1);
    const outgoing = [{ queue: 'out', envelope: large('A2', 2 * mebibyte) }];
    await owner.leave();
    await expect(deliveries[0]?.accept(outgoing)).rejects.toMatchObject({
      errorClass: 'transient',
    });
    await owner.open();
    await until(
      () => client.ledger.counts().then(Boolean, () => false),
      (is) => is,
      10_000,
    );
    await count(2);
    expect(deliveries[1]).toMatchObject({ redelivered: true });
    await deliveries[1]?.accept(outgoing);
    expect(JSON.parse((await look('out')).content.toString())).toMatchObject({
      id: outgoing[0]?.envelope.id,
    });
  });

  it('whose body nobody has is a dead letter that says so', async () => {
    const broker = await open();
    const sent = large('M1', 2 * mebibyte);
    await broker.publish('in', sent);
    await owner.close();
    // Another ledger, as after a restore from an older copy.
    owner = new OwnerHere();
    await owner.open();
    client = await owner.connect();
    const other = await open();
    await brokers[0]?.close();
    const { deliveries } = await consume(other, 'in');
    const dead = await until(
      () => look('in.dead').catch(() => undefined),
      (found) => found !== undefined,
      10_000,
    );
    expect(String(dead?.properties.headers?.['x-hilum-issues'])).toContain('body-missing');
    expect(deliveries).toEqual([]);
    expect((await client.ledger.states([sent.id])).get(sent.id)).toBe('dead-lettered');
  });

  it('is held in memory with others only as far as they have room', async () => {
    const broker = await open(5 * mebibyte);
    for (const controlId of ['H1', 'H2', 'H3']) {
      await broker.publish('in', large(controlId, 3 * mebibyte));
    }
    const { deliveries, count, consumer } = await consume(broker, 'in');
    await count(1);
    await deliveries[0]?.accept();
    await count(2);
    expect(deliveries).toHaveLength(2);
    // Who stops lets what has no room yet go back, when nothing before it is held any more.
    await consumer.stop();
    await deliveries[1]?.accept();
    const again = await consume(broker, 'in');
    await again.count(1);
    expect(again.deliveries.map(({ envelope }) => envelope.controlId)).toEqual(['H3']);
  });

  it('above 64 MiB is refused for good', async () => {
    const broker = await open();
    await expect(broker.publish('in', large('X1', 64 * mebibyte + 1))).rejects.toMatchObject({
      errorClass: 'permanent',
      issues: [expect.objectContaining({ code: 'message-too-large' })],
    });
  });
});
