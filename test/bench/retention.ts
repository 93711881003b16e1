/**
 * What removing old messages costs those who wait for an acknowledgment: `npm run bench -- retention [--messages N]`.
 * Messages come over MLLP at a steady pace, are made durable and acknowledged, in rounds: first by themselves, then
 * while a run removes so many old ones and gives the room back. Ends with 1 where the median of the rounds' 99th
 * percentiles is beyond twice what it is alone, and beyond 10 ms more.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { connectOwner } from '../../connectors/sqlite/client.ts';
import { Retention } from '../../runtime/retention/retention.ts';
import { quietLogger } from '../connectors/sqlite/support.ts';
import { buildMessage } from '../runtime/owner.ts';
import { buildListener, openTestEdge, openTestStores } from '../support/edge.ts';
import { buildLabResult } from '../support/lab-results.ts';
import { MllpPartner } from '../support/mllp.ts';
import { findMedian } from './measure.ts';

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: { messages: { type: 'string', default: '10000' } },
});
const messages = Number(values.messages);
const rounds = 5;
const aloneMs = 5_000;
const everyMs = 4;
const connections = 8;
const old = new Date(Date.now() - 100 * 86_400_000).toISOString();

interface Latencies {
  readonly p50: number;
  readonly p99: number;
  readonly most: number;
  readonly count: number;
}

const test = await openTestStores('retention');
const other = await connectOwner({ socket: test.socket, logger: quietLogger });
const listener = buildListener();
const { edge, ports } = await openTestEdge(test.stores, listener);
const consumer = await test.stores.broker.consume(listener.queue, { window: 64 }, (delivery) => {
  void delivery.accept();
});
const senders = await Promise.all(
  Array.from({ length: connections }, () => MllpPartner.connect(ports[0] ?? 0)),
);
const retention = new Retention({
  retention: other.retention,
  settings: { policy: { days: 90, deadDays: 365 }, everyMs: 3_600_000 },
  logger: quietLogger,
  clock: Date.now,
  policies: () => new Map(),
  labelOf: () => undefined,
});
let sent = 0;

try {
  const alone: Latencies[] = [];
  const during: Latencies[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    for (let done = 0; done < messages; done += 100) {
      await Promise.all(Array.from({ length: 100 }, appendOld));
    }
    await pause(1_000);
    alone.push(report(`${round} alone`, await measure(pause(aloneMs))));
    const startedMs = performance.now();
    const running = retention.run('bench');
    during.push(report(`${round} pruning`, await measure(running)));
    const { removed, givenBackBytes, failed = '' } = await running;
    const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
    const givenBackMiB = (givenBackBytes / 1024 / 1024).toFixed(0);
    console.log(`  ${removed} removed, ${givenBackMiB} MiB given back in ${seconds} s ${failed}`);
  }
  const medianOf = (all: readonly Latencies[]): number => findMedian(all.map(({ p99 }) => p99));
  const [quiet, busy] = [medianOf(alone), medianOf(during)];
  const most = Math.max(2 * quiet, quiet + 10);
  console.log(
    `p99, median of ${rounds}: alone ${quiet.toFixed(1)} ms, while pruning ${busy.toFixed(1)} ms; at most ${most.toFixed(1)} ms is well`,
  );
  process.exitCode = busy > most ? 1 : 0;
} finally {
  for (const sender of senders) sender.close();
  await consumer.stop();
  await edge.stop();
  await other.close();
  await test.close();
}

async function measure(until: Promise<unknown>): Promise<Latencies> {
  const latencies: number[] = [];
  const over = new AbortController();
  void until.then(() => over.abort());
  const underway: Promise<void>[] = [];
  const beginMs = performance.now();
  // By the clock: what waited for a slow machine is sent all the same, and its wait counts.
  for (let dueMs = beginMs; !over.signal.aborted; dueMs += everyMs) {
    const earlyMs = dueMs - performance.now();
    if (earlyMs > 0) await pause(earlyMs);
    underway.push(send(dueMs).then((ms) => void latencies.push(ms)));
  }
  await Promise.all(underway);
  latencies.sort((left, right) => left - right);
  const at = (part: number): number =>
    latencies[Math.floor((latencies.length - 1) * part)] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99), most: at(1), count: latencies.length };
}

/** Milliseconds until it was acknowledged. */
async function send(dueMs: number): Promise<number> {
  const index = (sent += 1);
  const answer = await senders[index % connections]!.send(
    buildLabResult({ index, patient: index % 1_000, observations: 4 }),
  );
  if (!answer.includes('MSA|AA|')) throw new Error(`Expected AA, found ${answer}`);
  return performance.now() - dueMs;
}

function report(name: string, found: Latencies): Latencies {
  const { p50, p99, most, count } = found;
  console.log(
    `${name.padEnd(10)} ${count} acknowledged: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, most ${most.toFixed(1)} ms`,
  );
  return found;
}

async function appendOld(): Promise<void> {
  const envelope = buildMessage('C1', { receivedAt: old, body: Buffer.alloc(4_096, 65) });
  const { id: messageId } = envelope;
  await other.ledger.append([
    { type: 'message', envelope },
    { type: 'event', event: { messageId, kind: 'received', at: old } },
    { type: 'event', event: { messageId, kind: 'queued', at: old, queue: 'in.lab' } },
    { type: 'event', event: { messageId, kind: 'processed', at: old, queue: 'in.lab' } },
  ]);
}
