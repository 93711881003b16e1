/**
 * How fast the embedded broker and ledger are, with the owner in a process of its own:
 * `node test/bench/embedded-broker.ts [SECONDS_PER_FIGURE]`. Messages of 2 kB, every hop durable.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Envelope } from '../../core/envelope.ts';
import type { Broker } from '../../core/ports/broker.ts';
import type { Ledger, LedgerEntry } from '../../core/ports/ledger.ts';
import { OwnerFixture } from '../connectors/sqlite/support.ts';

const forMs = 1000 * Number(process.argv[2] ?? 3);
const outstandings = [1, 32, 256];
const body = randomBytes(1024).toString('hex');

function buildEnvelope(): Envelope {
  const id = randomUUID();
  return {
    id,
    interface: 'bench',
    contentType: 'application/hl7-v2',
    messageType: 'ORU^R01^ORU_R01',
    controlId: id.slice(0, 20),
    key: `key-${id.slice(0, 2)}`,
    correlationId: id,
    receivedAt: new Date().toISOString(),
    attempt: 1,
    body: Buffer.from(body),
  };
}

interface Figure {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Processor time of the owner for one: tells more than the rate where the machine is busy. */
  readonly ownerUs: number;
}

const owner = new OwnerFixture();

/** Runs `work` with so many at a time until the time is over. */
async function measure(outstanding: number, work: () => Promise<void>): Promise<Figure> {
  const latencies: number[] = [];
  const startedAt = performance.now();
  const cpuBefore = ownerCpuMs();
  const lane = async (): Promise<void> => {
    while (performance.now() - startedAt < forMs) {
      const at = performance.now();
      await work();
      latencies.push(performance.now() - at);
    }
  };
  await Promise.all(Array.from({ length: outstanding }, lane));
  const seconds = (performance.now() - startedAt) / 1000;
  const ownerUs = ((ownerCpuMs() - cpuBefore) * 1000) / latencies.length;
  latencies.sort((left, right) => left - right);
  const percentile = (part: number): number =>
    latencies[Math.floor((latencies.length - 1) * part)] ?? Number.NaN;
  return {
    perSecond: latencies.length / seconds,
    p50Ms: percentile(0.5),
    p99Ms: percentile(0.99),
    ownerUs,
  };
}

/** User and system time of all threads, from proc(5), in ticks of 10 ms. */
function ownerCpuMs(): number {
  const stat = readFileSync(`/proc/${owner.pid ?? 'self'}/stat`, 'latin1');
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return 10 * (Number(user) + Number(system));
}

function report(name: string, outstanding: number, figure: Figure): void {
  const { perSecond, p50Ms, p99Ms, ownerUs } = figure;
  console.log(
    `${name.padEnd(34)} ${String(outstanding).padStart(4)} outstanding ${perSecond.toFixed(0).padStart(6)}/s` +
      `  p50 ${p50Ms.toFixed(2)} ms  p99 ${p99Ms.toFixed(2)} ms  owner ${ownerUs.toFixed(0)} µs`,
  );
}

/** publish → consume → accept; a message is done when its acceptance is durable. */
async function oneHop(publisher: Broker, consumer: Broker, outstanding: number): Promise<Figure> {
  const queue = `bench.one-${outstanding}`;
  await publisher.declare({ name: queue, interface: 'bench' });
  const waiting = new Map<string, () => void>();
  const consuming = await consumer.consume(queue, { window: 256 }, (delivery) => {
    void delivery.accept().then(() => waiting.get(delivery.envelope.id)?.());
  });
  const figure = await measure(outstanding, async () => {
    const envelope = buildEnvelope();
    const done = new Promise<void>((resolve) => waiting.set(envelope.id, resolve));
    await publisher.publish(queue, envelope);
    await done;
    waiting.delete(envelope.id);
  });
  await consuming.stop();
  return figure;
}

/** publish → consume → publish on → accept, and consumed again: two durable hops, three processes. */
async function twoHops(edge: Broker, worker: Broker, outstanding: number): Promise<Figure> {
  const [first, second] = [`bench.in-${outstanding}`, `bench.out-${outstanding}`];
  for (const name of [first, second]) await edge.declare({ name, interface: 'bench' });
  const waiting = new Map<string, () => void>();
  const consumers = [
    await worker.consume(first, { window: 256 }, (delivery) => {
      void Promise.all([worker.publish(second, delivery.envelope), delivery.accept()]);
    }),
    await edge.consume(second, { window: 256 }, (delivery) => {
      void delivery.accept().then(() => waiting.get(delivery.envelope.id)?.());
    }),
  ];
  const figure = await measure(outstanding, async () => {
    const envelope = buildEnvelope();
    const done = new Promise<void>((resolve) => waiting.set(envelope.id, resolve));
    await edge.publish(first, envelope);
    await done;
    waiting.delete(envelope.id);
  });
  for (const consumer of consumers) await consumer.stop();
  return figure;
}

/** What the edge does before it acknowledges: message and event into the ledger, envelope into the queue. */
async function intake(broker: Broker, ledger: Ledger, outstanding: number): Promise<Figure> {
  const queue = `bench.intake-${outstanding}`;
  await broker.declare({ name: queue, interface: 'bench' });
  const consuming = await broker.consume(queue, { window: 256 }, (delivery) => {
    void delivery.accept();
  });
  const figure = await measure(outstanding, async () => {
    const envelope = buildEnvelope();
    await Promise.all([ledger.append(entriesOf(envelope, queue)), broker.publish(queue, envelope)]);
  });
  await consuming.stop();
  return figure;
}

function entriesOf(envelope: Envelope, queue: string): LedgerEntry[] {
  const at = new Date().toISOString();
  return [
    { type: 'message', envelope },
    { type: 'event', event: { messageId: envelope.id, kind: 'received', at } },
    { type: 'event', event: { messageId: envelope.id, kind: 'queued', at, queue } },
  ];
}

await owner.start();
const edge = await owner.connect();
const worker = await owner.connect();
for (const outstanding of outstandings) {
  report('publish', outstanding, await publishOnly(edge.broker, outstanding));
}
for (const outstanding of outstandings) {
  const figure = await oneHop(edge.broker, worker.broker, outstanding);
  report('publish, consume, accept', outstanding, figure);
}
for (const outstanding of outstandings) {
  const figure = await twoHops(edge.broker, worker.broker, outstanding);
  report('two hops, accepted', outstanding, figure);
}
for (const outstanding of outstandings) {
  const figure = await measure(outstanding, () =>
    edge.ledger.append(entriesOf(buildEnvelope(), 'bench')),
  );
  report('ledger: message and two events', outstanding, figure);
}
for (const outstanding of outstandings) {
  const figure = await intake(edge.broker, edge.ledger, outstanding);
  report('ledger and publish in one tick', outstanding, figure);
}
await owner.close();

async function publishOnly(broker: Broker, outstanding: number): Promise<Figure> {
  const queue = `bench.publish-${outstanding}`;
  await broker.declare({ name: queue, interface: 'bench' });
  return measure(outstanding, () => broker.publish(queue, buildEnvelope()));
}
