import { openRabbitBroker } from '../../../../connectors/rabbitmq/broker.ts';
import { buildError } from '../../../../core/errors.ts';
import type { Issue } from '../../../../core/issue.ts';
import type { Delivery } from '../../../../core/ports/broker.ts';
import type { LedgerEntry } from '../../../../core/ports/ledger.ts';
import { consumeInto } from '../../../contract/broker/support.ts';
import { openTcpProxy } from '../../../support/tcp-proxy.ts';
import {
  buildEnvelope,
  failureOf,
  publishForeign,
  queue,
  silent,
  takeMany,
  until,
  withChannel,
  type RabbitTest,
} from './support.ts';

/** What a settlement makes durable, in which order, and what follows where it cannot. */
export function describeSettlements(rabbit: RabbitTest): void {
  describe('settlements', () => {
    const entryOf = ({ envelope }: Delivery): LedgerEntry => ({
      type: 'event',
      event: { messageId: envelope.id, kind: 'processed', at: '2026-01-02T03:04:05.678Z' },
    });

    it('parks for a delay longer than its longest retry queue, again and again', async () => {
      await rabbit.broker.publish(queue, buildEnvelope());
      const [delivery] = await takeMany(rabbit.broker, queue, 1);
      await delivery!.retry(900_000);
      const parked = `${rabbit.prefix}.${queue}.retry.10m`;
      const name = `${rabbit.prefix}.${queue}`;
      await withChannel(rabbit.server.url, async (channel) => {
        // As if ten minutes had passed: what expires goes to the work queue.
        const message = await channel.get(parked, { noAck: true });
        if (message === false) throw new Error('Expected a parked message.');
        await publishForeign(channel, '', name, message.content, message.properties);
        // Five minutes are left, which the ten-minute queue is the next one for.
        await until(async () => (await channel.checkQueue(parked)).messageCount === 1);
        expect((await channel.checkQueue(name)).messageCount).toBe(0);
      });
      expect(await rabbit.broker.depths()).toMatchObject([{ queue, ready: 1, dead: 0 }]);
    });

    it('dead-letters with reasons that fit, however many there are', async () => {
      await rabbit.broker.publish(queue, buildEnvelope());
      const [delivery] = await takeMany(rabbit.broker, queue, 1);
      const issues = Array.from({ length: 2_000 }, (_, index): Issue => ({
        code: 'too-long',
        severity: 'error',
        location: `OBX[${index + 1}]-5`,
        message: 'The value is longer than its length allows. '.repeat(50),
      }));
      await delivery!.deadLetter(issues);
      expect(await rabbit.broker.depths()).toMatchObject([{ queue, ready: 0, dead: 1 }]);
    });

    it('settles a delivery once', async () => {
      await rabbit.broker.publish(queue, buildEnvelope());
      const [delivery] = await takeMany(rabbit.broker, queue, 1);
      await delivery!.accept();
      const failure = await failureOf(delivery!.retry(0));
      expect(failure.issues[0]?.code).toBe('already-settled');
    });

    it('tells the ledger after what goes out, and settles after the ledger', async () => {
      const order: string[] = [];
      const recorder = await openRabbitBroker({
        url: rabbit.server.url,
        logger: silent,
        prefix: rabbit.prefix,
        record: async () => {
          const depths = await rabbit.broker.depths();
          const held = depths.find((each) => each.queue === queue);
          const out = depths.find((each) => each.queue === 'out.test');
          order.push(`recorded with ${out?.ready} out and ${held?.ready} back`);
        },
      });
      try {
        await rabbit.broker.declare({ name: 'out.test', interface: 'tab-1' });
        await recorder.declare({ name: 'out.test', interface: 'tab-1' });
        await rabbit.broker.publish(queue, buildEnvelope());
        const [delivery] = await takeMany(recorder, queue, 1);
        const out = { queue: 'out.test', envelope: buildEnvelope() };
        await delivery!.accept([out], [entryOf(delivery!)]);
        order.push('settled');
        expect(order).toEqual(['recorded with 1 out and 0 back', 'settled']);
      } finally {
        await recorder.close();
      }
    });

    it('delivers again what the ledger could not be told of', async () => {
      const recorder = await openRabbitBroker({
        url: rabbit.server.url,
        logger: silent,
        prefix: rabbit.prefix,
        record: () => Promise.reject(buildError('transient', 'ledger-unavailable', 'It is away.')),
      });
      try {
        const envelope = buildEnvelope();
        await rabbit.broker.publish(queue, envelope);
        const seen: string[] = [];
        let deliveries = 0;
        await recorder.consume(queue, { window: 1 }, (delivery) => {
          deliveries += 1;
          seen.push(delivery.envelope.id);
          if (deliveries > 1) return;
          void failureOf(delivery.accept([], [entryOf(delivery)])).then((failure) =>
            seen.push(failure.issues[0]?.code ?? ''),
          );
        });
        await until(() => Promise.resolve(seen.length === 3));
        expect(seen).toEqual([envelope.id, 'ledger-unavailable', envelope.id]);
      } finally {
        await recorder.close();
      }
    });

    it('delivers what could not be settled before those of its lane that were handed out behind it', async () => {
      let isAway = true;
      const recorder = await openRabbitBroker({
        url: rabbit.server.url,
        logger: silent,
        prefix: rabbit.prefix,
        record: () =>
          isAway
            ? Promise.reject(buildError('transient', 'ledger-unavailable', 'Away.'))
            : Promise.resolve(),
      });
      try {
        const ordered = `${queue}-ordered`;
        await recorder.declare({ name: ordered, interface: 'tab-1', order: { lanes: 1 } });
        const ids: string[] = [];
        for (let count = 0; count < 4; count += 1) {
          const envelope = { ...buildEnvelope(), key: 'patient-1' };
          await recorder.publish(ordered, envelope);
          ids.push(envelope.id);
        }
        const inbox = await consumeInto(recorder, ordered, 4);
        const takeAll = async (): Promise<Delivery[]> => {
          const taken: Delivery[] = [];
          while (taken.length < ids.length) taken.push(await inbox.next());
          return taken;
        };
        const [head, behind] = await takeAll();
        await failureOf(head!.accept([], [entryOf(head!)]));
        expect(behind!.voided.aborted).toBe(true);
        // Whoever goes on with it all the same settles nothing.
        expect((await failureOf(behind!.accept())).errorClass).toBe('transient');
        isAway = false;
        const redelivered = await takeAll();
        expect(redelivered.map(({ envelope }) => envelope.id)).toEqual(ids);
        await Promise.all(redelivered.map((delivery) => delivery.accept()));
      } finally {
        await recorder.close();
      }
    });

    it('rejects an acceptance whose channel was lost after what goes out was confirmed', async () => {
      const proxy = await openTcpProxy({ port: rabbit.server.port });
      const recorder = await openRabbitBroker({
        url: `amqp://guest:guest@127.0.0.1:${proxy.port}`,
        logger: silent,
        prefix: rabbit.prefix,
        // What goes out is stored by now.
        record: async () => {
          proxy.cut();
          await voided.promise;
        },
      });
      const voided = Promise.withResolvers<undefined>();
      try {
        await recorder.declare({ name: 'out.test', interface: 'tab-1' });
        await rabbit.broker.declare({ name: 'out.test', interface: 'tab-1' });
        const envelope = buildEnvelope();
        await rabbit.broker.publish(queue, envelope);
        const seen: Delivery[] = [];
        const rejected = Promise.withResolvers<string | undefined>();
        await recorder.consume(queue, { window: 1 }, (delivery) => {
          seen.push(delivery);
          if (seen.length > 1) return;
          delivery.voided.addEventListener('abort', () => voided.resolve(undefined));
          const out = { queue: 'out.test', envelope: buildEnvelope() };
          void failureOf(delivery.accept([out], [entryOf(delivery)])).then((failure) =>
            rejected.resolve(failure.issues[0]?.code),
          );
        });
        expect(await rejected.promise).toBe('broker-unavailable');
        await until(() => Promise.resolve(seen.length === 2));
        expect(seen[1]!.envelope.id).toBe(envelope.id);
        expect(seen[1]!.redelivered).toBe(true);
        const depths = await rabbit.broker.depths();
        expect(depths.find((each) => each.queue === 'out.test')?.ready).toBe(1);
      } finally {
        await recorder.close();
        await proxy.close();
      }
    });
  });
}
