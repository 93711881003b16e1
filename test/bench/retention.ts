/**
 * What removing old messages costs those who wait for a commit: `npm run bench -- retention [--messages N]`. Messages
 * are appended at a steady pace through the owner's socket, first by themselves and then while a run removes as many
 * old ones and gives the room back.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { connectOwner, type OwnerClient } from '../../connectors/sqlite/client.ts';
import { openOwner } from '../../connectors/sqlite/owner.ts';
import { Retention } from '../../runtime/retention/retention.ts';
import { quietLogger } from '../connectors/sqlite/support.ts';
import { buildMessage } from '../runtime/owner.ts';
import { makeTempFolder } from '../support/temp.ts';

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: { messages: { type: 'string', default: '20000' } },
});
const messages = Number(values.messages);
const folder = makeTempFolder('retention');
const socket = join(folder, 'owner.sock');
const owner = await openOwner({ file: join(folder, 'hilum.db'), socket, logger: quietLogger });
const client = await connectOwner({ socket, logger: quietLogger });
const other = await connectOwner({ socket, logger: quietLogger });
const everyMs = 4;

try {
  const old = new Date(Date.now() - 100 * 86_400_000).toISOString();
  for (let done = 0; done < messages; done += 100) {
    await Promise.all(Array.from({ length: 100 }, () => append(client, old)));
  }
  await report('alone', pause(8_000));
  const retention = new Retention({
    retention: other.retention,
    settings: { policy: { days: 90, deadDays: 365 }, everyMs: 3_600_000 },
    logger: quietLogger,
    clock: Date.now,
    policies: () => new Map(),
    labelOf: () => undefined,
  });
  const before = performance.now();
  const running = retention.run('bench');
  await report('during a run', running);
  const { removed, givenBackBytes, failed } = await running;
  const seconds = ((performance.now() - before) / 1_000).toFixed(1);
  console.log(
    `${removed} messages removed and ${(givenBackBytes / 1024 / 1024).toFixed(0)} MiB given back in ${seconds} s${failed === undefined ? '' : `; ${failed}`}`,
  );
  await report('afterwards', pause(4_000));
} finally {
  await client.close();
  await other.close();
  await owner.close();
  rmSync(folder, { recursive: true, force: true });
}

async function report(name: string, until: Promise<unknown>): Promise<void> {
  const latencies: number[] = [];
  const over = new AbortController();
  void until.then(() => over.abort());
  const underway: Promise<void>[] = [];
  while (!over.signal.aborted) {
    const startedMs = performance.now();
    const at = new Date().toISOString();
    underway.push(
      append(client, at).then(() => void latencies.push(performance.now() - startedMs)),
    );
    await pause(everyMs);
  }
  await Promise.all(underway);
  latencies.sort((left, right) => left - right);
  const percentile = (part: number): string =>
    (latencies[Math.floor((latencies.length - 1) * part)] ?? Number.NaN).toFixed(1);
  console.log(
    `${name.padEnd(14)} ${latencies.length} appended: p50 ${percentile(0.5)} ms, p99 ${percentile(0.99)} ms, most ${percentile(1)} ms`,
  );
}

async function append(to: OwnerClient, at: string): Promise<void> {
  const envelope = buildMessage('C1', { receivedAt: at, body: Buffer.alloc(4_096, 65) });
  const { id: messageId } = envelope;
  await to.ledger.append([
    { type: 'message', envelope },
    { type: 'event', event: { messageId, kind: 'received', at } },
    { type: 'event', event: { messageId, kind: 'queued', at, queue: 'in.lab' } },
    { type: 'event', event: { messageId, kind: 'processed', at, queue: 'in.lab' } },
  ]);
}
