import type { Broker, Delivery, HeldLane } from '../../../core/ports/broker.ts';
import type { BrokerFixture, BrokerTest } from './fixture.ts';
import { buildEnvelope, uniqueName } from '../envelope.ts';
import {
  acceptIds,
  consumeHandle,
  consumeInto,
  expectDepth,
  Inbox,
  pause,
  publishMany,
  publishUntilStored,
  restartTimeoutMs,
} from './support.ts';

/** How long a delivery that must not come is waited for: many times what one takes that may. */
const silenceMs = 400;

/** Queues in order: one consumer at a time, and lanes that keep those of one key together. */
export function describeOrder(
  test: BrokerTest,
  { keepsOrderOverCrash }: { readonly keepsOrderOverCrash: boolean },
): void {
  let fixture: BrokerFixture;
  let broker: Broker;
  let other: Broker;
  let queue: string;
  const declare = (client: Broker, lanes: number): Promise<void> =>
    client.declare({ name: queue, interface: 'contract', order: { lanes } });

  beforeEach(async () => {
    ({ fixture, broker } = test.current());
    queue = uniqueName('in');
    other = await fixture.reopen();
  });

  describe('an ordered queue of one lane', () => {
    let ids: readonly string[];
    let first: Inbox;
    let second: Inbox;
    beforeEach(async () => {
      await declare(broker, 1);
      await declare(other, 1);
      ids = await publishMany(broker, queue, 6);
      first = new Inbox();
      second = new Inbox();
    });

    const take = async (inbox: Inbox, count: number): Promise<Delivery[]> => {
      const taken: Delivery[] = [];
      while (taken.length < count) taken.push(await inbox.next());
      return taken;
    };
    const idsOf = (deliveries: readonly Delivery[]): string[] =>
      deliveries.map(({ envelope }) => envelope.id);

    it('delivers in the order of publishing', async () => {
      await consumeHandle(broker, queue, first, 3);
      expect(await acceptIds(first, 6)).toEqual(ids);
    });

    it('gives a second consumer nothing while the first holds some, or consumes', async () => {
      await consumeHandle(broker, queue, first, 2);
      await take(first, 2);
      await consumeHandle(other, queue, second, 2);
      await pause(silenceMs);
      expect(second.arrived).toBe(0);
    });

    it('gives it to the second when the first has stopped and settled all, in order', async () => {
      const consumer = await consumeHandle(broker, queue, first, 3);
      const held = await take(first, 3);
      await consumeHandle(other, queue, second, 10);
      await consumer.stop();
      await pause(silenceMs);
      expect(second.arrived).toBe(0);
      await held[2]!.accept();
      await held[0]!.accept();
      await held[1]!.accept();
      expect(await acceptIds(second, 3)).toEqual(ids.slice(3));
      expect(first.arrived).toBe(3);
    });

    it('gives back in order what a consumer that stopped has not settled, whatever came first', async () => {
      const consumer = await consumeHandle(broker, queue, first, 3);
      const held = await take(first, 3);
      await consumeHandle(other, queue, second, 10);
      await consumer.stop();
      for (const index of [2, 0, 1]) await held[index]!.retry(0, { countAttempt: false });
      const again = await take(second, 6);
      expect(idsOf(again)).toEqual(ids);
      expect(again.map(({ envelope }) => envelope.attempt)).toEqual([1, 1, 1, 1, 1, 1]);
    });

    it('gives it to the second when the first pauses, and back when that stops', async () => {
      const consumer = await consumeHandle(broker, queue, first, 2);
      const held = await take(first, 2);
      const next = await consumeHandle(other, queue, second, 2);
      await consumer.pause();
      await Promise.all(held.map((delivery) => delivery.accept()));
      const later = await take(second, 2);
      expect(idsOf(later)).toEqual(ids.slice(2, 4));
      await consumer.resume();
      await next.stop();
      await Promise.all(later.map((delivery) => delivery.accept()));
      expect(await acceptIds(first, 2)).toEqual(ids.slice(4));
    });

    it.each<[string, (fixture: BrokerFixture, broker: Broker) => Promise<void>]>([
      ['is closed', (_, client) => client.close()],
      ['is cut off', (it) => it.cut()],
    ])(
      'gives all that is unsettled to the second when the first %s, in order',
      async (_, leave) => {
        await consumeHandle(broker, queue, first, 4);
        const held = await take(first, 4);
        await held[1]!.accept();
        // Settled before it leaves: the next round trip comes behind it.
        await expectDepth(broker, queue, ({ ready }) => ready <= 2);
        await consumeHandle(other, queue, second, 10);
        const leftAt = performance.now();
        await leave(fixture, broker);
        const again = await take(second, 5);
        expect(performance.now() - leftAt).toBeLessThan(5_000);
        expect(idsOf(again)).toEqual([ids[0], ...ids.slice(2)]);
        expect(again.slice(0, 3).map(({ redelivered }) => redelivered)).toEqual([true, true, true]);
      },
    );

    it('tells of the lane before its first message, and delivers none until it is heard', async () => {
      const heard = Promise.withResolvers<undefined>();
      const lanes: HeldLane[] = [];
      const onLane = (lane: HeldLane): Promise<void> => {
        lanes.push(lane);
        return heard.promise;
      };
      // The embedded broker says so at once, and answers when it is heard.
      const consuming = broker.consume(queue, { window: 10, onLane }, (delivery) =>
        first.push(delivery),
      );
      await pause(silenceMs);
      expect([lanes.length, first.arrived]).toEqual([1, 0]);
      heard.resolve(undefined);
      await consuming;
      expect(await acceptIds(first, 6)).toEqual(ids);
      expect(lanes.map(({ window, lost }) => [window, lost.aborted])).toEqual([[10, false]]);
      expect(lanes[0]!.has('any key')).toBe(true);
    });

    it('delivers a message that is given back before those behind it', async () => {
      await consumeHandle(broker, queue, first, 2);
      const held = await take(first, 2);
      await held[0]!.retry(0, { countAttempt: false });
      const again = await first.next();
      expect([again.envelope.id, again.envelope.attempt]).toEqual([ids[0], 1]);
      await held[1]!.accept();
      await again.accept();
      expect(await acceptIds(first, 4)).toEqual(ids.slice(2));
    });

    it('lets a message that is retried later step aside', async () => {
      await consumeHandle(broker, queue, first, 1);
      await (await first.next()).retry(1_000);
      expect(await acceptIds(first, 5)).toEqual(ids.slice(1));
      const again = await first.next();
      expect([again.envelope.id, again.envelope.attempt]).toEqual([ids[0], 2]);
      await again.accept();
    });

    it('keeps to the window', async () => {
      await consumeHandle(broker, queue, first, 2);
      await take(first, 2);
      await pause(silenceMs);
      expect(first.arrived).toBe(2);
    });

    (keepsOrderOverCrash ? it : it.skip)(
      'keeps the order when the server is killed while some are held',
      async () => {
        await consumeHandle(broker, queue, first, 3);
        const held = await take(first, 3);
        await held[0]!.accept();
        await fixture.restart();
        const again: string[] = [];
        while (!again.includes(ids[5]!)) {
          const delivery = await first.next();
          // Delivered before the server was killed.
          if (delivery.voided.aborted) continue;
          again.push(delivery.envelope.id);
          await delivery.accept();
        }
        // The acceptance may have been lost with the server.
        expect(again.filter((id) => id !== ids[0])).toEqual(ids.slice(1));
      },
      restartTimeoutMs,
    );
  });

  describe('an ordered queue of four lanes', () => {
    const keys = Array.from({ length: 24 }, (_, index) => `patient-${index}`);
    const publishKeyed = async (client: Broker, rounds: number): Promise<void> => {
      const envelopes = Array.from({ length: rounds }, (_, round) =>
        keys.map((key) => ({ ...buildEnvelope(), id: `${key}/${round}`, key })),
      ).flat();
      await Promise.all(envelopes.map((envelope) => client.publish(queue, envelope)));
    };
    beforeEach(async () => {
      await declare(broker, 4);
      await declare(other, 4);
    });

    it('keeps those of a key in order, over a cut and duplicate deliveries, and loses none', async () => {
      const firstSeen = new Map<string, number[]>();
      const seen = new Set<string>();
      const done = Promise.withResolvers<undefined>();
      const handler = (delivery: Delivery): void => {
        const { id, key = '' } = delivery.envelope;
        if (!seen.has(id)) {
          seen.add(id);
          firstSeen.set(key, [...(firstSeen.get(key) ?? []), Number(id.split('/')[1])]);
        }
        if (seen.size === 80) void fixture.cut();
        // One that cannot be settled any more comes again.
        delivery.accept().catch(() => undefined);
        if (seen.size === keys.length * 10) done.resolve(undefined);
      };
      await broker.consume(queue, { window: 16 }, handler);
      await other.consume(queue, { window: 16 }, handler);
      await publishKeyed(other, 10);
      await done.promise;
      for (const key of keys) expect(firstSeen.get(key)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      await expectDepth(broker, queue, ({ ready }) => ready === 0);
    });

    it('gives those of a key to one consumer at a time', async () => {
      const holders = new Map<string, Set<string>>();
      const seen = new Set<string>();
      const done = Promise.withResolvers<undefined>();
      const consume = (client: Broker, name: string) =>
        client.consume(queue, { window: 200 }, ({ envelope: { id, key = '' } }) => {
          // All are held: none may come to anybody else.
          holders.set(key, (holders.get(key) ?? new Set()).add(name));
          seen.add(id);
          if (seen.size === keys.length * 3) done.resolve(undefined);
        });
      await Promise.all([consume(broker, 'first'), consume(other, 'second')]);
      await publishKeyed(broker, 3);
      await done.promise;
      for (const key of keys) expect(holders.get(key)?.size).toBe(1);
    });

    it('counts all lanes', async () => {
      await publishKeyed(broker, 2);
      await expectDepth(broker, queue, ({ ready }) => ready === keys.length * 2);
      await expectDepth(other, queue, ({ ready }) => ready === keys.length * 2);
    });

    it('keeps to the window in all lanes together', async () => {
      await publishKeyed(broker, 2);
      const inbox = await consumeInto(broker, queue, 9);
      const held = [await inbox.next(), await inbox.next()];
      await pause(silenceMs);
      expect(inbox.arrived).toBeLessThanOrEqual(9);
      for (const delivery of held) await delivery.accept();
      await pause(silenceMs);
      expect(inbox.arrived).toBeLessThanOrEqual(11);
    });

    it('delivers what has no key', async () => {
      const ids = await publishMany(broker, queue, 40);
      const inbox = await consumeInto(broker, queue, 50);
      expect((await acceptIds(inbox, 40)).sort()).toEqual([...ids].sort());
    });

    it('delivers the events that it subscribes to, those of a key in order', async () => {
      const topic = uniqueName('t');
      await broker.declare({
        name: queue,
        interface: 'contract',
        order: { lanes: 4 },
        topics: [topic],
      });
      const events = Array.from({ length: 20 }, () => ({ ...buildEnvelope(), key: 'patient-7' }));
      await Promise.all(events.map((event) => other.publishEvent(topic, event)));
      const inbox = await consumeInto(other, queue, 30);
      expect(await acceptIds(inbox, 20)).toEqual(events.map(({ id }) => id));
    });
  });

  describe('a queue whose order changes', () => {
    /** How many publishes were not known to be stored, and were repeated. */
    let repeated = 0;
    beforeEach(() => {
      repeated = 0;
    });
    const publishRounds = async (from: number, to: number): Promise<void> => {
      for (let round = from; round < to; round += 1) {
        const envelopes = ['a', 'b', 'c', 'd', 'e', 'f'].map((key) => ({
          ...buildEnvelope(),
          id: `${queue}/${key}/${round}`,
          key,
        }));
        const calls = envelopes.map((each) => publishUntilStored(broker, queue, each));
        for (const again of await Promise.all(calls)) repeated += again;
      }
    };
    /**
     * The rounds of each key in the order in which they came first, when the queue is empty. A copy is left by nothing
     * but a confirmation that came late: whoever consumes takes each id once.
     */
    const takeAll = async (client: Broker, count: number): Promise<Map<string, number[]>> => {
      const byKey = new Map<string, number[]>();
      const seen = new Set<string>();
      let copies = 0;
      const all = Promise.withResolvers<undefined>();
      const take = (delivery: Delivery): void => {
        const { id } = delivery.envelope;
        delivery.accept().catch(all.reject);
        if (seen.has(id)) {
          copies += 1;
          return;
        }
        seen.add(id);
        const [, key = '', round] = id.split('/');
        byKey.set(key, [...(byKey.get(key) ?? []), Number(round)]);
        if (seen.size === count) all.resolve(undefined);
      };
      const consumer = await client.consume(queue, { window: 4 }, take);
      await all.promise;
      await expectDepth(client, queue, ({ ready, unsettled }) => ready + unsettled === 0);
      await consumer.stop();
      expect(copies).toBeLessThanOrEqual(repeated + (fixture.warnings?.() ?? 0));
      return byKey;
    };

    it.each<[string, number | undefined, number | undefined]>([
      ['one lane to four', 1, 4],
      ['four lanes to one', 4, 1],
      ['two lanes to eight', 2, 8],
      ['eight lanes to three', 8, 3],
      ['four lanes to no order', 4, undefined],
      ['no order to four lanes', undefined, 4],
    ])(
      'forgets nothing from %s, and keeps those of a key in order when it was empty',
      async (_, before, after) => {
        const declareAs = (client: Broker, lanes: number | undefined): Promise<void> =>
          lanes === undefined
            ? client.declare({ name: queue, interface: 'contract' })
            : declare(client, lanes);
        await declareAs(broker, before);
        await publishRounds(0, 5);
        await declareAs(broker, after);
        await publishRounds(5, 10);
        const byKey = await takeAll(broker, 60);
        for (const rounds of byKey.values()) {
          expect(rounds.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        }
        // And again, on a client that knows of nothing.
        await declareAs(other, after);
        await publishRounds(10, 14);
        for (const rounds of (await takeAll(other, 24)).values())
          expect(rounds).toEqual([10, 11, 12, 13]);
      },
    );

    it('keeps those of a key in order where it begins to have lanes while messages wait and more come', async () => {
      await broker.declare({ name: queue, interface: 'contract' });
      await publishRounds(0, 20);
      // Some have been taken and given back.
      const former = await fixture.reopen();
      const held = await consumeInto(former, queue, 9);
      for (let count = 0; count < 9; count += 1) await held.next();
      await former.close();
      const declaring = [declare(broker, 4), declare(other, 4)];
      const meanwhile = publishRounds(20, 25);
      await Promise.all(declaring);
      await meanwhile;
      await publishRounds(25, 30);
      const everyRound = Array.from({ length: 30 }, (_, round) => round);
      for (const rounds of (await takeAll(other, 180)).values()) expect(rounds).toEqual(everyRound);
    });

    it('gets one copy of an event, whatever its order was before', async () => {
      const topic = uniqueName('t');
      const definition = { name: queue, interface: 'contract', topics: [topic] };
      for (const order of [{ lanes: 2 }, undefined, { lanes: 4 }, undefined]) {
        await other.declare(order === undefined ? definition : { ...definition, order });
        const event = buildEnvelope();
        await other.publishEvent(topic, event);
        const inbox = new Inbox();
        const consumer = await consumeHandle(other, queue, inbox);
        expect(await acceptIds(inbox, 1)).toEqual([event.id]);
        await expectDepth(other, queue, ({ ready, unsettled }) => ready + unsettled === 0);
        await consumer.stop();
        expect(inbox.arrived).toBe(1);
      }
    });

    it('delivers what one that knows of no lanes publishes, those of a key in order', async () => {
      await declare(broker, 4);
      await Promise.all(
        Array.from({ length: 20 }, (_, round) =>
          other.publish(queue, { ...buildEnvelope(), id: `${queue}/a/${round}`, key: 'a' }),
        ),
      );
      const rounds = (await takeAll(broker, 20)).get('a');
      expect(rounds).toEqual(Array.from({ length: 20 }, (_, round) => round));
    });
  });
}
