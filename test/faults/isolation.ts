import os from 'node:os';
import { buildLabResult } from '../support/lab-results.ts';
import { MllpPartner } from '../support/mllp.ts';
import { median, percentile } from './harness/counts.ts';
import type { Engine } from './harness/engine.ts';
import { queueOf } from './harness/flows.ts';
import type { FaultContext, Scenario } from './harness/scenario.ts';
import { Sender } from './harness/sender.ts';
import { setUp, settleAccounts, unreachable, type Interface } from './harness/setup.ts';
import { pause, waitFor } from './harness/wait.ts';

/** What one message does to the worker of its flow. */
const faults = ['loop', 'loop-later', 'leak', 'leak-heap', 'rejection', 'exit', 'abort'] as const;
type Fault = (typeof faults)[number];

const wellRate = 100;
const illRate = 30;
const pairs = 5;
/** How much slower the well interface may acknowledge: the larger of the two. */
const allowed = { factor: 2, addedMs: 10 };
/** Until the worker runs again with the poison given up. */
const backWithinMs = 10_000;
/** Judged by the bound above; this is only when nobody waits any longer. */
const patienceMs = 120_000;
const memoryMiB = 256;

/** The patient of the poison alone: nobody waits behind it. */
const poisonPatient = 99_999;

/** Every message goes on but the poison, which does what its control id says. */
const code = `
const [, fault] = /^POISON-([a-z-]+)-\\d+$/.exec(msg.payload.split('|', 10)[9]) ?? [];
const host = () => console.constructor.constructor('return process')();
const kept = [];
switch (fault) {
  case 'loop':
    for (;;);
  case 'loop-later':
    await undefined;
    for (;;);
  case 'leak':
    for (;;) {
      kept.push(Buffer.alloc(4 * 1024 * 1024, 1));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  case 'leak-heap':
    for (;;) kept.push(new Array(1000).fill(kept.length));
  case 'rejection':
    Promise.reject(new Error('Nobody awaits this.'));
    return msg;
  case 'exit':
    host().exit(3);
  case 'abort':
    host().abort();
  default:
    return msg;
}
`;

export const isolation: Scenario = {
  name: 'isolation',
  what: 'an endless loop, a leak, an unawaited error, an exit and an abort in one flow, beside one that is well',
  brokers: ['embedded', 'rabbitmq'],
  async run(context) {
    const { engine, interfaces } = await setUp(context, {
      ill: { group: 'ill', memoryMiB, code },
      well: { group: 'well' },
    });
    const [ill = unreachable(), well = unreachable()] = interfaces;
    await engine.start();
    const bench: Bench = {
      context,
      engine,
      ill,
      well,
      measureMs: context.isShort ? 3_000 : 8_000,
    };
    // Not measured: what is compiled at first use and the first connections.
    await measure(bench, []);
    if (context.isShort) {
      await compare(bench, 'all faults', inFiveRuns());
      return;
    }
    for (const fault of faults) {
      await compare(bench, fault, Array<readonly Fault[]>(pairs).fill([fault]));
    }
  },
};

/** Every fault once, in as many runs as are compared. */
function inFiveRuns(): readonly (readonly Fault[])[] {
  return Array.from({ length: pairs }, (_, run) => faults.filter((__, at) => at % pairs === run));
}

interface Bench {
  readonly context: FaultContext;
  readonly engine: Engine;
  readonly ill: Interface;
  readonly well: Interface;
  readonly measureMs: number;
}

interface Measured {
  /** The p99 of the well interface's acknowledgments. */
  readonly p99Ms: number;
  readonly backMs: readonly number[];
}

/** Healthy and faulty runs in turn; the medians of their 99th percentiles are held against each other. */
async function compare(
  bench: Bench,
  name: string,
  runs: readonly (readonly Fault[])[],
): Promise<void> {
  const { context } = bench;
  const healthy: number[] = [];
  const faulty: number[] = [];
  const back: number[] = [];
  for (const run of runs) {
    healthy.push((await measure(bench, [])).p99Ms);
    const measured = await measure(bench, run);
    faulty.push(measured.p99Ms);
    back.push(...measured.backMs);
  }
  const [before, after] = [median(healthy), median(faulty)];
  const limit = Math.max(allowed.factor * before, before + allowed.addedMs);
  context.say(
    `${name}: the other interface acknowledges with a p99 of ${before.toFixed(1)} ms without the fault ` +
      `[${toList(healthy)}] and ${after.toFixed(1)} ms with it [${toList(faulty)}]; ${limit.toFixed(1)} ms are allowed; ` +
      `the worker was back with the message given up after [${toList(back)}] ms; load average ${toList(os.loadavg())}`,
  );
  context.promise(
    after <= limit,
    `${name}: the other interface acknowledges with a p99 of ${after.toFixed(1)} ms, at most ${limit.toFixed(1)} are allowed`,
  );
}

