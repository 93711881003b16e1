import { percentile } from './harness/counts.ts';
import type { Engine } from './harness/engine.ts';
import { queueOf } from './harness/flows.ts';
import type { FaultContext, Scenario } from './harness/scenario.ts';
import { Sender } from './harness/sender.ts';
import { setUp, settleAccounts, unreachable, type Interface } from './harness/setup.ts';
import { pause, waitFor } from './harness/wait.ts';

const flow = 'overload';
const connections = 40;
/** How much more memory all processes together may take at the end than when the load had begun. */
const mayGrow = { factor: 1.5, addedMiB: 200 };

interface Sample {
  readonly atSeconds: number;
  readonly acknowledged: number;
  readonly delivered: number;
  readonly waiting: number;
  /** The slowest acknowledgment since the sample before. */
  readonly slowestMs: number;
  readonly mebibytes: number;
}

export const overload: Scenario = {
  name: 'overload',
  what: 'twice as many messages as get through, for a long time: memory, and what senders see of it',
  brokers: ['embedded', 'rabbitmq'],
  async run(context) {
    const { engine, interfaces } = await setUp(context, {
      [flow]: { concurrency: 16, order: 'key' },
    });
    const [target = unreachable()] = interfaces;
    await engine.start();
    const times = context.isShort
      ? { measureMs: 4_000, loadMs: 12_000, sampleMs: 2_000 }
      : { measureMs: 20_000, loadMs: toMinutes(context.options.rounds ?? 30), sampleMs: 15_000 };
    const capacity = await findCapacity(context, { target, measureMs: times.measureMs });
    const ratePerSecond = 2 * capacity;
    const sender = Sender.start(context, { processes: 2 });
    await sender.send(target.port, { connections, ratePerSecond, answerTimeoutMs: 60_000 });
    const samples = await watch(engine, { sender, target, ...times });
    await sender.finish(120_000);
    sayCurve(context, samples);
    judgeMemory(context, samples);
    const counts = await settleAccounts(context, engine, {
      sender,
      partner: target.partner,
      withinMs: Math.max(120_000, 4 * times.loadMs),
      what: `${ratePerSecond} a second offered, ${capacity} get through`,
      mayRedeliver: 0,
    });
    context.promise(
      counts.refused + counts.resent === 0,
      `${counts.refused} messages were refused and ${counts.resent} had to be sent again: senders are to wait, no more`,
    );
    const { latenciesMs } = await sender.report();
    context.say(
      `from the time when it was due to its acknowledgment: median ${percentile(latenciesMs, 0.5).toFixed(0)} ms, ` +
        `p99 ${percentile(latenciesMs, 0.99).toFixed(0)} ms; memory when empty again ${sum((await engine.memory()).values()).toFixed(0)} MiB`,
    );
  },
};

/** What arrives a second while as much is sent as is acknowledged. */
async function findCapacity(
  context: FaultContext,
  { target, measureMs }: { readonly target: Interface; readonly measureMs: number },
): Promise<number> {
  const sender = Sender.start(context);
  await sender.send(target.port, { connections });
  // Not measured: what is compiled at first use.
  await waitFor('the first messages have arrived', () => target.partner.progress(), {
    wanted: ({ received }) => received >= 200,
    withinMs: 120_000,
  });
  await pause(measureMs);
  await sender.finish(60_000);
  const { acknowledged } = await sender.progress();
  // What gets through while nothing comes in: the most that there can be.
  const startedAt = performance.now();
  const before = (await target.partner.progress()).received;
  await waitFor('what was sent has arrived', () => target.partner.progress(), {
    wanted: ({ received }) => received >= acknowledged || performance.now() - startedAt > measureMs,
    withinMs: 2 * measureMs,
  });
  const received = (await target.partner.progress()).received - before;
  const capacity = Math.max(10, Math.round(received / ((performance.now() - startedAt) / 1000)));
  context.say(`capacity: ${capacity} a second get through, ${acknowledged} were acknowledged`);
  await sender.end();
  return capacity;
}

/** Looks at everything at intervals while the load lasts. */
async function watch(
  engine: Engine,
  of: {
    readonly sender: Sender;
    readonly target: Interface;
    readonly loadMs: number;
    readonly sampleMs: number;
  },
): Promise<readonly Sample[]> {
  const { sender, target, loadMs, sampleMs } = of;
  const samples: Sample[] = [];
  const startedAt = performance.now();
  while (performance.now() - startedAt < loadMs) {
    await pause(sampleMs);
    const [progress, partner, queues, memory] = await Promise.all([
      sender.progress(),
      target.partner.progress(),
      engine.queues(),
      engine.memory(),
    ]);
    samples.push({
      atSeconds: Math.round((performance.now() - startedAt) / 1000),
      acknowledged: progress.acknowledged,
      delivered: partner.distinct,
      waiting: sum(
        queues
          .filter(({ queue }) => [queueOf.inbound(flow), queueOf.outbound(flow)].includes(queue))
          .map(({ ready, unsettled }) => ready + unsettled),
      ),
      slowestMs: progress.slowestMs,
      mebibytes: sum(memory.values()),
    });
  }
  return samples;
}

function sayCurve(context: FaultContext, samples: readonly Sample[]): void {
  // At most thirty lines, however long it took.
  const every = Math.ceil(samples.length / 30);
  for (const sample of samples.filter((_, at) => at % every === every - 1)) {
    context.say(
      `${sample.atSeconds} s: acknowledged ${sample.acknowledged}, delivered ${sample.delivered}, ` +
        `waiting ${sample.waiting}, slowest acknowledgment ${sample.slowestMs} ms, ` +
        `memory ${sample.mebibytes.toFixed(0)} MiB`,
    );
  }
}

/** The last third against the first: what grows with the queue would show. */
function judgeMemory(context: FaultContext, samples: readonly Sample[]): void {
  const third = Math.max(1, Math.floor(samples.length / 3));
  const most = (some: readonly Sample[]): number =>
    Math.max(...some.map(({ mebibytes }) => mebibytes));
  const [before, after] = [most(samples.slice(0, third)), most(samples.slice(-third))];
  const limit = Math.max(mayGrow.factor * before, before + mayGrow.addedMiB);
  context.say(
    `memory of all processes: ${before.toFixed(0)} MiB at first, ${after.toFixed(0)} at last`,
  );
  context.promise(
    after <= limit,
    `all processes grew from ${before.toFixed(0)} to ${after.toFixed(0)} MiB, at most ${limit.toFixed(0)} are allowed`,
  );
}

function toMinutes(minutes: number): number {
  return minutes * 60_000;
}

function sum(values: Iterable<number>): number {
  return [...values].reduce((total, value) => total + value, 0);
}
