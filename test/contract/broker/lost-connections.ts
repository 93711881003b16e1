import type { Broker } from '../../../core/ports/broker.ts';
import type { BrokerFixture, BrokerTest } from './fixture.ts';
import { uniqueName, buildEnvelope } from '../envelope.ts';
import {
  consumeInto,
  consumeHandle,
  acceptIds,
  publishMany,
  publishUntilStored,
  expectDepth,
  failureOf,
  codeOf,
  Inbox,
  restartTimeoutMs,
} from './support.ts';

/** What a cut, a client that goes away and a killed server leave behind. */
export function describeLostConnections(test: BrokerTest): void {
  let fixture: BrokerFixture;
  let broker: Broker;
  let queue: string;
  beforeEach(() => {
    ({ fixture, broker, queue } = test.current());
  });

  describe('lost connections', () => {
    it('delivers again what was unsettled when the connection was cut', async () => {
      const ids = await publishMany(broker, queue, 3);
      const inbox = await consumeInto(broker, queue, 3);
      const held = [await inbox.next(), await inbox.next(), await inbox.next()];
      await fixture.cut();
      const again = [await inbox.next(), await inbox.next(), await inbox.next()];
      expect(again.map((delivery) => delivery.envelope.id).sort()).toEqual([...ids].sort());
      expect(again.map((delivery) => delivery.redelivered)).toEqual([true, true, true]);
      expect(codeOf(await failureOf(held[0]!.accept()))).toEqual([
        'transient',
        'broker-unavailable',
      ]);
      await Promise.all(again.map((delivery) => delivery.accept()));
      await expectDepth(broker, queue, (depth) => depth.ready + depth.unsettled === 0);
      expect(inbox.arrived).toBe(6);
    });

    it('hands to others what a client that closed had not settled', async () => {
      const other = await fixture.reopen();
      const ids = await publishMany(broker, queue, 2);
      const lost = await consumeInto(other, queue, 2);
      await lost.next();
      await lost.next();
      await other.close();
      const inbox = await consumeInto(broker, queue, 2);
      const again = [await inbox.next(), await inbox.next()];
      expect(again.map((delivery) => delivery.envelope.id)).toEqual(ids);
      expect(again.map((delivery) => delivery.redelivered)).toEqual([true, true]);
    });

    it('publishes again after a cut', async () => {
      const inbox = await consumeInto(broker, queue);
      await fixture.cut();
      const sent = buildEnvelope();
      await publishUntilStored(broker, queue, sent);
      expect((await inbox.next()).envelope.id).toBe(sent.id);
    });

    it(
      'keeps queues, subscriptions, dead letters and messages over a restart',
      async () => {
        const topic = uniqueName('t');
        const subscriber = uniqueName('sub');
        await broker.declare({ name: subscriber, interface: 'contract', topics: [topic] });
        const event = buildEnvelope();
        await broker.publishEvent(topic, event);
        await publishMany(broker, queue, 1);
        const first = new Inbox();
        const handle = await consumeHandle(broker, queue, first, 1);
        await (await first.next()).deadLetter([]);
        await handle.stop();
        // Behind its end: none is held when the server is killed, which RabbitMQ may give back behind others.
        const ids = await publishMany(broker, queue, 299);
        await fixture.restart();
        const inbox = await consumeInto(broker, queue, 50);
        expect(await acceptIds(inbox, 299)).toEqual(ids);
        const events = await consumeInto(broker, subscriber);
        expect((await events.next()).envelope.id).toBe(event.id);
        await expectDepth(broker, queue, (depth) => depth.dead === 1);
      },
      restartTimeoutMs,
    );

    it(
      'goes on consuming after a restart, marking what was held',
      async () => {
        await publishMany(broker, queue, 1);
        const inbox = await consumeInto(broker, queue, 2);
        const held = await inbox.next();
        await fixture.restart();
        const again = await inbox.next();
        expect(again.envelope.id).toBe(held.envelope.id);
        expect(again.redelivered).toBe(true);
        await again.accept();
        const sent = buildEnvelope();
        await publishUntilStored(broker, queue, sent);
        expect((await inbox.next()).envelope.id).toBe(sent.id);
      },
      restartTimeoutMs,
    );

    it(
      'loses none of 2,000 that were confirmed, killed in the middle of them',
      async () => {
        const envelopes = Array.from({ length: 2000 }, () => buildEnvelope());
        const confirmed = new Set<string>();
        const failures = new Set<string>();
        let restarting: Promise<void> | undefined;
        let next = 0;
        const publisher = async (): Promise<void> => {
          while (next < envelopes.length) {
            const envelope = envelopes[next]!;
            next += 1;
            try {
              await broker.publish(queue, envelope);
              confirmed.add(envelope.id);
            } catch (error) {
              failures.add(codeOf(error).join(' '));
              await restarting;
              await publishUntilStored(broker, queue, envelope);
              confirmed.add(envelope.id);
            }
            if (confirmed.size >= 700) restarting ??= fixture.restart();
          }
        };
        await Promise.all(Array.from({ length: 64 }, publisher));
        await restarting;
        expect(restarting).toBeDefined();
        expect([...failures].filter((code) => code !== 'transient broker-unavailable')).toEqual([]);
        expect(confirmed.size).toBe(2000);
        const seen = new Set<string>();
        const inbox = await consumeInto(broker, queue, 200);
        while (seen.size < confirmed.size) {
          const delivery = await inbox.next();
          seen.add(delivery.envelope.id);
          await delivery.accept();
        }
        expect([...confirmed].filter((id) => !seen.has(id))).toEqual([]);
      },
      restartTimeoutMs,
    );
  });
}
