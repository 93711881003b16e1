import { openRabbitBroker } from '../../../../connectors/rabbitmq/broker.ts';
import {
  buildEnvelope,
  failureOf,
  publishForeign,
  queue,
  silent,
  withChannel,
  type RabbitTest,
} from './support.ts';

/** What RabbitMQ, or the connector before it, does not take. */
export function describeRefusals(rabbit: RabbitTest): void {
  describe('refusals', () => {
    it('reports a queue whose arguments differ, with the remedy, and leaves it alone', async () => {
      const name = `${rabbit.prefix}.in.other`;
      await withChannel(rabbit.server.url, async (channel) => {
        await channel.assertQueue(name, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
        await publishForeign(channel, '', name, Buffer.from('kept'), {});
      });
      const failure = await failureOf(
        rabbit.broker.declare({ name: 'in.other', interface: 'tab-1' }),
      );
      expect(failure).toMatchObject({ errorClass: 'permanent' });
      expect(failure.issues[0]?.code).toBe('broker-topology-differs');
      expect(failure.issues[0]?.message).toContain(name);
      expect(failure.issues[0]?.message).toContain(`rabbitmqctl delete_queue ${name}`);
      const count = await withChannel(rabbit.server.url, (channel) => channel.checkQueue(name));
      expect(count.messageCount).toBe(1);
      // Other queues are served as before.
      await rabbit.broker.publish(queue, buildEnvelope());
    });

    it('refuses a body that RabbitMQ 4 would not take, and serves the next', async () => {
      const failure = await failureOf(
        rabbit.broker.publish(queue, {
          ...buildEnvelope(),
          body: Buffer.alloc(16 * 1024 * 1024 + 1),
        }),
      );
      expect(failure.issues[0]?.code).toBe('message-too-large');
      await rabbit.broker.publish(queue, buildEnvelope());
    });

    it('refuses a header that AMQP cannot hold, and serves the next', async () => {
      const failure = await failureOf(
        rabbit.broker.publish(queue, { ...buildEnvelope(), key: 'k'.repeat(70_000) }),
      );
      expect(failure.issues[0]?.code).toBe('message-unencodable');
      await rabbit.broker.publish(queue, buildEnvelope());
    });

    it('refuses to consume a queue that does not exist', async () => {
      const failure = await failureOf(
        rabbit.broker.consume('in.nobody', { window: 1 }, () => undefined),
      );
      expect(failure.issues[0]?.code).toBe('queue-missing');
    });

    it('says who refused it when the password is wrong', async () => {
      const failure = await failureOf(
        openRabbitBroker({
          url: `amqp://guest:wrong@127.0.0.1:${rabbit.server.port}`,
          logger: silent,
          prefix: rabbit.prefix,
        }),
      );
      expect(failure).toMatchObject({ errorClass: 'permanent' });
      expect(failure.issues[0]?.code).toBe('broker-access-refused');
      expect(failure.issues[0]?.message).not.toContain('wrong');
    });
  });
}
