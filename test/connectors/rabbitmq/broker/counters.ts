import { openRabbitBroker } from '../../../../connectors/rabbitmq/broker.ts';
import type { Broker, QueueDepth } from '../../../../core/ports/broker.ts';
import {
  buildEnvelope,
  queue,
  silent,
  takeMany,
  until,
  withChannel,
  type RabbitTest,
} from './support.ts';

/** The counters of RabbitMQ's Prometheus plugin, and what is counted queue by queue without it. */
export function describeCounters(rabbit: RabbitTest): void {
  describe('counters', () => {
    const lanes = 3;
    const ordered = 'in.ordered';
    const openCounting = async (
      metricsUrls: readonly string[],
      warnings: string[],
    ): Promise<Broker> => {
      const client = await openRabbitBroker({
        url: rabbit.server.url,
        logger: { ...silent, warn: (_, text) => warnings.push(text) },
        prefix: rabbit.prefix,
        metricsUrls,
      });
      await client.declare({ name: queue, interface: 'tab-1' });
      await client.declare({ name: ordered, interface: 'tab-1', order: { lanes } });
      return client;
    };
    const depthOf = async (client: Broker, name: string): Promise<QueueDepth | undefined> =>
      (await client.depths()).find((depth) => depth.queue === name);

    it('are those of the endpoint: what waits, is held, is parked and is dead, over all lanes', async () => {
      const warnings: string[] = [];
      const counting = await openCounting([rabbit.server.metricsUrl], warnings);
      try {
        await rabbit.broker.declare({ name: ordered, interface: 'tab-1', order: { lanes } });
        for (let each = 0; each < 12; each += 1) {
          await rabbit.broker.publish(ordered, { ...buildEnvelope(), key: `patient-${each}` });
        }
        for (let each = 0; each < 6; each += 1) await rabbit.broker.publish(queue, buildEnvelope());
        const [dead, parked, ...held] = await takeMany(rabbit.broker, queue, 4);
        await dead!.deadLetter([]);
        // Held by a client that this one knows nothing of: only the server can tell.
        await parked!.retry(600_000);
        expect(held.length).toBe(2);
        // The plugin's figures are up to some seconds old.
        await until(async () => (await depthOf(counting, queue))?.unsettled === 4);
        await until(async () => (await depthOf(counting, queue))?.dead === 1);
        expect(await depthOf(counting, queue)).toEqual({
          queue,
          interface: 'tab-1',
          // The parked one.
          ready: 1,
          unsettled: 4,
          dead: 1,
        });
        await until(async () => (await depthOf(counting, ordered))?.ready === 12);
        expect(await depthOf(counting, ordered)).toMatchObject({ unsettled: 0, dead: 0 });
        expect(warnings).toEqual([]);
        // Counted one by one it is the same, but for what others hold.
        const byAsking = await openCounting([], warnings);
        try {
          expect(await depthOf(byAsking, queue)).toMatchObject({ ready: 1, unsettled: 0, dead: 1 });
          expect(await depthOf(byAsking, ordered)).toMatchObject({ ready: 12, dead: 0 });
        } finally {
          await byAsking.close();
        }
      } finally {
        await counting.close();
      }
    });

    it('are asked for queue by queue where the endpoint does not answer, which is said once', async () => {
      const warnings: string[] = [];
      const counting = await openCounting([`http://127.0.0.1:${rabbit.server.port}`], warnings);
      try {
        await rabbit.broker.publish(queue, buildEnvelope());
        await until(async () => (await depthOf(counting, queue))?.ready === 1);
        await counting.depths();
        expect(warnings).toEqual([expect.stringContaining('RABBITMQ_METRICS_URL')]);
      } finally {
        await counting.close();
      }
    });

    it('are asked for where the endpoint does not know a queue yet', async () => {
      const warnings: string[] = [];
      const counting = await openCounting([rabbit.server.metricsUrl], warnings);
      try {
        await counting.declare({ name: 'in.new', interface: 'tab-1' });
        await withChannel(rabbit.server.url, async (channel) => {
          channel.sendToQueue(`${rabbit.prefix}.in.new`, Buffer.from('x'), { persistent: true });
          await channel.waitForConfirms();
        });
        expect(await depthOf(counting, 'in.new')).toMatchObject({ ready: 1 });
      } finally {
        await counting.close();
      }
    });
  });
}
