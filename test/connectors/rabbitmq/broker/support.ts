import { randomUUID } from 'node:crypto';
import type { ChannelModel, ConfirmChannel } from 'amqplib';
import { connect } from 'amqplib';
import { openRabbitBroker } from '../../../../connectors/rabbitmq/broker.ts';
import { buildNames, laneNames } from '../../../../connectors/rabbitmq/names.ts';
import { retryStepsMs } from '../../../../connectors/rabbitmq/topology.ts';
import type { Envelope } from '../../../../core/envelope.ts';
import { findFailure } from '../../../../core/errors.ts';
import type { Broker, Delivery } from '../../../../core/ports/broker.ts';
import type { Logger } from '../../../../core/ports/logger.ts';
import { describeWith } from '../../../support/programs.ts';
import { startRabbit, type RabbitServer } from '../../../support/rabbitmq.ts';

/** What every test has declared. */
export const queue = 'in.test';

/** What a test works with. Read it in the test: each has a client with a prefix of its own. */
export interface RabbitTest {
  readonly server: RabbitServer;
  readonly broker: Broker;
  readonly prefix: string;
}

/** Tests that share one server, with metrics; each has a client of its own, which has declared {@link queue}. */
export function describeRabbit(title: string, define: (rabbit: RabbitTest) => void): void {
  describeWith('rabbitmq-server', title, () => {
    let server: RabbitServer;
    let broker: Broker;
    let prefix: string;

    beforeAll(async () => {
      server = await startRabbit({ withMetrics: true });
    }, 150_000);
    afterAll(() => server.stop());

    beforeEach(async () => {
      prefix = `t${randomUUID().slice(0, 8)}`;
      broker = await openRabbitBroker({ url: server.url, logger: silent, prefix });
      await broker.declare({ name: queue, interface: 'tab-1' });
    });
    afterEach(() => broker.close());

    define({
      get server() {
        return server;
      },
      get broker() {
        return broker;
      },
      get prefix() {
        return prefix;
      },
    });
  });
}

export const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** Uses a plain client, as another service would. */
export async function withChannel<Result>(
  url: string,
  use: (channel: ConfirmChannel) => Promise<Result>,
): Promise<Result> {
  const model: ChannelModel = await connect(url, { noDelay: true });
  try {
    return await use(await model.createConfirmChannel());
  } finally {
    await model.close();
  }
}

/** Deletes the queues with all that goes with them; as many lanes as any test has. */
export async function deleteQueues(
  url: string,
  prefix: string,
  queues: readonly string[],
): Promise<void> {
  const names = buildNames(prefix);
  await withChannel(url, async (channel) => {
    const all = queues.flatMap((queue) => [
      names.queue(queue),
      names.dead(queue),
      ...retryStepsMs.map((stepMs) => names.retry(queue, stepMs)),
      ...laneNames(names, queue, 8),
    ]);
    await Promise.all(all.map((name) => channel.deleteQueue(name)));
  });
}

export function publishForeign(
  channel: ConfirmChannel,
  exchange: string,
  routingKey: string,
  body: Buffer,
  properties: object,
): Promise<void> {
  return new Promise((resolve, reject) => {
    channel.publish(exchange, routingKey, body, properties, (error: unknown) => {
      if (error instanceof Error) reject(error);
      else resolve();
    });
  });
}

export function takeMany(broker: Broker, queue: string, count: number): Promise<Delivery[]> {
  const taken: Delivery[] = [];
  return new Promise((resolve, reject) => {
    broker
      .consume(queue, { window: count }, (delivery) => {
        taken.push(delivery);
        if (taken.length === count) resolve(taken);
      })
      .catch(reject);
  });
}

/** RabbitMQ tells nobody when a count changes: asks until it is as expected. */
export async function until(isSo: () => Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + 20_000;
  while (!(await isSo())) {
    if (performance.now() > giveUpAt) throw new Error('It did not come about within 20 s.');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export async function failureOf(
  promise: Promise<unknown>,
): Promise<NonNullable<ReturnType<typeof findFailure>>> {
  try {
    await promise;
  } catch (error) {
    const failure = findFailure(error);
    if (failure === undefined) throw error;
    return failure;
  }
  throw new Error('Expected a rejection.');
}

export function buildEnvelope(): Envelope {
  const id = randomUUID();
  return {
    id,
    interface: 'tab-1',
    contentType: 'application/hl7-v2',
    correlationId: id,
    receivedAt: '2026-01-02T03:04:05.678Z',
    attempt: 1,
    body: Buffer.from(`MSH|^~\\&|LAB|HILUM|EHR|HILUM|20260102||ORU^R01|${id}|P|2.5.1\r`),
  };
}
