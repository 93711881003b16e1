import { randomUUID } from 'node:crypto';
import type { Envelope } from '../../../core/envelope.ts';
import type { Broker } from '../../../core/ports/broker.ts';
import type { BrokerFixture, BrokerTest } from './fixture.ts';
import { uniqueName, buildEnvelope } from '../envelope.ts';
import {
  consumeInto,
  acceptIds,
  publishMany,
  expectDepth,
  failureOf,
  codeOf,
  Inbox,
} from './support.ts';

/** What was published is delivered, as it was and in its order. */
export function describePublishing(test: BrokerTest): void {
  let fixture: BrokerFixture;
  let broker: Broker;
  let queue: string;
  beforeEach(() => {
    ({ fixture, broker, queue } = test.current());
  });

  describe('publish and consume', () => {
    it('delivers what was published before there was a consumer', async () => {
      const sent = buildEnvelope();
      await broker.publish(queue, sent);
      const inbox = await consumeInto(broker, queue);
      const delivery = await inbox.next();
      expect(delivery.queue).toBe(queue);
      expect(delivery.envelope.id).toBe(sent.id);
      expect(delivery.redelivered).toBe(false);
      await delivery.accept();
    });

    it('delivers to a consumer that was there before', async () => {
      const inbox = await consumeInto(broker, queue);
      const sent = buildEnvelope();
      await broker.publish(queue, sent);
      expect((await inbox.next()).envelope.id).toBe(sent.id);
    });

    it('delivers what another client published', async () => {
      const other = await fixture.reopen();
      const inbox = await consumeInto(broker, queue);
      const sent = buildEnvelope();
      await other.publish(queue, sent);
      expect((await inbox.next()).envelope.id).toBe(sent.id);
    });

    it('delivers in the order of publishing', async () => {
      const ids = await publishMany(broker, queue, 200);
      const inbox = await consumeInto(broker, queue, 7);
      expect(await acceptIds(inbox, 200)).toEqual(ids);
    });

    it('keeps every field of an envelope', async () => {
      const sent: Envelope = {
        id: randomUUID(),
        interface: 'tab-1',
        contentType: 'application/hl7-v2',
        messageType: 'ORU^R01^ORU_R01',
        controlId: 'MSG-0001 ä',
        key: 'key|1^^^Ä',
        correlationId: randomUUID(),
        causationId: randomUUID(),
        receivedAt: '2026-01-02T03:04:05.678Z',
        attempt: 3,
        charset: 'UNICODE UTF-8',
        body: Buffer.from('MSH|^~\\&|\r'),
      };
      await broker.publish(queue, sent);
      const { envelope } = await (await consumeInto(broker, queue)).next();
      expect({ ...envelope, body: undefined }).toEqual({ ...sent, body: undefined });
      expect(Buffer.from(envelope.body).equals(sent.body)).toBe(true);
    });

    it('leaves absent fields absent', async () => {
      const sent = buildEnvelope();
      await broker.publish(queue, sent);
      const { envelope } = await (await consumeInto(broker, queue)).next();
      expect(Object.keys(envelope).sort()).toEqual(Object.keys(sent).sort());
    });

    it.each([
      ['every byte value', Buffer.from(Array.from({ length: 1024 }, (_, index) => index % 256))],
      ['the framing of MLLP', Buffer.from([0x0b, 0x00, 0x1c, 0x0d, 0xff, 0xfe])],
      ['no bytes', Buffer.alloc(0)],
      ['8 MiB', Buffer.alloc(8 * 1024 * 1024, 'Hilum\0\x1c')],
    ])('keeps a body of %s', async (_, body) => {
      await broker.publish(queue, { ...buildEnvelope(), body });
      const delivery = await (await consumeInto(broker, queue)).next();
      expect(delivery.envelope.body).toBeInstanceOf(Uint8Array);
      expect(Buffer.compare(delivery.envelope.body, body)).toBe(0);
      await delivery.accept();
    });

    it('refuses a queue that does not exist', async () => {
      const failure = await failureOf(broker.publish(uniqueName('missing'), buildEnvelope()));
      expect(codeOf(failure)).toEqual(['permanent', 'queue-missing']);
      await broker.publish(queue, buildEnvelope());
    });

    it('refuses the one envelope without a queue and stores its neighbours', async () => {
      const missing = uniqueName('missing');
      const before = buildEnvelope();
      const after = buildEnvelope();
      const [first, refused, last] = await Promise.allSettled([
        broker.publish(queue, before),
        broker.publish(missing, buildEnvelope()),
        broker.publish(queue, after),
      ]);
      expect([first.status, refused.status, last.status]).toEqual([
        'fulfilled',
        'rejected',
        'fulfilled',
      ]);
      const inbox = await consumeInto(broker, queue);
      expect(await acceptIds(inbox, 2)).toEqual([before.id, after.id]);
    });

    it('keeps to the window', async () => {
      const other = uniqueName('other');
      await broker.declare({ name: other, interface: 'contract' });
      await publishMany(broker, queue, 40);
      let held = 0;
      let most = 0;
      const inbox = new Inbox();
      await broker.consume(queue, { window: 3 }, (delivery) => {
        held += 1;
        most = Math.max(most, held);
        inbox.push(delivery);
      });
      for (let count = 0; count < 40; count += 1) {
        const delivery = await inbox.next();
        // A whole round trip while this one is held: the chance to deliver too many.
        await broker.publish(other, buildEnvelope());
        held -= 1;
        await delivery.accept();
      }
      expect(most).toBe(3);
    });

    it('shares a queue among two consumers', async () => {
      const other = await fixture.reopen();
      const ids = await publishMany(broker, queue, 40);
      const left = await consumeInto(broker, queue, 1);
      const right = await consumeInto(other, queue, 1);
      // Both hold one at the same time, so both are served.
      const held = [await left.next(), await right.next()];
      await Promise.all(held.map((delivery) => delivery.accept()));
      const seen = held.map((delivery) => delivery.envelope.id);
      const drain = async (inbox: Inbox): Promise<void> => {
        while (seen.length < ids.length) {
          const delivery = await Promise.race([inbox.next(), done]);
          if (delivery === undefined) return;
          seen.push(delivery.envelope.id);
          if (seen.length === ids.length) finish();
          await delivery.accept();
        }
      };
      let finish = (): void => undefined;
      const done = new Promise<undefined>((resolve) => {
        finish = () => resolve(undefined);
      });
      await Promise.all([drain(left), drain(right)]);
      expect(seen.sort()).toEqual([...ids].sort());
    });

    it('delivers nothing more to a consumer that was stopped, and lets it settle', async () => {
      const inbox = new Inbox();
      const consumer = await broker.consume(queue, { window: 1 }, (it) => inbox.push(it));
      const ids = await publishMany(broker, queue, 3);
      const held = await inbox.next();
      await consumer.stop();
      await held.accept();
      const second = await consumeInto(broker, queue);
      expect(await acceptIds(second, 2)).toEqual(ids.slice(1));
      expect(inbox.arrived).toBe(1);
      await expectDepth(broker, queue, (depth) => depth.ready + depth.unsettled === 0);
    });
  });
}
