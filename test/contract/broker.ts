import { randomUUID } from 'node:crypto';
import type { Envelope } from '../../core/envelope.ts';
import { HilumError } from '../../core/errors.ts';
import type { Issue } from '../../core/issue.ts';
import type { Broker, Consumer, Delivery, QueueDepth } from '../../core/ports/broker.ts';

/** A real broker under test, with the faults that its promises speak of. One is opened for every test. */
export interface BrokerFixture {
  /** The first client. */
  readonly broker: Broker;
  /** A second client of the same broker, closed by the fixture's `close`. */
  reopen(): Promise<Broker>;
  /** Cuts the first client's connection under it; it may connect again at once. */
  cut(): Promise<void>;
  /** Kills the server without warning (kill -9) and starts it on the same data; resolves when it is up. */
  restart(): Promise<void>;
  /**
   * Makes the broker refuse to store while connections stay (a full disk, an alarm), until what it resolves
   * with is called; where that can be provoked.
   */
  refuseToStore?(): Promise<() => Promise<void>>;
  /** The dead letters of a queue with their reasons, oldest first, where they can be looked at. */
  deadLetters?(
    queue: string,
  ): Promise<readonly { readonly id: string; readonly issues: readonly Issue[] }[]>;
  /** Closes both clients and ends what was started. */
  close(): Promise<void>;
}

/** For things that must happen, seconds apart on a busy machine and with a broker that reconnects. */
const deadlineMs = 25_000;
const restartTimeoutMs = 150_000;

/**
 * Every promise of core/ports/broker.ts, as tests. `open` is called before each of them; a slow server
 * may be shared between the fixtures that it returns, since every test uses queues of its own.
 */
