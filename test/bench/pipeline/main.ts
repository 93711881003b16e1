/**
 * `npm run bench -- pipeline [--broker embedded|rabbitmq] [--messages N] [--only NAME]`: MLLP in ▸ validate ▸
 * look-up ▸ ten edits ▸ MLLP out, durable at both hops, with the ledger on; generator and receiver on the same
 * machine. Beside it bare MLLP with a durable commit before each acknowledgment, measured in the same run.
 *
 * `--against NAME=VALUE [--rounds N]`: two of Hilum, the second with that setting, under the full load in turns; what
 * one costs of the other in processor time a message.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startHilum, type RunningHilum } from '../../support/hilum.ts';
import { findFreePorts } from '../../support/ports.ts';
import { startRabbit } from '../../support/rabbitmq.ts';
import { writeDeployed } from '../../support/flow-files.ts';
import { makeTempFolder } from '../../support/temp.ts';
import { buildFlow } from './flow.ts';
import { startLimit } from './limit.ts';
import { startPeer, type Load, type Peer, type Sent } from './peers.ts';
import { findMedian } from '../measure.ts';
import { readCpuMs, readPssMiB } from './processes.ts';

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: {
    broker: { type: 'string', default: 'embedded' },
    messages: { type: 'string', default: '20000' },
    only: { type: 'string' },
    against: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    // Such as `--cpu-prof --cpu-prof-dir=/tmp/profile`.
    'node-options': { type: 'string' },
  },
});
const messages = Number(values.messages);

/** Of the processes that are measured, those that are not Hilum's. */
const others: ReadonlySet<string> = new Set(['generator', 'receiver', 'rabbitmq']);

interface Bench {
  readonly hilum: RunningHilum;
  readonly generator: Peer;
  readonly receiver: Peer;
  readonly listener: number;
  /** How many messages have been sent so far. */
  sent: number;
}

const shapes: Readonly<Record<string, (bench: Bench) => Promise<unknown>>> = {
  warm: (bench) => flow(bench, 'to warm up', { connections: 8, outstanding: 1, messages: 2_000 }),
  full: (bench) => flow(bench, '32 connections', { connections: 32, outstanding: 1, messages }),
  one: (bench) =>
    flow(bench, '1 connection', { connections: 1, outstanding: 1, messages: messages / 5 }),
  paced: (bench) =>
    flow(bench, '200 a second', {
      connections: 8,
      outstanding: 1,
      messages: 2_000,
      perSecond: 200,
    }),
  intake,
};

const rabbit = values.broker === 'rabbitmq' ? await startRabbit() : undefined;
try {
  if (values.against === undefined) await measure();
  else await compare(values.against);
} finally {
  await rabbit?.stop();
}

async function measure(): Promise<void> {
  const bench = await open({});
  try {
    for (const [name, run] of Object.entries(shapes)) {
      if (name === 'warm' || values.only === undefined || values.only === name) await run(bench);
    }
    if (values.only === undefined) await limit(bench);
  } finally {
    await close(bench);
  }
}

/** Each of the two in turns: what else the machine does meets both. */
async function compare(setting: string): Promise<void> {
  const [name = '', value = ''] = setting.split('=', 2);
  const benches = [await open({}), await open({ [name]: value })] as const;
  const costs: [number[], number[]] = [[], []];
  try {
    for (const bench of benches) await shapes['warm']?.(bench);
    for (let round = 0; round < Number(values.rounds); round += 1) {
      for (const [index, bench] of benches.entries()) {
        const label = index === 0 ? 'as it is' : setting;
        const shape = { connections: 32, outstanding: 1, messages };
        costs[index === 0 ? 0 : 1].push(await flow(bench, label, shape));
      }
    }
  } finally {
    await Promise.all(benches.map(close));
  }
  const [one, other] = costs.map(findMedian) as [number, number];
  console.log(
    `all of Hilum, median: ${one.toFixed(0)} µs a message as it is, ${other.toFixed(0)} with ${setting}: ${(one / other).toFixed(3)}`,
  );
}

async function open(environment: Readonly<Record<string, string>>): Promise<Bench> {
  const folder = makeTempFolder('pipeline');
  const [listener = 0] = await findFreePorts(1);
  const receiver = startPeer();
  const generator = startPeer();
  const partner = await receiver.ask<number>({ receive: true });
  const flows = join(folder, 'flows');
  mkdirSync(flows, { recursive: true });
  await writeDeployed(flows, buildFlow({ listener, partner }));
  writeFileSync(join(folder, 'note'), 'of a benchmark');
  const hilum = await startHilum({
    HILUM_DATA: join(folder, 'data'),
    HILUM_FLOWS: flows,
    HILUM_DEMO: 'off',
    HILUM_LOG: 'warn',
    ...(values['node-options'] === undefined ? {} : { NODE_OPTIONS: values['node-options'] }),
    ...(rabbit === undefined ? {} : { RABBITMQ_URL: rabbit.url }),
    ...environment,
  });
  return { hilum, generator, receiver, listener, sent: 0 };
}

