import { median, percentile } from './harness/counts.ts';
import type { Engine } from './harness/engine.ts';
import { queueOf } from './harness/flows.ts';
import type { Behaviour } from './harness/partner.ts';
import type { FaultContext, Scenario } from './harness/scenario.ts';
import { Sender } from './harness/sender.ts';
import { setUp, settleAccounts, unreachable, type Interface } from './harness/setup.ts';
import { pause } from './harness/wait.ts';

/** What is measured beside the fault, and the interface that has it. */
const wellRate = 150;
const illRate = 30;
const pairs = 5;
/** How much slower the well interface may acknowledge: the larger of the two. */
const allowed = { factor: 2, addedMs: 10 };

interface Times {
  /** The sender's timeout of the interface with the fault. */
  readonly timeoutSeconds: number;
  readonly slowMs: number;
  readonly lateMs: number;
  /** How long each fault lasts. */
  readonly faultMs: number;
}

const shortTimes: Times = { timeoutSeconds: 1, slowMs: 700, lateMs: 1_500, faultMs: 1_000 };
const fullTimes: Times = { timeoutSeconds: 3, slowMs: 2_000, lateMs: 3_500, faultMs: 10_000 };

export const partner: Scenario = {
  name: 'partner',
  what: 'a destination that is down, slow, refuses, or answers nonsense, beside one that is well',
  brokers: ['embedded', 'rabbitmq'],
  async run(context) {
    const times = context.isShort ? shortTimes : fullTimes;
    const { engine, interfaces } = await setUp(context, {
      ill: { timeoutSeconds: times.timeoutSeconds },
      well: {},
    });
    const [ill = unreachable(), well = unreachable()] = interfaces;
    await engine.start();
    const bench: Bench = { context, engine, ill, well, faultMs: times.faultMs };
    // Not measured: what is compiled at first use and the first connections.
    await measure(bench, [{ kind: 'accept' }], 'warm-up');
    if (context.isShort) {
      await compare(bench, 'all faults', inFiveRuns(times));
      return;
    }
    for (const faults of allFaults(times)) {
      await compare(bench, faults.kind, Array<Behaviour[]>(pairs).fill([faults]));
    }
  },
};

function allFaults({ slowMs, lateMs }: Times): readonly Behaviour[] {
  return [
    { kind: 'nothing' },
    { kind: 'down' },
    { kind: 'slow', delayMs: slowMs },
    { kind: 'AE' },
    { kind: 'AR' },
    { kind: 'garbage' },
    { kind: 'wrong-id' },
    { kind: 'late', delayMs: lateMs },
    { kind: 'reset' },
  ];
}

/** Every fault once, in as many runs as are compared. */
function inFiveRuns(times: Times): readonly (readonly Behaviour[])[] {
  const faults = allFaults(times);
  return Array.from({ length: pairs }, (_, run) => faults.filter((_, at) => at % pairs === run));
}

interface Bench {
  readonly context: FaultContext;
  readonly engine: Engine;
  readonly ill: Interface;
  readonly well: Interface;
  readonly faultMs: number;
}

/** Healthy and faulty runs in turn; the medians of their 99th percentiles are held against each other. */
async function compare(
  bench: Bench,
  name: string,
  runs: readonly (readonly Behaviour[])[],
): Promise<void> {
  const { context } = bench;
  const healthy: number[] = [];
  const faulty: number[] = [];
  for (const faults of runs) {
    const same = faults.map((): Behaviour => ({ kind: 'accept' }));
    healthy.push(await measure(bench, same, 'healthy'));
    faulty.push(await measure(bench, faults, faults.map(({ kind }) => kind).join(', ')));
  }
  const [before, after] = [median(healthy), median(faulty)];
  const limit = Math.max(allowed.factor * before, before + allowed.addedMs);
  context.say(
    `${name}: the other interface acknowledges with a p99 of ${before.toFixed(1)} ms without the fault ` +
      `[${toList(healthy)}] and ${after.toFixed(1)} ms with it [${toList(faulty)}]; ${limit.toFixed(1)} ms are allowed`,
  );
  context.promise(
    after <= limit,
    `${name}: the other interface acknowledges with a p99 of ${after.toFixed(1)} ms, at most ${limit.toFixed(1)} are allowed`,
  );
}

/**
 * Sends to both interfaces while the partner of one behaves in these ways, one after the other. Then that
 * gets well, and its queue must run empty in order. Resolves with the p99 of the other in milliseconds.
 */
async function measure(
  bench: Bench,
  behaviours: readonly Behaviour[],
  what: string,
): Promise<number> {
  const { context, engine, ill, well, faultMs } = bench;
  const toIll = Sender.start(context);
  const toWell = Sender.start(context);
  const deadBefore = await countDead(engine);
  await toIll.send(ill.port, { connections: 4, ratePerSecond: illRate });
  await toWell.send(well.port, { connections: 5, ratePerSecond: wellRate });
  for (const behaviour of behaviours) {
    await ill.partner.behave(behaviour);
    await pause(faultMs);
  }
  const waiting = (await engine.queues())
    .filter(({ queue }) => queue === queueOf.outbound(ill.id))
    .reduce((sum, { ready }) => sum + ready, 0);
  await toWell.finish(30_000);
  await ill.partner.behave({ kind: 'accept' });
  await toIll.finish(30_000);
  const settle = (sender: Sender, target: Interface, mayRedeliver: number) =>
    settleAccounts(context, engine, {
      sender,
      partner: target.partner,
      withinMs: 120_000,
      what: `${what}, ${target.id}${target === ill ? ` (${waiting} waited)` : ''}`,
      mayRedeliver,
    });
  // A connection that is reset after its message was taken may take the answer with it.
  const isCut = behaviours.some(({ kind }) => kind === 'down' || kind === 'reset');
  const counts = await settle(toIll, ill, isCut ? 1 : 0);
  const beside = await settle(toWell, well, 0);
  const dead = (await countDead(engine)) - deadBefore;
  context.promise(
    dead === counts.givenUp.length,
    `${what}: ${counts.givenUp.length} messages were refused for good and ${dead} are in the dead letters`,
  );
  for (const { refused, resent } of [counts, beside]) {
    context.promise(refused + resent === 0, `${what}: a sender was refused or had to send again`);
  }
  const { latenciesMs } = await toWell.report();
  await Promise.all([toIll.end(), toWell.end()]);
  return percentile(latenciesMs, 0.99);
}

async function countDead(engine: Engine): Promise<number> {
  return (await engine.queues()).reduce((sum, { dead }) => sum + dead, 0);
}

function toList(values: readonly number[]): string {
  return values.map((value) => value.toFixed(1)).join(' ');
}
