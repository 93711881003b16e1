// How fast the broker on RabbitMQ is, on a private server of its own, or on a cluster of three with `--nodes 3` (whose
// nodes talk through this process: their processor time counts, their speed does not): `npm run bench -- rabbitmq-broker`.
// Prints one JSON line a measurement; messages are 2 kB. Client and server share the machine.
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { openRabbitBroker } from '../../connectors/rabbitmq/broker.ts';
import type { Envelope } from '../../core/envelope.ts';
import type { Broker } from '../../core/ports/broker.ts';
import { startRabbitCluster } from '../support/rabbitmq-cluster.ts';
import { startRabbit } from '../support/rabbitmq.ts';
import { readCpuMs } from './pipeline/processes.ts';

const body = Buffer.alloc(2_000, 'OBX|1|NM|GLU^Glucose^L||5.4|mmol/L|||N\r');
const durationMs = 4_000;
const logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: console.warn,
  error: console.error,
};

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: { nodes: { type: 'string', default: '1' } },
});
const server = values.nodes === '3' ? await startRabbitCluster() : await startRabbit();
const nodes = 'nodes' in server ? server.nodes : [server];
try {
  const broker = await openRabbitBroker({ url: server.url, logger });
  await broker.declare({ name: 'bench', interface: 'bench' });
  await publishFor(broker, 64, 1_000);
  let stored = 0;
  for (const outstanding of [1, 64, 256]) {
    const latenciesMs = await publishFor(broker, outstanding, durationMs);
    stored += latenciesMs.length;
    report(`confirmed publish, ${outstanding} outstanding`, latenciesMs.length, durationMs, {
      p50Ms: quantile(latenciesMs, 0.5),
      p99Ms: quantile(latenciesMs, 0.99),
    });
  }
  for (const window of [1, 50, 256]) {
    const taken = Math.min(Math.floor(stored / 4), window === 1 ? 2_000 : 20_000);
    const startedAt = performance.now();
    await take(broker, window, taken);
    report(`consume and accept, window ${window}`, taken, performance.now() - startedAt, {});
  }
  await broker.declare({ name: 'through', interface: 'bench', order: { lanes: 4 } });
  const before = readServerCpuMs();
  const startedAt = performance.now();
  const count = 20_000;
  await pass(broker, 64, count);
  report('published, consumed and accepted, four lanes', count, performance.now() - startedAt, {
    serverMicrosPerMessage: Math.round(((readServerCpuMs() - before) * 1_000) / count),
  });
  await broker.close();
} finally {
  await server.stop();
}

function readServerCpuMs(): number {
  return nodes.reduce((sum, { pid }) => sum + (pid === undefined ? 0 : readCpuMs(pid)), 0);
}

/** So many go in, and out again, at the same time. */
async function pass(broker: Broker, outstanding: number, count: number): Promise<void> {
  const done = Promise.withResolvers<undefined>();
  let taken = 0;
  const consumer = await broker.consume('through', { window: 256 }, (delivery) => {
    delivery.accept().then(() => {
      taken += 1;
      if (taken === count) done.resolve(undefined);
    }, done.reject);
  });
  let published = 0;
  const publisher = async (): Promise<void> => {
    while (published < count) {
      published += 1;
      await broker.publish('through', buildEnvelope());
    }
  };
  await Promise.all([...Array.from({ length: outstanding }, publisher), done.promise]);
  await consumer.stop();
}

async function publishFor(
  broker: Broker,
  outstanding: number,
  forMs: number,
): Promise<readonly number[]> {
  const latenciesMs: number[] = [];
  const endsAt = performance.now() + forMs;
  const publisher = async (): Promise<void> => {
    while (performance.now() < endsAt) {
      const startedAt = performance.now();
      await broker.publish('bench', buildEnvelope());
      latenciesMs.push(performance.now() - startedAt);
    }
  };
  await Promise.all(Array.from({ length: outstanding }, publisher));
  return latenciesMs;
}

async function take(broker: Broker, window: number, count: number): Promise<void> {
  const done = Promise.withResolvers<undefined>();
  let taken = 0;
  const consumer = await broker.consume('bench', { window }, (delivery) => {
    delivery.accept().then(() => {
      taken += 1;
      if (taken === count) done.resolve(undefined);
    }, done.reject);
  });
  await done.promise;
  await consumer.stop();
}

function buildEnvelope(): Envelope {
  const id = randomUUID();
  return {
    id,
    interface: 'bench',
    contentType: 'application/hl7-v2',
    messageType: 'ORU^R01^ORU_R01',
    controlId: id.slice(0, 8),
    key: id.slice(9, 13),
    correlationId: id,
    receivedAt: new Date().toISOString(),
    attempt: 1,
    body,
  };
}

function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
  return Math.round(value * 100) / 100;
}

function report(what: string, count: number, ms: number, more: object): void {
  console.log(JSON.stringify({ what, perSecond: Math.round((count * 1000) / ms), count, ...more }));
}
