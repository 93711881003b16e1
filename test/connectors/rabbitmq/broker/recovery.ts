import { openRabbitBroker } from '../../../../connectors/rabbitmq/broker.ts';
import { Connection } from '../../../../connectors/rabbitmq/connection.ts';
import { toAmqpMessage } from '../../../../connectors/rabbitmq/message.ts';
import { Publisher } from '../../../../connectors/rabbitmq/publisher.ts';
import type { Delivery } from '../../../../core/ports/broker.ts';
import { openTcpProxy } from '../../../support/tcp-proxy.ts';
import {
  buildEnvelope,
  failureOf,
  queue,
  silent,
  until,
  withChannel,
  type RabbitTest,
} from './support.ts';

/** What comes back after RabbitMQ has closed, forgotten, blocked or not answered something. */
export function describeRecovery(rabbit: RabbitTest): void {
  describe('recovery', () => {
    it('opens the channel of a message that is held long again, and keeps the order', async () => {
      await rabbit.broker.declare({ name: 'in.long', interface: 'tab-1', order: { lanes: 1 } });
      const holder = await openRabbitBroker({
        url: rabbit.server.url,
        logger: silent,
        prefix: rabbit.prefix,
        recycleAfterMs: 1_000,
      });
      try {
        await holder.declare({ name: 'in.long', interface: 'tab-1', order: { lanes: 1 } });
        const sent = [buildEnvelope(), buildEnvelope(), buildEnvelope()];
        for (const envelope of sent) await rabbit.broker.publish('in.long', envelope);
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

    it('consumes again from a queue that was deleted under it and declared anew', async () => {
      const deliveries: Delivery[] = [];
      const told = Promise.withResolvers<undefined>();
      const watched = await openRabbitBroker({
        url: rabbit.server.url,
        logger: { ...silent, error: () => told.resolve(undefined) },
        prefix: rabbit.prefix,
      });
      try {
        await watched.consume(queue, { window: 1 }, (delivery) => deliveries.push(delivery));
        await withChannel(rabbit.server.url, (channel) =>
          channel.deleteQueue(`${rabbit.prefix}.${queue}`),
        );
        await told.promise;
        const envelope = buildEnvelope();
        const failure = await failureOf(rabbit.broker.publish(queue, envelope));
        expect(failure.issues[0]?.code).toBe('queue-missing');
        await rabbit.broker.declare({ name: queue, interface: 'tab-1' });
        await rabbit.broker.publish(queue, envelope);
        await until(() => Promise.resolve(deliveries.length === 1));
        expect(deliveries[0]?.envelope.id).toBe(envelope.id);
      } finally {
        await watched.close();
      }
    });

    it('holds publishers back while RabbitMQ is short of memory, and stores them all after', async () => {
      const states: string[] = [];
      const hasty = await openRabbitBroker({
        url: rabbit.server.url,
        logger: silent,
        prefix: rabbit.prefix,
        timeoutMs: 2_000,
        onState: (state) => states.push(state),
      });
      try {
        await rabbit.server.ctl('set_vm_memory_high_watermark', 'absolute', '1MB');
        // The first publish is what RabbitMQ answers with connection.blocked; it waits in vain.
        const refused = await failureOf(hasty.publish(queue, buildEnvelope()));
        expect(refused).toMatchObject({ errorClass: 'transient' });
        expect(refused.issues[0]?.code).toBe('broker-unavailable');
        expect(states).toContain('blocked');
        const waiting = rabbit.broker.publish(queue, buildEnvelope());
        await rabbit.server.ctl('set_vm_memory_high_watermark', '0.4');
        await waiting;
        await hasty.publish(queue, buildEnvelope());
      } finally {
        await rabbit.server.ctl('set_vm_memory_high_watermark', '0.4');
        await hasty.close();
      }
      // rabbitmqctl takes seconds, on a busy machine many.
    }, 120_000);

    it('fails what was on a channel that RabbitMQ closed, and publishes on the next connection', async () => {
      const publisher = new Publisher({ window: 8, windowBytes: 1024, timeoutMs: 15_000 }, silent);
      const first = await Connection.open(
        rabbit.server.url,
        {},
        { name: 'test', answerMs: 10_000 },
      );
      const second = await Connection.open(
        rabbit.server.url,
        {},
        { name: 'test', answerMs: 10_000 },
      );
      try {
        await publisher.attach(first);
        const message = toAmqpMessage(buildEnvelope());
        const buildUnroutable = (): Error => new Error('unroutable');
        const publish = (exchange: string): Promise<void> =>
          publisher.publish(
            { exchange, routingKey: `${rabbit.prefix}.${queue}`, buildUnroutable },
            message,
          );
        // RabbitMQ closes the channel on which an exchange is named that is not there.
        const failure = await failureOf(publish(`${rabbit.prefix}.nowhere`));
        expect(failure.issues[0]?.code).toBe('broker-unavailable');
        expect((await first.lost).message).toContain('NOT_FOUND');
        const waiting = publish('');
        await publisher.attach(second);
        await waiting;
        expect(await rabbit.broker.depths()).toMatchObject([{ queue, ready: 1 }]);
      } finally {
        await publisher.close();
        await first.close();
        await second.close();
      }
    });

    it('drops a connection on which a call is not answered, and goes on with the next', async () => {
      const proxy = await openTcpProxy({ port: rabbit.server.port });
      const stalled = await openRabbitBroker({
        url: `amqp://guest:guest@127.0.0.1:${proxy.port}`,
        logger: silent,
        prefix: rabbit.prefix,
        timeoutMs: 60_000,
        patience: { answerMs: 2_000, longestDelayMs: 500 },
      });
      try {
        await stalled.declare({ name: queue, interface: 'tab-1' });
        const seen: Delivery[] = [];
        await stalled.consume(queue, { window: 1 }, (delivery) => seen.push(delivery));
        await rabbit.broker.publish(queue, buildEnvelope());
        await until(() => Promise.resolve(seen.length === 1));
        proxy.stall();
        const failure = await failureOf(stalled.declare({ name: 'in.other', interface: 'tab-1' }));
        expect(failure.issues[0]?.code).toBe('broker-unavailable');
        expect(failure.issues[0]?.message).toContain('RabbitMQ did not answer within 2 s');
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
  });
}