export function describeBroker(name: string, open: () => Promise<BrokerFixture>): void {
  describe(`broker: ${name}`, () => {
    let fixture: BrokerFixture;
    let broker: Broker;
    let queue: string;

    beforeEach(async () => {
      fixture = await open();
      broker = fixture.broker;
      queue = uniqueName('in');
      await broker.declare({ name: queue, interface: 'contract' });
    }, restartTimeoutMs);

    afterEach(async () => {
      await fixture.close();
    }, restartTimeoutMs);

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
          const again = await inbox.next();
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

    describe('topics', () => {
      let root: string;
      beforeEach(() => {
        root = uniqueName('t').replaceAll('.', '-');
      });

      const subscribe = async (...topics: string[]): Promise<string> => {
        const subscriber = uniqueName('sub');
        await broker.declare({ name: subscriber, interface: 'contract', topics });
        return subscriber;
      };

      it('copies an event into every queue that subscribes to it', async () => {
        const exact = await subscribe(`${root}.result`);
        const oneWord = await subscribe(`${root}.*`);
        const elsewhere = await subscribe(`${root}.order`);
        const sent = buildEnvelope();
        await broker.publishEvent(`${root}.result`, sent);
        for (const name of [exact, oneWord]) {
          expect((await (await consumeInto(broker, name)).next()).envelope.id).toBe(sent.id);
        }
        await expectDepth(broker, elsewhere, (depth) => depth.ready + depth.unsettled === 0);
      });

      it('gives one copy to a queue that two of its topics match', async () => {
        const subscriber = await subscribe(`${root}.result`, `${root}.#`);
        const sent = [buildEnvelope(), buildEnvelope()];
        for (const envelope of sent) await broker.publishEvent(`${root}.result`, envelope);
        const inbox = await consumeInto(broker, subscriber);
        expect(await acceptIds(inbox, 2)).toEqual(sent.map((envelope) => envelope.id));
      });

      it.each([
        ['*', 'result', true],
        ['*', 'result.final', false],
        ['#', 'result.final.x', true],
        ['#', '', true],
        ['*.final', 'result.final', true],
        ['*.final', 'final', false],
        ['#.final', 'final', true],
        ['#.final', 'a.b.final', true],
        ['a.#.z', 'a.z', true],
        ['a.#.z', 'a.b.c.z', true],
        ['a.#.z', 'a.b.c', false],
        ['result', 'results', false],
      ])('matches the pattern %s with the words "%s": %s', async (pattern, words, matches) => {
        await subscribe(`${root}.${pattern}`);
        const topic = words === '' ? root : `${root}.${words}`;
        const publishing = broker.publishEvent(topic, buildEnvelope());
        if (matches) {
          await publishing;
        } else {
          expect(codeOf(await failureOf(publishing))).toEqual(['permanent', 'topic-without-queue']);
        }
      });

      it('refuses an event that nobody subscribes to', async () => {
        const failure = await failureOf(broker.publishEvent(`${root}.nobody`, buildEnvelope()));
        expect(codeOf(failure)).toEqual(['permanent', 'topic-without-queue']);
      });

      it('adds topics to those that a queue has', async () => {
        const subscriber = await subscribe(`${root}.a`);
        await broker.declare({ name: subscriber, interface: 'contract', topics: [`${root}.b`] });
        await broker.declare({ name: subscriber, interface: 'contract' });
        const sent = [buildEnvelope(), buildEnvelope()];
        await broker.publishEvent(`${root}.a`, sent[0]!);
        await broker.publishEvent(`${root}.b`, sent[1]!);
        const inbox = await consumeInto(broker, subscriber);
        expect(await acceptIds(inbox, 2)).toEqual(sent.map((envelope) => envelope.id));
      });
    });

    describe('declare', () => {
      it('changes nothing when it is repeated, by two clients at once too', async () => {
        const other = await fixture.reopen();
        const definition = { name: uniqueName('in'), interface: 'contract', topics: ['x.y'] };
        definition.topics = [`${definition.name}.topic`];
        await Promise.all(
          [broker, other, broker, other, broker].map((client) => client.declare(definition)),
        );
        const sent = buildEnvelope();
        await broker.publish(definition.name, sent);
        await other.declare(definition);
        const inbox = await consumeInto(broker, definition.name);
        expect((await inbox.next()).envelope.id).toBe(sent.id);
      });
    });

    describe('depths', () => {
      it('counts what waits in each declared queue, under its interface', async () => {
        const empty = uniqueName('empty');
        await broker.declare({ name: empty, interface: 'contract-2' });
        await publishMany(broker, queue, 5);
        const full = await expectDepth(broker, queue, (depth) => depth.ready === 5);
        expect(full).toMatchObject({ interface: 'contract', dead: 0, unsettled: 0 });
        const none = await expectDepth(broker, empty, (depth) => depth.ready === 0);
        expect(none).toMatchObject({ interface: 'contract-2', dead: 0 });
      });

      it('leaves out queues that were never declared', async () => {
        const names = (await broker.depths()).map((depth) => depth.queue);
        expect(names).toContain(queue);
        expect(names).not.toContain(`${queue}.dead`);
        expect(names).not.toContain(uniqueName('missing'));
      });

      it('counts what is held as unsettled or not at all, and not as ready', async () => {
        await publishMany(broker, queue, 5);
        const inbox = await consumeInto(broker, queue, 2);
        await inbox.next();
        await inbox.next();
        const depth = await expectDepth(broker, queue, ({ ready }) => ready === 3);
        expect([0, 2]).toContain(depth.unsettled);
      });
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
          const ids = await publishMany(broker, queue, 300);
          const event = buildEnvelope();
          await broker.publishEvent(topic, event);
          const first = new Inbox();
          // One at a time: of several held ones, RabbitMQ may give back a late one before the earlier.
          const handle = await consumeHandle(broker, queue, first, 1);
          await (await first.next()).deadLetter([]);
          await handle.stop();
          await fixture.restart();
          const inbox = await consumeInto(broker, queue, 50);
          expect(await acceptIds(inbox, 299)).toEqual(ids.slice(1));
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
          expect([...failures].filter((code) => code !== 'transient broker-unavailable')).toEqual(
            [],
          );
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

    describe('close', () => {
      it('waits for what is being published, and may be repeated', async () => {
        const other = await fixture.reopen();
        const envelopes = Array.from({ length: 20 }, () => buildEnvelope());
        const publishing = envelopes.map((envelope) => other.publish(queue, envelope));
        await other.close();
        await other.close();
        await Promise.all(publishing);
        const inbox = await consumeInto(broker, queue);
        expect(await acceptIds(inbox, 20)).toEqual(envelopes.map((envelope) => envelope.id));
      });
    });
  });
}

/** Deliveries as they arrive, for tests that take them one by one. */
class Inbox {
  arrived = 0;
  #waiting: Delivery[] = [];
  #takers: ((delivery: Delivery) => void)[] = [];

  push(delivery: Delivery): void {
    this.arrived += 1;
    const taker = this.#takers.shift();
    if (taker === undefined) this.#waiting.push(delivery);
    else taker(delivery);
  }

  next(): Promise<Delivery> {
    const delivery = this.#waiting.shift();
    if (delivery !== undefined) return Promise.resolve(delivery);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`No delivery within ${deadlineMs} ms; ${this.arrived} before it.`));
      }, deadlineMs);
      timer.unref();
      this.#takers.push((it) => {
        clearTimeout(timer);
        resolve(it);
      });
    });
  }
}

