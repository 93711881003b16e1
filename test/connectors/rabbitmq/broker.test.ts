import { randomUUID } from 'node:crypto';
import type { ChannelModel, ConfirmChannel } from 'amqplib';
import { connect } from 'amqplib';
import { openRabbitBroker } from '../../../connectors/rabbitmq/broker.ts';
import { Connection } from '../../../connectors/rabbitmq/connection.ts';
import { findIssues, toAmqpMessage } from '../../../connectors/rabbitmq/message.ts';
import { Publisher } from '../../../connectors/rabbitmq/publisher.ts';
import { buildNames } from '../../../connectors/rabbitmq/names.ts';
import type { Envelope } from '../../../core/envelope.ts';
import { buildError, findFailure } from '../../../core/errors.ts';
import type { Issue } from '../../../core/issue.ts';
import type { Broker, Delivery } from '../../../core/ports/broker.ts';
import type { LedgerEntry } from '../../../core/ports/ledger.ts';
import type { Logger } from '../../../core/ports/logger.ts';
import { describeBroker } from '../../contract/broker.ts';
import { describeWith } from '../../support/programs.ts';
import type { RabbitServer } from '../../support/rabbitmq.ts';
import { startRabbit } from '../../support/rabbitmq.ts';
import { openTcpProxy } from '../../support/tcp-proxy.ts';

const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

