/**
 * `npm run bench -- interfaces [--counts 1,10,50,200] [--per-worker N] [--messages N] [--rate N] [--broker …]`: so many
 * interfaces (MLLP in ▸ validate ▸ look-up ▸ ten edits ▸ MLLP out) on one machine, those of a group in one worker; what
 * they hold in memory, and what a message costs that comes to each of them in turn.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startHilum, type RunningHilum } from '../support/hilum.ts';
import { MllpPartner } from '../support/mllp.ts';
import { findFreePorts } from '../support/ports.ts';
import { startRabbit } from '../support/rabbitmq.ts';
import { writeDeployed } from '../support/flow-files.ts';
import { makeTempFolder } from '../support/temp.ts';
import { buildFlow } from './pipeline/flow.ts';
import { buildAdmission } from './pipeline/messages.ts';
import { startPeer } from './pipeline/peers.ts';
import { readCpuMs, readPssMiB } from './pipeline/processes.ts';

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: {
    counts: { type: 'string', default: '1,10,50' },
    'per-worker': { type: 'string', default: '25' },
    messages: { type: 'string', default: '1000' },
    rate: { type: 'string', default: '100' },
    broker: { type: 'string', default: 'embedded' },
  },
});
const perWorker = Number(values['per-worker']);
const messages = Number(values.messages);
const rate = Number(values.rate);
/** Until all processes are up on a machine that has other things to do. */
const startWithinMs = 600_000;

const rabbit = values.broker === 'rabbitmq' ? await startRabbit() : undefined;
try {
  console.log(
    'interfaces  workers  started s  memory MiB (workers)  MiB each more  µs a message (workers)  p50 ms  p99 ms',
  );
  let before: { readonly count: number; readonly miB: number } | undefined;
  for (const count of values.counts.split(',').map(Number)) {
    const miB = await measure(count, before);
    before = { count, miB };
  }
} finally {
  await rabbit?.stop();
}

/** Prints a line; resolves with the memory of all processes together. */
async function measure(
  count: number,
  before: { readonly count: number; readonly miB: number } | undefined,
): Promise<number> {
  const folder = makeTempFolder('interfaces');
  const ports = await findFreePorts(count);
  const receiver = startPeer();
  const partner = await receiver.ask<number>({ receive: true });
  const flows = join(folder, 'flows');
  mkdirSync(flows, { recursive: true });
  const nodes = ports.flatMap((listener, at) =>
    buildFlow({ listener, partner, tab: `i${at}`, group: `g${Math.floor(at / perWorker)}` }),
  );
  await writeDeployed(flows, nodes);
  const hilum = await startHilum(
    {
      HILUM_DATA: join(folder, 'data'),
      HILUM_FLOWS: flows,
      HILUM_DEMO: 'off',
      HILUM_LOG: 'warn',
      ...(rabbit === undefined ? {} : { RABBITMQ_URL: rabbit.url }),
    },
    startWithinMs,
  );
  const partners = await Promise.all(ports.map((port) => MllpPartner.connect(port)));
  try {
    // What is compiled at first use is not measured.
    await send(partners, { from: 0, count: Math.max(200, count) });
    await receiver.ask({ arrived: Math.max(200, count) });
    const from = Math.max(200, count);
    const cpuBefore = await readCpu(hilum);
    const latencies = await send(partners, { from, count: messages });
    await receiver.ask({ arrived: from + messages });
    const cpu = await readCpu(hilum);
    const memory = await readMemory(hilum);
    const more =
      before === undefined ? Number.NaN : (memory.all - before.miB) / (count - before.count);
    const toUs = (ms: number): string => ((ms * 1000) / messages).toFixed(0);
    const columns = [
      String(count).padStart(10),
      String(Math.ceil(count / perWorker)).padStart(9),
      (hilum.startedAfterMs / 1000).toFixed(1).padStart(11),
      `${memory.all.toFixed(0)} (${memory.workers.toFixed(0)})`.padStart(22),
      Number.isNaN(more) ? ''.padStart(15) : more.toFixed(1).padStart(15),
      `${toUs(cpu.all - cpuBefore.all)} (${toUs(cpu.workers - cpuBefore.workers)})`.padStart(24),
      at(latencies, 0.5).padStart(8),
      at(latencies, 0.99).padStart(8),
    ];
    console.log(columns.join(''));
    return memory.all;
  } finally {
    for (const each of partners) each.close();
    await hilum.stop();
    receiver.stop();
  }
}

/** To each interface in turn, at the rate; resolves with how long each acknowledgment took, in ms, sorted. */
async function send(
  partners: readonly MllpPartner[],
  load: { readonly from: number; readonly count: number },
): Promise<readonly number[]> {
  const startedMs = performance.now();
  const answers: Promise<number>[] = [];
  for (let index = 0; index < load.count; index += 1) {
    const waitMs = startedMs + (1000 * index) / rate - performance.now();
    if (waitMs > 0) await wait(waitMs);
    const sentMs = performance.now();
    const answer = partners[index % partners.length]?.send(buildAdmission(load.from + index));
    answers.push(
      (answer ?? Promise.reject(new Error('No interface.'))).then((text) => {
        if (!text.includes('MSA|AA')) throw new Error('Expected AA.');
        return performance.now() - sentMs;
      }),
    );
  }
  return (await Promise.all(answers)).toSorted((left, right) => left - right);
}

async function readCpu(hilum: RunningHilum): Promise<Totals> {
  return total(hilum, readCpuMs);
}

async function readMemory(hilum: RunningHilum): Promise<Totals> {
  return total(hilum, readPssMiB);
}

interface Totals {
  readonly all: number;
  readonly workers: number;
}

async function total(hilum: RunningHilum, read: (pid: number) => number): Promise<Totals> {
  const { processes } = await hilum.status();
  const found = processes.flatMap(({ role, pid }) =>
    pid === undefined ? [] : [{ isWorker: role.startsWith('worker'), value: read(pid) }],
  );
  const sum = (each: typeof found): number => each.reduce((so, { value }) => so + value, 0);
  return { all: sum(found), workers: sum(found.filter(({ isWorker }) => isWorker)) };
}

function at(sorted: readonly number[], share: number): string {
  return (sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN).toFixed(1);
}