async function consumeInto(broker: Broker, queue: string, window = 10): Promise<Inbox> {
  const inbox = new Inbox();
  await consumeHandle(broker, queue, inbox, window);
  return inbox;
}

/** Consumes, repeating the call while the broker is not back after a restart. */
async function consumeHandle(
  broker: Broker,
  queue: string,
  inbox: Inbox,
  window = 10,
): Promise<Consumer> {
  return untilAvailable(() =>
    broker.consume(queue, { window }, (delivery) => inbox.push(delivery)),
  );
}

async function acceptIds(inbox: Inbox, count: number): Promise<string[]> {
  const ids: string[] = [];
  const accepting: Promise<void>[] = [];
  while (ids.length < count) {
    const delivery = await inbox.next();
    ids.push(delivery.envelope.id);
    accepting.push(delivery.accept());
  }
  await Promise.all(accepting);
  return ids;
}

/** Publishes without waiting in between, so that order is the broker's to keep. */
async function publishMany(broker: Broker, queue: string, count: number): Promise<string[]> {
  const envelopes = Array.from({ length: count }, () => buildEnvelope());
  await Promise.all(envelopes.map((envelope) => broker.publish(queue, envelope)));
  return envelopes.map((envelope) => envelope.id);
}

/** What a publisher does with `broker-unavailable`: the same id again. */
async function publishUntilStored(
  broker: Broker,
  queue: string,
  envelope: Envelope,
): Promise<void> {
  await untilAvailable(() => broker.publish(queue, envelope));
}

async function untilAvailable<Result>(call: () => Promise<Result>): Promise<Result> {
  const giveUpAt = performance.now() + deadlineMs;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      const [errorClass] = codeOf(error);
      if (errorClass !== 'transient' || performance.now() > giveUpAt) throw error;
      await pause(50);
    }
  }
}

/** A broker may count late: asks until the figures are as expected, or the deadline passes. */
async function expectDepth(
  broker: Broker,
  queue: string,
  isExpected: (depth: QueueDepth) => boolean,
): Promise<QueueDepth> {
  const giveUpAt = performance.now() + deadlineMs;
  for (;;) {
    const depths = await untilAvailable(() => broker.depths());
    const depth = depths.find((candidate) => candidate.queue === queue);
    if (depth !== undefined && isExpected(depth)) return depth;
    if (performance.now() > giveUpAt) {
      throw new Error(`Depth not as expected within ${deadlineMs} ms: ${JSON.stringify(depth)}`);
    }
    await pause(50);
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('Expected a rejection.');
}

/** Class and code of an error, in that order. */
function codeOf(error: unknown): [string, string] {
  if (!(error instanceof HilumError)) throw error;
  return [error.errorClass, error.issues[0]?.code ?? ''];
}

const uniqueName = (prefix: string): string => `${prefix}.contract-${randomUUID()}`;

function buildEnvelope(): Envelope {
  const id = randomUUID();
  return {
    id,
    interface: 'contract',
    contentType: 'application/hl7-v2',
    correlationId: id,
    receivedAt: '2026-01-02T03:04:05.678Z',
    attempt: 1,
    body: Buffer.from(`MSH|^~\\&|LAB|HILUM|EHR|HILUM|20260102||ORU^R01|${id}|P|2.5.1\r`),
  };
}
