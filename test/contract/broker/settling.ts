import type { Issue } from '../../../core/issue.ts';
import type { Broker } from '../../../core/ports/broker.ts';
import type { BrokerFixture, BrokerTest } from './fixture.ts';
import { buildEnvelope } from '../envelope.ts';
import {
  consumeInto,
  consumeHandle,
  publishMany,
  expectDepth,
  failureOf,
  codeOf,
  Inbox,
  restartTimeoutMs,
} from './support.ts';

/** Accepting, retrying and dead-lettering. */
export function describeSettling(test: BrokerTest): void {
  let fixture: BrokerFixture;
  let broker: Broker;
  let queue: string;
  beforeEach(() => {
    ({ fixture, broker, queue } = test.current());
  });

  describe('settling', () => {
    it('forgets what was accepted', async () => {
      const other = await fixture.reopen();
      await publishMany(other, queue, 2);
      const inbox = await consumeInto(other, queue, 2);
      await (await inbox.next()).accept();
      const held = await inbox.next();
      await other.close();
      // Only the one that was not accepted comes back.
      const again = await consumeInto(broker, queue);
      const delivery = await again.next();
      expect(delivery.envelope.id).toBe(held.envelope.id);
      await delivery.accept();
      await expectDepth(broker, queue, (depth) => depth.ready + depth.unsettled === 0);
    });

    it('retries after the delay, one attempt higher, and holds up nobody', async () => {
      const delayMs = 400;
      const [first, second] = await publishMany(broker, queue, 2);
      const inbox = await consumeInto(broker, queue, 1);
      const failed = await inbox.next();
      expect([failed.envelope.id, failed.envelope.attempt]).toEqual([first, 1]);
      const retriedAt = performance.now();
      await failed.retry(delayMs);
      const neighbour = await inbox.next();
      expect([neighbour.envelope.id, neighbour.envelope.attempt]).toEqual([second, 1]);
      await neighbour.accept();
      const again = await inbox.next();
      // A broker's clock may be in milliseconds: two of them are rounding.
      expect(performance.now() - retriedAt).toBeGreaterThanOrEqual(delayMs - 2);
      expect([again.envelope.id, again.envelope.attempt]).toEqual([first, 2]);
      await again.accept();
    });

    it('retries at once where there is no delay, with the same bytes', async () => {
      const sent = { ...buildEnvelope(), body: Buffer.from([0, 1, 2, 255]) };
      await broker.publish(queue, sent);
      const inbox = await consumeInto(broker, queue);
      for (const attempt of [1, 2, 3]) {
        const delivery = await inbox.next();
        expect(delivery.envelope.attempt).toBe(attempt);
        expect(Buffer.compare(delivery.envelope.body, sent.body)).toBe(0);
        await (attempt === 3 ? delivery.accept() : delivery.retry(0));
      }
    });

    it(
      'keeps the attempts and the delay of a retry over a restart',
      async () => {
        const sent = buildEnvelope();
        await broker.publish(queue, sent);
        const consumer = new Inbox();
        const handle = await consumeHandle(broker, queue, consumer);
        await (await consumer.next()).retry(500);
        await handle.stop();
        await fixture.restart();
        const inbox = await consumeInto(broker, queue);
        let again = await inbox.next();
        if (again.envelope.attempt === 1) {
          // That it was settled may have been lost with the server: then it comes as it was, too, and says so.
          expect([again.envelope.id, again.redelivered]).toEqual([sent.id, true]);
          await again.accept();
          again = await inbox.next();
        }
        expect([again.envelope.id, again.envelope.attempt]).toEqual([sent.id, 2]);
        await again.accept();
      },
      restartTimeoutMs,
    );

    it('moves a dead letter to its own queue, whole', async () => {
      const sent = { ...buildEnvelope(), body: Buffer.from([11, 0, 28, 13]) };
      await broker.publish(queue, sent);
      const inbox = await consumeInto(broker, queue);
      const issues: Issue[] = [
        {
          code: 'required-field-missing',
          severity: 'error',
          location: 'PID-3',
          message: 'A patient identifier was expected.',
        },
      ];
      await (await inbox.next()).deadLetter(issues);
      await expectDepth(
        broker,
        queue,
        (depth) => depth.dead === 1 && depth.ready + depth.unsettled === 0,
      );
      if (fixture.deadLetters !== undefined) {
        expect(await fixture.deadLetters(queue)).toEqual([{ id: sent.id, issues }]);
      }
      const dead = await (await consumeInto(broker, `${queue}.dead`)).next();
      expect(dead.envelope.id).toBe(sent.id);
      expect(Buffer.compare(dead.envelope.body, sent.body)).toBe(0);
      expect(inbox.arrived).toBe(1);
    });

    it('retries without counting the attempt where it is told to', async () => {
      const sent = { ...buildEnvelope(), attempt: 2 };
      await broker.publish(queue, sent);
      const inbox = await consumeInto(broker, queue);
      for (const delayMs of [0, 10]) {
        const delivery = await inbox.next();
        expect([delivery.envelope.id, delivery.envelope.attempt]).toEqual([sent.id, 2]);
        await delivery.retry(delayMs, { countAttempt: false });
      }
      const counted = await inbox.next();
      expect(counted.envelope.attempt).toBe(2);
      await counted.retry(0, { countAttempt: true });
      const last = await inbox.next();
      expect(last.envelope.attempt).toBe(3);
      await last.accept();
    });

    it(
      'delivers again what could not be settled while the connection stayed',
      async () => {
        if (fixture.refuseToStore === undefined) return;
        const ids = await publishMany(broker, queue, 3);
        const inbox = await consumeInto(broker, queue, 2);
        const held = [await inbox.next(), await inbox.next()];
        const storeAgain = await fixture.refuseToStore();
        try {
          const settling = [held[0]!.retry(0), held[1]!.deadLetter([])].map(failureOf);
          for (const failure of await Promise.all(settling)) {
            expect(codeOf(failure)).toEqual(['transient', 'broker-unavailable']);
          }
          expect(codeOf(await failureOf(held[0]!.accept()))).toEqual([
            'permanent',
            'already-settled',
          ]);
        } finally {
          await storeAgain();
        }
        // A broker may have stored a copy whose confirmation it kept: that one comes beside it.
        const missing = new Set(ids);
        while (missing.size > 0) {
          const delivery = await inbox.next();
          const { id } = delivery.envelope;
          if (delivery.redelivered || id === ids[2]) missing.delete(id);
          await delivery.accept();
        }
        await expectDepth(broker, queue, (depth) => depth.ready === 0);
      },
      restartTimeoutMs,
    );

    it('retries what its consumer threw on, and goes on', async () => {
      await publishMany(broker, queue, 1);
      const inbox = new Inbox();
      await broker.consume(queue, { window: 1 }, (delivery) => {
        if (delivery.envelope.attempt === 1) throw new Error('A fault in the consumer.');
        inbox.push(delivery);
      });
      const again = await inbox.next();
      expect(again.envelope.attempt).toBe(2);
      await again.accept();
    });

    it('settles out of order', async () => {
      const ids = await publishMany(broker, queue, 3);
      const inbox = await consumeInto(broker, queue, 3);
      const held = [await inbox.next(), await inbox.next(), await inbox.next()];
      await held[2]!.accept();
      await held[0]!.retry(0);
      await held[1]!.deadLetter([]);
      const again = await inbox.next();
      expect([again.envelope.id, again.envelope.attempt]).toEqual([ids[0], 2]);
      await again.accept();
      await expectDepth(
        broker,
        queue,
        (depth) => depth.dead === 1 && depth.ready + depth.unsettled === 0,
      );
    });
  });
}