async function close({ hilum, generator, receiver }: Bench): Promise<void> {
  await hilum.stop();
  receiver.stop();
  generator.stop();
}

/** How much processor time Hilum's own processes took for a message, in µs. */
async function flow(
  bench: Bench,
  name: string,
  shape: Omit<Load, 'port' | 'from'>,
): Promise<number> {
  const before = await cpu(bench);
  const startedAt = performance.now();
  const arriving = bench.receiver.ask<{ distinct: number; arrived: number }>({
    arrived: bench.sent + shape.messages,
  });
  const sending = send(bench, bench.listener, shape);
  const sent = await sending;
  const memory = await pss(bench);
  const { distinct, arrived } = await arriving;
  const seconds = (performance.now() - startedAt) / 1000;
  const after = await cpu(bench);
  print(name, shape.messages / seconds, sent);
  const used = Object.keys(after).map(
    (role) => [role, ((after[role] ?? 0) - (before[role] ?? 0)) * (1000 / shape.messages)] as const,
  );
  const words = used.map(([role, us]) => `${role} ${us.toFixed(0)}`);
  console.log(`  µs of processor a message: ${words.join(', ')}`);
  console.log(
    `  memory (PSS) in MiB: ${memory}; received ${distinct} of ${bench.sent}, ${arrived} in all`,
  );
  const own = used.filter(([role]) => !others.has(role));
  return own.reduce((sum, [, us]) => sum + us, 0);
}

/** Accepting and acknowledging alone: the worker stands still meanwhile. */
async function intake(bench: Bench): Promise<void> {
  const worker = (await bench.hilum.status()).processes.find(({ role }) =>
    role.startsWith('worker'),
  );
  if (worker?.pid === undefined) throw new Error('Expected a worker.');
  process.kill(worker.pid, 'SIGSTOP');
  const shape = { connections: 32, outstanding: 8, messages };
  try {
    const sent = await send(bench, bench.listener, shape);
    print('intake alone, 32 connections with 8 outstanding', shape.messages / sent.seconds, sent);
  } finally {
    process.kill(worker.pid, 'SIGCONT');
  }
  await bench.receiver.ask({ arrived: bench.sent });
}

async function limit(bench: Bench): Promise<void> {
  const bare = await startLimit();
  for (const [name, connections] of [
    ['32 connections', 32],
    ['1 connection', 1],
  ] as const) {
    const shape = { connections, outstanding: 1, messages };
    const sent = await bench.generator.ask<Sent>({ send: { ...shape, port: bare.port, from: 0 } });
    print(`limit: bare MLLP with a commit, ${name}`, messages / sent.seconds, sent);
  }
  bare.stop();
}

async function send(bench: Bench, port: number, shape: Omit<Load, 'port' | 'from'>): Promise<Sent> {
  const load: Load = { ...shape, port, from: bench.sent };
  bench.sent += shape.messages;
  return bench.generator.ask<Sent>({ send: load });
}

function print(name: string, perSecond: number, { p50Ms, p99Ms, refused }: Sent): void {
  const bad = refused === 0 ? '' : `, ${refused} REFUSED`;
  console.log(
    `${name}: ${perSecond.toFixed(0)}/s, acknowledged p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms${bad}`,
  );
}

async function pids({ hilum, generator, receiver }: Bench): Promise<Record<string, number>> {
  const { processes } = await hilum.status();
  const found = Object.fromEntries(processes.map(({ role, pid }) => [role, pid ?? 0]));
  return {
    ...found,
    generator: generator.process.pid ?? 0,
    receiver: receiver.process.pid ?? 0,
    ...(rabbit?.pid === undefined ? {} : { rabbitmq: rabbit.pid }),
  };
}

async function cpu(bench: Bench): Promise<Readonly<Record<string, number>>> {
  const all = Object.entries(await pids(bench)).filter(([, pid]) => pid > 0);
  return Object.fromEntries(all.map(([role, pid]) => [role, readCpuMs(pid)]));
}

/** Of Hilum's own processes. */
async function pss({ hilum }: Bench): Promise<string> {
  const { processes } = await hilum.status();
  const each = processes.flatMap(({ role, pid }) =>
    pid === undefined ? [] : [[role, readPssMiB(pid)] as const],
  );
  const total = each.reduce((sum, [, mib]) => sum + mib, 0);
  return `${each.map(([role, mib]) => `${role} ${mib.toFixed(0)}`).join(', ')}, together ${total.toFixed(0)}`;
}
