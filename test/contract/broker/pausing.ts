import type { Broker, Delivery } from '../../../core/ports/broker.ts';
import type { BrokerFixture, BrokerTest } from './fixture.ts';
import { buildEnvelope } from '../envelope.ts';
import {
  acceptIds,
  consumeHandle,
  consumeInto,
  expectDepth,
  Inbox,
  publishMany,
  publishUntilStored,
} from './support.ts';

/** Pausing a consumer, and how deliveries are taken back. */
export function describePausing(test: BrokerTest): void {
  let fixture: BrokerFixture;
  let broker: Broker;
  let queue: string;
  beforeEach(() => {
    ({ fixture, broker, queue } = test.current());
  });

  describe.each([
    ['a queue', undefined],
    ['an ordered queue', { lanes: 2 }],
  ])('pausing a consumer of %s', (_, order) => {
    beforeEach(async () => {
      await broker.declare({
        name: queue,
        interface: 'contract',
        ...(order === undefined ? {} : { order }),
      });
    });

    it('delivers nothing more until it is resumed, and lets it settle', async () => {
      const inbox = new Inbox();
      const consumer = await consumeHandle(broker, queue, inbox, 4);
      // Of two lanes each has four of them, and a window of two.
      const keys = Array.from({ length: 4 }, () => ['patient-5', 'patient-6']).flat();
      const envelopes = keys.map((key) => ({ ...buildEnvelope(), key }));
      await Promise.all(envelopes.map((envelope) => broker.publish(queue, envelope)));
      const ids = envelopes.map(({ id }) => id);
      const held: Delivery[] = [];
      while (held.length < 4) held.push(await inbox.next());
      await consumer.pause();
      await Promise.all(held.map((delivery) => delivery.accept()));
      await expectDepth(broker, queue, ({ ready }) => ready === 4);
      expect(inbox.arrived).toBe(4);
      await consumer.resume();
      const later = await acceptIds(inbox, 4);
      expect([...held.map(({ envelope }) => envelope.id), ...later].sort()).toEqual(
        [...ids].sort(),
      );
    });

    it('stays paused when the connection is lost, and goes on when it is resumed', async () => {
      const inbox = new Inbox();
      const consumer = await consumeHandle(broker, queue, inbox, 2);
      await consumer.pause();
      await consumer.pause();
      await fixture.cut();
      const sent = buildEnvelope();
      await publishUntilStored(broker, queue, sent);
      await expectDepth(broker, queue, ({ ready }) => ready === 1);
      expect(inbox.arrived).toBe(0);
      await consumer.resume();
      await consumer.resume();
      expect(await acceptIds(inbox, 1)).toEqual([sent.id]);
    });

    it('may be resumed while the connection is away', async () => {
      const inbox = new Inbox();
      const consumer = await consumeHandle(broker, queue, inbox, 2);
      await consumer.pause();
      await fixture.cut();
      const resuming = consumer.resume();
      const sent = buildEnvelope();
      await publishUntilStored(broker, queue, sent);
      await resuming;
      expect(await acceptIds(inbox, 1)).toEqual([sent.id]);
    });

    it('may be stopped while it is paused', async () => {
      const inbox = new Inbox();
      const consumer = await consumeHandle(broker, queue, inbox, 2);
      await publishMany(broker, queue, 1);
      const held = await inbox.next();
      await consumer.pause();
      await consumer.stop();
      await held.accept();
      const ids = await publishMany(broker, queue, 1);
      expect(await acceptIds(await consumeInto(broker, queue), 1)).toEqual(ids);
      expect(inbox.arrived).toBe(1);
    });
  });

  describe('voided', () => {
    it('is aborted for all that are held when the connection is cut', async () => {
      await publishMany(broker, queue, 2);
      const inbox = await consumeInto(broker, queue, 2);
      const held = [await inbox.next(), await inbox.next()];
      expect(held.map(({ voided }) => voided.aborted)).toEqual([false, false]);
      const aborted = held.map(
        ({ voided }) =>
          new Promise((resolve) => voided.addEventListener('abort', resolve, { once: true })),
      );
      await fixture.cut();
      await Promise.all(aborted);
      const again = await inbox.next();
      expect([again.redelivered, again.voided.aborted]).toEqual([true, false]);
      await again.accept();
    });

    it('is not aborted when all are settled, and the consumer is stopped', async () => {
      await publishMany(broker, queue, 3);
      const inbox = new Inbox();
      const consumer = await consumeHandle(broker, queue, inbox, 3);
      const held = [await inbox.next(), await inbox.next(), await inbox.next()];
      await held[0]!.accept();
      await held[1]!.deadLetter([]);
      await consumer.stop();
      await held[2]!.retry(0);
      await expectDepth(broker, queue, ({ ready, dead }) => ready === 1 && dead === 1);
      expect(held.map(({ voided }) => voided.aborted)).toEqual([false, false, false]);
    });
  });
}