let poisons = 0;

/** Sends to both interfaces, and to the ill one a poison for each of the faults, one after the other. */
async function measure(bench: Bench, wanted: readonly Fault[]): Promise<Measured> {
  const { context, engine, ill, well, measureMs } = bench;
  const what = wanted.length === 0 ? 'healthy' : wanted.join(', ');
  const toIll = Sender.start(context);
  const toWell = Sender.start(context);
  const deadBefore = await countDead(engine);
  await toIll.send(ill.port, { connections: 4, ratePerSecond: illRate });
  await toWell.send(well.port, { connections: 5, ratePerSecond: wellRate });
  await toIll.acknowledged(illRate, 30_000);
  const backMs: number[] = [];
  for (const fault of wanted) {
    const startedMs = performance.now();
    backMs.push(await poison(bench, fault));
    await pause(Math.max(0, measureMs - (performance.now() - startedMs)));
  }
  if (wanted.length === 0) await pause(measureMs);
  await toWell.finish(30_000);
  await toIll.finish(30_000);
  const settle = (sender: Sender, target: Interface) =>
    settleAccounts(context, engine, {
      sender,
      partner: target.partner,
      withinMs: patienceMs,
      what: `${what}, ${target.id}`,
      mayRedeliver: 0,
    });
  for (const { refused, resent } of [await settle(toIll, ill), await settle(toWell, well)]) {
    context.promise(refused + resent === 0, `${what}: a sender was refused or had to send again`);
  }
  const dead = (await countDead(engine)) - deadBefore;
  context.promise(
    dead === wanted.length,
    `${what}: ${wanted.length} messages ended their worker and ${dead} are in the dead letters`,
  );
  for (const target of [ill, well]) {
    const { strangers } = await target.partner.report();
    context.promise(strangers === 0, `${what}: ${strangers} messages of nobody were delivered`);
  }
  const { latenciesMs } = await toWell.report();
  await Promise.all([toIll.end(), toWell.end()]);
  return { p99Ms: percentile(latenciesMs, 0.99), backMs };
}

/** Resolves with how long it took until its worker ran again and the message was given up. */
async function poison(bench: Bench, fault: Fault): Promise<number> {
  const { context, engine, ill } = bench;
  const before = await look(engine);
  const connection = await MllpPartner.connect(ill.port);
  poisons += 1;
  const text = buildLabResult({ index: 0, patient: poisonPatient });
  const sentMs = performance.now();
  const answer = await connection.send(text.replace('LAB000000', `POISON-${fault}-${poisons}`));
  connection.close();
  context.promise(answer.includes('MSA|AA|'), `${fault}: the message was not acknowledged`);
  const after = await waitFor('the worker is back without the message', () => look(engine), {
    wanted: ({ isRunning, restarts, dead }) =>
      isRunning && restarts > before.restarts && dead > before.dead,
    withinMs: patienceMs,
  });
  const ms = Math.round(performance.now() - sentMs);
  const times = after.restarts - before.restarts;
  context.say(
    `${fault}: ${after.reason}; the worker was restarted ${times} times, and back with the message given up after ${ms} ms`,
  );
  context.promise(
    ms <= backWithinMs,
    `${fault}: the worker was back after ${ms} ms, at most ${backWithinMs} are allowed`,
  );
  context.promise(
    after.othersRestarted === before.othersRestarted,
    `${fault}: another process ended as well`,
  );
  return ms;
}

async function look(engine: Engine) {
  const { processes } = await engine.status();
  const worker = processes.find(({ role }) => role === 'worker ill');
  return {
    isRunning: worker?.state === 'running',
    restarts: worker?.restarts ?? 0,
    reason: worker?.lastEnd?.reason ?? '',
    othersRestarted: processes
      .filter((each) => each !== worker)
      .reduce((sum, { restarts = 0 }) => sum + restarts, 0),
    dead: await countDead(engine),
  };
}

async function countDead(engine: Engine): Promise<number> {
  const queues = await engine.queues();
  return queues.find(({ queue }) => queue === queueOf.inbound('ill'))?.dead ?? 0;
}

function toList(values: readonly number[]): string {
  return values.map((value) => value.toFixed(1)).join(' ');
}