describeWith('rabbitmq-server', 'RabbitMQ', () => {
  let server: RabbitServer;
  const deleteQueue = (name: string): Promise<unknown> =>
    withChannel(server.url, (channel) => channel.deleteQueue(name));

  beforeAll(async () => {
    server = await startRabbit();
  }, 150_000);

  afterAll(async () => {
    await server.stop();
  });

  describeBroker(
    'RabbitMQ',
    async () => {
      const proxy = await openTcpProxy({ port: server.port });
      // A prefix of its own, so that a test sees nothing of the one before it.
      const prefix = `t${randomUUID().slice(0, 8)}`;
      const recorded = new Set<string>();
      const record = (entries: readonly LedgerEntry[]): Promise<void> => {
        for (const entry of entries)
          if (entry.type === 'event') recorded.add(entry.event.messageId);
        return Promise.resolve();
      };
      const open = (port: number): Promise<Broker> =>
        openRabbitBroker({
          url: `amqp://guest:guest@127.0.0.1:${port}`,
          logger: silent,
          prefix,
          record,
        });
      const broker = await open(proxy.port);
      const others: Broker[] = [];
      return {
        broker,
        async reopen() {
          const other = await open(server.port);
          others.push(other);
          return other;
        },
        cut() {
          proxy.cut();
          return Promise.resolve();
        },
        async restart() {
          await server.kill();
          await server.start();
        },
        async refuseToStore() {
          await server.ctl('set_vm_memory_high_watermark', 'absolute', '1MB');
          return async () => {
            await server.ctl('set_vm_memory_high_watermark', '0.4');
          };
        },
        async deadLetters(queue) {
          return withChannel(server.url, async (channel) => {
            const name = buildNames(prefix).dead(queue);
            const letters: { id: string; issues: readonly Issue[] }[] = [];
            for (;;) {
              const message = await channel.get(name);
              if (message === false) return letters;
              letters.push({
                id: String(message.properties.messageId),
                issues: findIssues(message),
              });
            }
          });
        },
        recorded: (ids) => Promise.resolve(ids.filter((id) => recorded.has(id))),
        async close() {
          await Promise.all([broker, ...others].map((client) => client.close()));
          await proxy.close();
        },
      };
    },
    { keepsOrderOverCrash: false },
  );

  describe('RabbitMQ alone', () => {
    let broker: Broker;
    let prefix: string;
    let queue: string;

    beforeEach(async () => {
      prefix = `t${randomUUID().slice(0, 8)}`;
      queue = 'in.test';
      broker = await openRabbitBroker({ url: server.url, logger: silent, prefix });
      await broker.declare({ name: queue, interface: 'tab-1' });
    });

    afterEach(async () => {
      await broker.close();
    });

    it('reports a queue whose arguments differ, with the remedy, and leaves it alone', async () => {
      const name = `${prefix}.in.other`;
      await withChannel(server.url, async (channel) => {
        await channel.assertQueue(name, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
        await publishForeign(channel, '', name, Buffer.from('kept'), {});
      });
      const failure = await failureOf(broker.declare({ name: 'in.other', interface: 'tab-1' }));
      expect(failure).toMatchObject({ errorClass: 'permanent' });
      expect(failure.issues[0]?.code).toBe('broker-topology-differs');
      expect(failure.issues[0]?.message).toContain(name);
      expect(failure.issues[0]?.message).toContain(`rabbitmqctl delete_queue ${name}`);
      const count = await withChannel(server.url, (channel) => channel.checkQueue(name));
      expect(count.messageCount).toBe(1);
      // Other queues are served as before.
      await broker.publish(queue, buildEnvelope());
    });

    it('delivers what a foreign publisher sent, with what it said and sensible defaults', async () => {
      await broker.declare({ name: 'sub.foreign', interface: 'tab-2', topics: ['lab.*'] });
      const uuid = randomUUID();
      await withChannel(server.url, async (channel) => {
        await publishForeign(channel, `${prefix}.events`, 'lab.order', Buffer.from('{"a":1}'), {
          messageId: uuid,
          contentType: 'application/json',
          type: 'Order',
          correlationId: 'order-7',
          timestamp: 1_767_323_045,
        });
        await publishForeign(channel, `${prefix}.events`, 'lab.order', Buffer.from('x'), {
          messageId: '1',
        });
        await publishForeign(channel, `${prefix}.events`, 'lab.order', Buffer.from('y'), {
          messageId: '1',
        });
        await publishForeign(channel, `${prefix}.events`, 'lab.order', Buffer.from([0, 255]), {});
      });
      const [told, first, second, bare] = await takeMany(broker, 'sub.foreign', 4);
      expect({ ...told!.envelope, body: undefined }).toEqual({
        id: uuid,
        interface: 'tab-2',
        contentType: 'application/json',
        messageType: 'Order',
        correlationId: 'order-7',
        receivedAt: '2026-01-02T03:04:05.000Z',
        attempt: 1,
        body: undefined,
      });
      expect(Buffer.from(told!.envelope.body).toString()).toBe('{"a":1}');
      // The same number from two publishers is two messages.
      expect(first!.envelope.id).toMatch(/^1-[0-9a-f]{16}$/);
      expect(second!.envelope.id).not.toBe(first!.envelope.id);
      expect(bare!.envelope).toMatchObject({
        contentType: 'application/octet-stream',
        correlationId: bare!.envelope.id,
      });
      // A retry keeps the id that it was given.
      await bare!.retry(0);
    });

    it('shows foreign consumers the bytes, the content type and the message type', async () => {
      const envelope = { ...buildEnvelope(), messageType: 'ORU^R01^ORU_R01' };
      await broker.publish(queue, envelope);
      await withChannel(server.url, async (channel) => {
        const message = await channel.get(`${prefix}.${queue}`, { noAck: true });
        if (message === false) throw new Error('Expected a message.');
        expect(message.content.equals(envelope.body)).toBe(true);
        expect(message.properties).toMatchObject({
          contentType: 'application/hl7-v2',
          type: 'ORU^R01^ORU_R01',
          messageId: envelope.id,
          correlationId: envelope.correlationId,
          deliveryMode: 2,
        });
      });
    });

    it('parks for a delay longer than its longest retry queue, again and again', async () => {
      await broker.publish(queue, buildEnvelope());
      const [delivery] = await takeMany(broker, queue, 1);
      await delivery!.retry(900_000);
      const parked = `${prefix}.${queue}.retry.10m`;
      const name = `${prefix}.${queue}`;
      await withChannel(server.url, async (channel) => {
        // As if ten minutes had passed: what expires goes to the work queue.
        const message = await channel.get(parked, { noAck: true });
        if (message === false) throw new Error('Expected a parked message.');
        await publishForeign(channel, '', name, message.content, message.properties);
        // Five minutes are left, which the ten-minute queue is the next one for.
        await until(async () => (await channel.checkQueue(parked)).messageCount === 1);
        expect((await channel.checkQueue(name)).messageCount).toBe(0);
      });
      expect(await broker.depths()).toMatchObject([{ queue, ready: 1, dead: 0 }]);
    });

    it('dead-letters with reasons that fit, however many there are', async () => {
      await broker.publish(queue, buildEnvelope());
      const [delivery] = await takeMany(broker, queue, 1);
      const issues = Array.from({ length: 2_000 }, (_, index): Issue => ({
        code: 'too-long',
        severity: 'error',
        location: `OBX[${index + 1}]-5`,
        message: 'The value is longer than its length allows. '.repeat(50),
      }));
      await delivery!.deadLetter(issues);
      expect(await broker.depths()).toMatchObject([{ queue, ready: 0, dead: 1 }]);
    });

    it('refuses a body that RabbitMQ 4 would not take, and serves the next', async () => {
      const failure = await failureOf(
        broker.publish(queue, { ...buildEnvelope(), body: Buffer.alloc(16 * 1024 * 1024 + 1) }),
      );
      expect(failure.issues[0]?.code).toBe('message-too-large');
      await broker.publish(queue, buildEnvelope());
    });

    it('refuses a header that AMQP cannot hold, and serves the next', async () => {
      const failure = await failureOf(
        broker.publish(queue, { ...buildEnvelope(), key: 'k'.repeat(70_000) }),
      );
      expect(failure.issues[0]?.code).toBe('message-unencodable');
      await broker.publish(queue, buildEnvelope());
    });

    it('refuses to consume a queue that does not exist', async () => {
      const failure = await failureOf(broker.consume('in.nobody', { window: 1 }, () => undefined));
      expect(failure.issues[0]?.code).toBe('queue-missing');
    });

    const entryOf = ({ envelope }: Delivery): LedgerEntry => ({
      type: 'event',
      event: { messageId: envelope.id, kind: 'processed', at: '2026-01-02T03:04:05.678Z' },
    });

    it('tells the ledger after what goes out, and settles after the ledger', async () => {
      const order: string[] = [];
      const recorder = await openRabbitBroker({
        url: server.url,
        logger: silent,
        prefix,
        record: async () => {
          const depths = await broker.depths();
          const held = depths.find((each) => each.queue === queue);
          const out = depths.find((each) => each.queue === 'out.test');
          order.push(`recorded with ${out?.ready} out and ${held?.ready} back`);
        },
      });
      try {
        await broker.declare({ name: 'out.test', interface: 'tab-1' });
        await recorder.declare({ name: 'out.test', interface: 'tab-1' });
        await broker.publish(queue, buildEnvelope());
        const [delivery] = await takeMany(recorder, queue, 1);
        const out = { queue: 'out.test', envelope: buildEnvelope() };
        await delivery!.accept([out], [entryOf(delivery!)]);
        order.push('settled');
        expect(order).toEqual(['recorded with 1 out and 0 back', 'settled']);
      } finally {
        await recorder.close();
      }
    });

    it('delivers again what the ledger could not be told of', async () => {
      const recorder = await openRabbitBroker({
        url: server.url,
        logger: silent,
        prefix,
        record: () => Promise.reject(buildError('transient', 'ledger-unavailable', 'It is away.')),
      });
      try {
        const envelope = buildEnvelope();
        await broker.publish(queue, envelope);
        const seen: string[] = [];
        let deliveries = 0;
        await recorder.consume(queue, { window: 1 }, (delivery) => {
          deliveries += 1;
          seen.push(delivery.envelope.id);
          if (deliveries > 1) return;
          void failureOf(delivery.accept([], [entryOf(delivery)])).then((failure) =>
            seen.push(failure.issues[0]?.code ?? ''),
          );
        });
        await until(() => Promise.resolve(seen.length === 3));
        expect(seen).toEqual([envelope.id, 'ledger-unavailable', envelope.id]);
      } finally {
        await recorder.close();
      }
    });

    it('rejects an acceptance whose channel was lost after what goes out was confirmed', async () => {
      const proxy = await openTcpProxy({ port: server.port });
      const recorder = await openRabbitBroker({
        url: `amqp://guest:guest@127.0.0.1:${proxy.port}`,
        logger: silent,
        prefix,
        // What goes out is stored by now.
        record: async () => {
          proxy.cut();
          await voided.promise;
        },
      });
      const voided = Promise.withResolvers<undefined>();
      try {
        await recorder.declare({ name: 'out.test', interface: 'tab-1' });
        await broker.declare({ name: 'out.test', interface: 'tab-1' });
        const envelope = buildEnvelope();
        await broker.publish(queue, envelope);
        const seen: Delivery[] = [];
        const rejected = Promise.withResolvers<string | undefined>();
        await recorder.consume(queue, { window: 1 }, (delivery) => {
          seen.push(delivery);
          if (seen.length > 1) return;
          delivery.voided.addEventListener('abort', () => voided.resolve(undefined));
          const out = { queue: 'out.test', envelope: buildEnvelope() };
          void failureOf(delivery.accept([out], [entryOf(delivery)])).then((failure) =>
            rejected.resolve(failure.issues[0]?.code),
          );
        });
        expect(await rejected.promise).toBe('broker-unavailable');
        await until(() => Promise.resolve(seen.length === 2));
        expect(seen[1]!.envelope.id).toBe(envelope.id);
        expect(seen[1]!.redelivered).toBe(true);
        const depths = await broker.depths();
        expect(depths.find((each) => each.queue === 'out.test')?.ready).toBe(1);
      } finally {
        await recorder.close();
        await proxy.close();
      }
    });

    it('opens the channel of a message that is held long again, and keeps the order', async () => {
      await broker.declare({ name: 'in.long', interface: 'tab-1', order: { lanes: 1 } });
      const holder = await openRabbitBroker({
        url: server.url,
        logger: silent,
        prefix,
        recycleAfterMs: 1_000,
      });
      try {
        await holder.declare({ name: 'in.long', interface: 'tab-1', order: { lanes: 1 } });
        const sent = [buildEnvelope(), buildEnvelope(), buildEnvelope()];
        for (const envelope of sent) await broker.publish('in.long', envelope);
        const seen: Delivery[] = [];
        await holder.consume('in.long', { window: 2 }, (delivery) => seen.push(delivery));
        await until(() => Promise.resolve(seen.length === 2));
        await until(() => Promise.resolve(seen.length === 4));
        expect(seen[0]!.voided.aborted).toBe(true);
        expect((await failureOf(seen[0]!.accept())).issues[0]?.code).toBe('broker-unavailable');
        await seen[2]!.accept();
        await until(() => Promise.resolve(seen.length === 5));
        const ids = sent.map(({ id }) => id);
        const [first, second, third] = ids;
        expect(seen.map(({ envelope }) => envelope.id)).toEqual([
          first,
          second,
          first,
          second,
          third,
        ]);
      } finally {
        await holder.close();
      }
    });

    it('settles a delivery once', async () => {
      await broker.publish(queue, buildEnvelope());
      const [delivery] = await takeMany(broker, queue, 1);
      await delivery!.accept();
      const failure = await failureOf(delivery!.retry(0));
      expect(failure.issues[0]?.code).toBe('already-settled');
    });

    it('consumes again from a queue that was deleted under it and declared anew', async () => {
      const deliveries: Delivery[] = [];
      const told = Promise.withResolvers<undefined>();
      const watched = await openRabbitBroker({
        url: server.url,
        logger: { ...silent, error: () => told.resolve(undefined) },
        prefix,
      });
      try {
        await watched.consume(queue, { window: 1 }, (delivery) => deliveries.push(delivery));
        await deleteQueue(`${prefix}.${queue}`);
        await told.promise;
        const envelope = buildEnvelope();
        const failure = await failureOf(broker.publish(queue, envelope));
        expect(failure.issues[0]?.code).toBe('queue-missing');
        await broker.declare({ name: queue, interface: 'tab-1' });
        await broker.publish(queue, envelope);
        await until(() => Promise.resolve(deliveries.length === 1));
        expect(deliveries[0]?.envelope.id).toBe(envelope.id);
      } finally {
        await watched.close();
      }
    });

    it('holds publishers back while RabbitMQ is short of memory, and stores them all after', async () => {
      const states: string[] = [];
      const hasty = await openRabbitBroker({
        url: server.url,
        logger: silent,
        prefix,
        timeoutMs: 2_000,
        onState: (state) => states.push(state),
      });
      try {
        await server.ctl('set_vm_memory_high_watermark', 'absolute', '1MB');
        // The first publish is what RabbitMQ answers with connection.blocked; it waits in vain.
        const refused = await failureOf(hasty.publish(queue, buildEnvelope()));
        expect(refused).toMatchObject({ errorClass: 'transient' });
        expect(refused.issues[0]?.code).toBe('broker-unavailable');
        expect(states).toContain('blocked');
        const waiting = broker.publish(queue, buildEnvelope());
        await server.ctl('set_vm_memory_high_watermark', '0.4');
        await waiting;
        await hasty.publish(queue, buildEnvelope());
      } finally {
        await server.ctl('set_vm_memory_high_watermark', '0.4');
        await hasty.close();
      }
      // rabbitmqctl takes seconds, on a busy machine many.
    }, 120_000);

    it('fails what was on a channel that RabbitMQ closed, and publishes on the next connection', async () => {
      const publisher = new Publisher({ window: 8, windowBytes: 1024, timeoutMs: 15_000 }, silent);
      const first = await Connection.open(server.url, {}, 'test');
      const second = await Connection.open(server.url, {}, 'test');
      try {
        await publisher.attach(first);
        const message = toAmqpMessage(buildEnvelope());
        const buildUnroutable = (): Error => new Error('unroutable');
        const publish = (exchange: string): Promise<void> =>
          publisher.publish(
            { exchange, routingKey: `${prefix}.${queue}`, buildUnroutable },
            message,
          );
        // RabbitMQ closes the channel on which an exchange is named that is not there.
        const failure = await failureOf(publish(`${prefix}.nowhere`));
        expect(failure.issues[0]?.code).toBe('broker-unavailable');
        expect((await first.lost).message).toContain('NOT_FOUND');
        const waiting = publish('');
        await publisher.attach(second);
        await waiting;
        expect(await broker.depths()).toMatchObject([{ queue, ready: 1 }]);
      } finally {
        await publisher.close();
        await first.close();
        await second.close();
      }
    });

    it('drops a connection on which a call is not answered, and goes on with the next', async () => {
      const proxy = await openTcpProxy({ port: server.port });
      const stalled = await openRabbitBroker({
        url: `amqp://guest:guest@127.0.0.1:${proxy.port}`,
        logger: silent,
        prefix,
        timeoutMs: 60_000,
      });
      try {
        await stalled.declare({ name: queue, interface: 'tab-1' });
        const seen: Delivery[] = [];
        await stalled.consume(queue, { window: 1 }, (delivery) => seen.push(delivery));
        await broker.publish(queue, buildEnvelope());
        await until(() => Promise.resolve(seen.length === 1));
        proxy.stall();
        const failure = await failureOf(stalled.declare({ name: 'in.other', interface: 'tab-1' }));
        expect(failure.issues[0]?.code).toBe('broker-unavailable');
        expect(failure.issues[0]?.message).toContain('RabbitMQ did not answer within 10 s');
        proxy.restore();
        await until(() => Promise.resolve(seen.length === 2));
        expect([seen[0]!.voided.aborted, seen[1]!.redelivered]).toEqual([true, true]);
        await seen[1]!.accept();
        await stalled.declare({ name: 'in.other', interface: 'tab-1' });
      } finally {
        proxy.restore();
        await stalled.close();
        await proxy.close();
      }
    });

    it('says who refused it when the password is wrong', async () => {
      const failure = await failureOf(
        openRabbitBroker({
          url: `amqp://guest:wrong@127.0.0.1:${server.port}`,
          logger: silent,
          prefix,
        }),
      );
      expect(failure).toMatchObject({ errorClass: 'permanent' });
      expect(failure.issues[0]?.code).toBe('broker-access-refused');
      expect(failure.issues[0]?.message).not.toContain('wrong');
    });
  });
});

/** Uses a plain client, as another service would. */
async function withChannel<Result>(
  url: string,
  use: (channel: ConfirmChannel) => Promise<Result>,
): Promise<Result> {
  const model: ChannelModel = await connect(url, { noDelay: true });
  try {
    return await use(await model.createConfirmChannel());
  } finally {
    await model.close();
  }
}

function publishForeign(
  channel: ConfirmChannel,
  exchange: string,
  routingKey: string,
  body: Buffer,
  properties: object,
): Promise<void> {
  return new Promise((resolve, reject) => {
    channel.publish(exchange, routingKey, body, properties, (error: unknown) => {
      if (error instanceof Error) reject(error);
      else resolve();
    });
  });
}

function takeMany(broker: Broker, queue: string, count: number): Promise<Delivery[]> {
  const taken: Delivery[] = [];
  return new Promise((resolve, reject) => {
    broker
      .consume(queue, { window: count }, (delivery) => {
        taken.push(delivery);
        if (taken.length === count) resolve(taken);
      })
      .catch(reject);
  });
}

/** RabbitMQ tells nobody when a count changes: asks until it is as expected. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + 20_000;
  while (!(await isSo())) {
    if (performance.now() > giveUpAt) throw new Error('It did not come about within 20 s.');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function failureOf(
  promise: Promise<unknown>,
): Promise<NonNullable<ReturnType<typeof findFailure>>> {
  try {
    await promise;
  } catch (error) {
    const failure = findFailure(error);
    if (failure === undefined) throw error;
    return failure;
  }
  throw new Error('Expected a rejection.');
}

function buildEnvelope(): Envelope {
  const id = randomUUID();
  return {
    id,
    interface: 'tab-1',
    contentType: 'application/hl7-v2',
    correlationId: id,
    receivedAt: '2026-01-02T03:04:05.678Z',
    attempt: 1,
    body: Buffer.from(`MSH|^~\\&|LAB|HILUM|EHR|HILUM|20260102||ORU^R01|${id}|P|2.5.1\r`),
  };
}
