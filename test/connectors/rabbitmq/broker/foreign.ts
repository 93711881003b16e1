import { randomUUID } from 'node:crypto';
import {
  buildEnvelope,
  publishForeign,
  queue,
  takeMany,
  withChannel,
  type RabbitTest,
} from './support.ts';

/** What other programs that use the same RabbitMQ send and see. */
export function describeForeign(rabbit: RabbitTest): void {
  describe('other programs', () => {
    it('delivers what a foreign publisher sent, with what it said and sensible defaults', async () => {
      await rabbit.broker.declare({ name: 'sub.foreign', interface: 'tab-2', topics: ['lab.*'] });
      const uuid = randomUUID();
      await withChannel(rabbit.server.url, async (channel) => {
        await publishForeign(
          channel,
          `${rabbit.prefix}.events`,
          'lab.order',
          Buffer.from('{"a":1}'),
          {
            messageId: uuid,
            contentType: 'application/json',
            type: 'Order',
            correlationId: 'order-7',
            timestamp: 1_767_323_045,
          },
        );
        await publishForeign(channel, `${rabbit.prefix}.events`, 'lab.order', Buffer.from('x'), {
          messageId: '1',
        });
        await publishForeign(channel, `${rabbit.prefix}.events`, 'lab.order', Buffer.from('y'), {
          messageId: '1',
        });
        await publishForeign(
          channel,
          `${rabbit.prefix}.events`,
          'lab.order',
          Buffer.from([0, 255]),
          {},
        );
      });
      const [told, first, second, bare] = await takeMany(rabbit.broker, 'sub.foreign', 4);
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
      await rabbit.broker.publish(queue, envelope);
      await withChannel(rabbit.server.url, async (channel) => {
        const message = await channel.get(`${rabbit.prefix}.${queue}`, { noAck: true });
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
  });
}
