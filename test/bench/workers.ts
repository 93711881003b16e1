/**
 * `npm run bench -- workers [--counts 1,2,4] [--messages N] [--rate N]`: one hot interface (MLLP in ▸ validate ▸ look-up ▸
 * ten edits ▸ MLLP out), its roles apart over RabbitMQ and PostgreSQL, with so many workers for its group: what gets
 * through at full load, and what a message costs each role, at full load and at a steady rate.
 */
import path from 'node:path';
import { mkdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { startHilum, until, type RunningHilum } from '../support/hilum.ts';
import { writeDeployed } from '../support/flow-files.ts';
import { findFreePorts } from '../support/ports.ts';
import { startPostgres } from '../support/postgres.ts';
import { startRabbit } from '../support/rabbitmq.ts';
import { makeTempFolder } from '../support/temp.ts';
import { buildFlow } from './pipeline/flow.ts';
import { startPeer, type Load, type Sent } from './pipeline/peers.ts';
import { readCpuMs, readPssMiB, readTreeCpuMs } from './pipeline/processes.ts';

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: {
    counts: { type: 'string', default: '1,2,4' },
    messages: { type: 'string', default: '8000' },
    rate: { type: 'string', default: '100' },
  },
});
const messages = Number(values.messages);
const rate = Number(values.rate);
const group = 'hot';
/** A few for each worker: they are shared out. */
const lanes = 16;
const withinMs = 300_000;

const rabbit = await startRabbit();
const postgres = await startPostgres();
try {
  for (const count of values.counts.split(',').map(Number)) await measure(count);
} finally {
  await Promise.all([rabbit.stop(), postgres.stop()]);
}

async function measure(count: number): Promise<void> {
  const [listener = 0] = await findFreePorts(1);
  const receiver = startPeer();
  const generator = startPeer();
  const partner = await receiver.ask<number>({ receive: true });
  const flows = path.join(makeTempFolder('workers'), 'flows');
  mkdirSync(flows, { recursive: true });
  // A tab of its own for each count: its queues are its own too.
  await writeDeployed(flows, buildFlow({ listener, partner, lanes, group, tab: `hot${count}` }));
  const shared = {
    RABBITMQ_URL: rabbit.url,
    HILUM_LEDGER_URL: await postgres.createDatabase(),
    HILUM_CREDENTIAL_SECRET: 'a secret of this bench',
    HILUM_DEMO: 'off',
    HILUM_LOG: 'warn',
  };
  const running: RunningHilum[] = [];
  const start = async (env: Readonly<Record<string, string>>): Promise<RunningHilum> => {
    const data = path.join(makeTempFolder('role'), 'data');
    const hilum = await startHilum({ ...shared, HILUM_DATA: data, ...env }, withinMs);
    running.push(hilum);
    return hilum;
  };
  try {
    const main = await start({ HILUM_ROLE: 'console', HILUM_FLOWS: flows });
    await start({ HILUM_ROLE: 'edge' });
    for (let each = 0; each < count; each += 1) {
      await start({ HILUM_ROLE: 'worker', HILUM_GROUP: group });
    }
    await until(
      () => fetch(`${main.consoleUrl}/readyz`).then(({ status }) => status),
      (status) => status === 200,
      withinMs,
    );
    let sent = 0;
    const run = async (name: string, shape: Omit<Load, 'port' | 'from'>): Promise<void> => {
      const before = await readCpu(main);
      const startedAt = performance.now();
      const load: Load = { ...shape, port: listener, from: sent };
      sent += shape.messages;
      const arriving = receiver.ask<{ distinct: number; arrived: number }>({ arrived: sent });
      const answered = await generator.ask<Sent>({ send: load });
      const { arrived } = await arriving;
      const seconds = (performance.now() - startedAt) / 1000;
      const after = await readCpu(main);
      if (name === '') return;
      const cost = [...after].map(
        ([role, ms]) =>
          `${role} ${(((ms - (before.get(role) ?? 0)) * 1000) / shape.messages).toFixed(0)}`,
      );
      console.log(
        `${count} workers, ${name}: ${(shape.messages / seconds).toFixed(0)}/s through, acknowledged p50 ` +
          `${answered.p50Ms.toFixed(1)} ms, p99 ${answered.p99Ms.toFixed(1)} ms, ${answered.refused} refused, ` +
          `${arrived} arrived of ${sent}; µs of processor a message: ${cost.join(', ')}`,
      );
    };
    await run('', { connections: 8, outstanding: 1, messages: 2_000 });
    await run(`${rate}/s`, {
      connections: 8,
      outstanding: 1,
      messages: 10 * rate,
      perSecond: rate,
    });
    await run('full load', { connections: 32, outstanding: 1, messages });
    console.log(`${count} workers: memory (PSS) in MiB: ${await readMemory(main)}`);
  } finally {
    // Whoever tells the others is the last to go.
    for (const hilum of running.reverse()) await hilum.stop();
    receiver.stop();
    generator.stop();
  }
}

async function pids(
  main: RunningHilum,
): Promise<readonly (readonly [role: string, pid: number])[]> {
  const { processes } = await main.status();
  return processes.flatMap(({ role, pid }) => {
    const [, member = 'console'] = role.split(' @ ');
    return pid === undefined ? [] : [[member.split(' ')[0] ?? '', pid] as const];
  });
}

/** By role, of all its processes; those of a connection's server end with it, so PostgreSQL counts what has ended too. */
async function readCpu(main: RunningHilum): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  const add = (role: string, ms: number): void => void found.set(role, (found.get(role) ?? 0) + ms);
  for (const [role, pid] of await pids(main)) add(role, readCpuMs(pid));
  add('rabbitmq', rabbit.pid === undefined ? 0 : readCpuMs(rabbit.pid));
  add('postgresql', postgres.pid === undefined ? 0 : readTreeCpuMs(postgres.pid));
  return found;
}

async function readMemory(main: RunningHilum): Promise<string> {
  const found = new Map<string, number>();
  for (const [role, pid] of await pids(main)) {
    found.set(role, (found.get(role) ?? 0) + readPssMiB(pid));
  }
  return [...found].map(([role, miB]) => `${role} ${miB.toFixed(0)}`).join(', ');
}
