import type { Envelope } from '../../../core/envelope.ts';
import type { Broker, Delivery, Outgoing } from '../../../core/ports/broker.ts';
import type { LedgerEntry } from '../../../core/ports/ledger.ts';
import type { BrokerFixture, BrokerTest } from './fixture.ts';
import { buildEnvelope, uniqueName } from '../envelope.ts';
import {
  acceptIds,
  codeOf,
  consumeInto,
  expectDepth,
  failureOf,
  publishMany,
  restartTimeoutMs,
} from './support.ts';

/** What is made durable together with a settlement. */
export function describeOutgoing(test: BrokerTest): void {
  let fixture: BrokerFixture;
  let broker: Broker;
  let queue: string;
  let target: string;
  beforeEach(async () => {
    ({ fixture, broker, queue } = test.current());
    target = uniqueName('out');
    await broker.declare({ name: target, interface: 'contract' });
  });

  const isEmpty = (name: string) =>
    expectDepth(broker, name, ({ ready, unsettled }) => ready + unsettled === 0);

  describe('settlement with outgoing', () => {
    it.each<[string, (delivery: Delivery, outgoing: readonly Outgoing[]) => Promise<void>]>([
      ['accept', (delivery, outgoing) => delivery.accept(outgoing)],
      ['retry', (delivery, outgoing) => delivery.retry(0, { outgoing })],
      ['retry, uncounted', (it, outgoing) => it.retry(0, { outgoing, countAttempt: false })],
      ['retry later', (delivery, outgoing) => delivery.retry(100, { outgoing })],
      ['dead letter', (delivery, outgoing) => delivery.deadLetter([], outgoing)],
    ])('stores what goes to queues and topics with it: %s', async (how, settle) => {
      const topic = uniqueName('t');
      const ordered = uniqueName('sub');
      const order = { lanes: 2 };
      await broker.declare({ name: ordered, interface: 'contract', topics: [topic], order });
      const sent = [buildEnvelope(), buildEnvelope()];
      const event = buildEnvelope();
      await publishMany(broker, queue, 1);
      const inbox = await consumeInto(broker, queue);
      const delivery = await inbox.next();
      await settle(delivery, [
        { queue: target, envelope: sent[0]! },
        { topic, envelope: event },
        { queue: target, envelope: sent[1]! },
      ]);
      const out = await consumeInto(broker, target);
      expect(await acceptIds(out, 2)).toEqual(sent.map(({ id }) => id));
      const events = await consumeInto(broker, ordered);
      expect(await acceptIds(events, 1)).toEqual([event.id]);
      if (how.startsWith('retry')) {
        const again = await inbox.next();
        expect(again.envelope.attempt).toBe(how === 'retry, uncounted' ? 1 : 2);
        await again.accept();
      }
      await isEmpty(queue);
    });

    it.each<[string, (delivery: Delivery, entries: readonly LedgerEntry[]) => Promise<void>]>([
      ['accept', (delivery, entries) => delivery.accept([], entries)],
      ['retry', (delivery, entries) => delivery.retry(0, { entries })],
      ['retry, uncounted', (it, entries) => it.retry(0, { entries, countAttempt: false })],
      ['dead letter', (delivery, entries) => delivery.deadLetter([], [], entries)],
    ])('has its entries in the ledger when it is settled: %s', async (how, settle) => {
      const [id] = await publishMany(broker, queue, 1);
      const inbox = await consumeInto(broker, queue);
      const delivery = await inbox.next();
      expect(await fixture.recorded([id!])).toEqual([]);
      const event = { messageId: id!, kind: 'taken', at: '2026-01-02T03:04:05.678Z' } as const;
      await settle(delivery, [
        { type: 'message', envelope: delivery.envelope },
        { type: 'event', event },
      ]);
      expect(await fixture.recorded([id!])).toEqual([id]);
      if (how.startsWith('retry')) {
        const again = await inbox.next();
        expect(again.envelope.attempt).toBe(how === 'retry' ? 2 : 1);
        await again.accept();
      }
      await isEmpty(queue);
    });

    it.each<[string, () => Outgoing, string]>([
      [
        'a queue',
        () => ({ queue: uniqueName('missing'), envelope: buildEnvelope() }),
        'queue-missing',
      ],
      [
        'a topic',
        () => ({ topic: uniqueName('nobody'), envelope: buildEnvelope() }),
        'topic-without-queue',
      ],
    ])('holds the delivery where %s is not there, and loses nothing', async (_, build, code) => {
      const [id] = await publishMany(broker, queue, 1);
      const inbox = await consumeInto(broker, queue);
      const delivery = await inbox.next();
      const good: Outgoing = { queue: target, envelope: buildEnvelope() };
      for (const settle of [
        () => delivery.accept([good, build()]),
        () => delivery.retry(0, { outgoing: [build(), good] }),
        () => delivery.deadLetter([], [good, build()]),
      ]) {
        expect(codeOf(await failureOf(settle()))).toEqual(['permanent', code]);
      }
      expect(delivery.voided.aborted).toBe(false);
      expect(inbox.arrived).toBe(1);
      // Still held: settled in another way.
      await delivery.deadLetter([], [good]);
      const out = await consumeInto(broker, target);
      // A broker may have stored some of the others before.
      expect((await out.next()).envelope.id).toBe(good.envelope.id);
      const letter = await (await consumeInto(broker, `${queue}.dead`)).next();
      expect(letter.envelope.id).toBe(id);
      await isEmpty(queue);
    });

    it('loses none where the connection is cut in the middle, and makes none of another', async () => {
      const count = 60;
      const ids = await publishMany(broker, queue, count);
      const derived = (envelope: Envelope): Envelope => ({
        ...buildEnvelope(),
        id: `${envelope.id}-out`,
        causationId: envelope.id,
      });
      const settled = new Set<string>();
      let seen = 0;
      const done = Promise.withResolvers<undefined>();
      await broker.consume(queue, { window: 8 }, (delivery) => {
        seen += 1;
        if (seen === 20 || seen === 40) void fixture.cut();
        const { envelope } = delivery;
        delivery.accept([{ queue: target, envelope: derived(envelope) }]).then(
          () => {
            settled.add(envelope.id);
            if (settled.size === count) done.resolve(undefined);
          },
          (error: unknown) => {
            expect(codeOf(error)).toEqual(['transient', 'broker-unavailable']);
          },
        );
      });
      await done.promise;
      const out = await consumeInto(broker, target, 100);
      const made = new Set<string>();
      while (made.size < count) {
        const delivery = await out.next();
        made.add(delivery.envelope.id);
        await delivery.accept();
      }
      expect([...made].sort()).toEqual(ids.map((id) => `${id}-out`).sort());
    });

    it(
      'has stored what goes out of all that were settled when the server is killed',
      async () => {
        const ids = await publishMany(broker, queue, 200);
        const settled = new Set<string>();
        let restarting: Promise<void> | undefined;
        const done = Promise.withResolvers<undefined>();
        const seen = new Set<string>();
        await broker.consume(queue, { window: 16 }, (delivery) => {
          const { id } = delivery.envelope;
          seen.add(id);
          const envelope = { ...buildEnvelope(), id: `${id}-out` };
          delivery.accept([{ queue: target, envelope }]).then(
            () => {
              settled.add(id);
              if (settled.size >= 60) restarting ??= fixture.restart();
              if (settled.size === ids.length) done.resolve(undefined);
            },
            () => undefined,
          );
        });
        await done.promise;
        await restarting;
        expect([...seen].sort()).toEqual([...ids].sort());
        const out = await consumeInto(broker, target, 100);
        const made = new Set<string>();
        while (made.size < ids.length) made.add((await acceptIds(out, 1))[0]!);
        expect([...made].sort()).toEqual(ids.map((id) => `${id}-out`).sort());
      },
      restartTimeoutMs,
    );
  });
}
