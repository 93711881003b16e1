import type { RabbitServer } from '../support/rabbitmq.ts';
import type { Counts } from './harness/counts.ts';
import type { Engine } from './harness/engine.ts';
import type { FaultContext, Scenario } from './harness/scenario.ts';
import { Sender } from './harness/sender.ts';
import { setUp, settleAccounts, unreachable, type Interface } from './harness/setup.ts';
import { pause } from './harness/wait.ts';

const flow = 'kill';
/** Of eight connections together: enough that every part holds messages when it is killed. */
const ratePerSecond = 200;
/** A process that is killed soon after its start is started again after a while that doubles. */
const recoverWithinMs = 90_000;

type Victim =
  | 'owner'
  | 'edge'
  | 'worker default'
  | 'broker'
  /** Started again when all others have ended by themselves. */
  | 'supervisor'
  /** Started again at once, as whatever watches over it does. */
  | 'supervisor, back at once';

const processes: readonly Victim[] = [
  'edge',
  'worker default',
  'owner',
  'supervisor',
  'supervisor, back at once',
];
/** The others finish what they have within 10 s; a supervisor would end them after 15. */
const mayEndMs = 20_000;
const shortRounds = 5;

/** What a sender in order holds: one is under way, and of those before the end is being written down. */
const senderWindow = 4;

/**
 * How many messages may reach the partner twice for one kill, without its sender having sent them twice: those that
 * had arrived when it could not be written down any more.
 */
const mayRedeliver: Readonly<Record<Victim, number>> = {
  owner: senderWindow,
  edge: senderWindow,
  'worker default': 0,
  supervisor: senderWindow,
  'supervisor, back at once': senderWindow,
  broker: 0,
};

export const kill: Scenario = {
  name: 'kill',
  what: 'SIGKILL to each process, and to RabbitMQ, at random times under load',
  brokers: ['embedded', 'rabbitmq'],
  async run(context) {
    const { engine, rabbit, interfaces } = await setUp(context, { [flow]: {} });
    // The one that only RabbitMQ has first: a short run may not come to them all.
    const victims: readonly Victim[] = rabbit === undefined ? processes : ['broker', ...processes];
    const rounds = context.options.rounds ?? (context.isShort ? shortRounds : 100);
    context.say(`ready after ${await engine.start()} ms; seed ${context.options.seed}`);
    const all: Counts[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      // Each once before any twice, so that few rounds try all of them.
      const victim = victims[round - 1] ?? context.random.pick(victims);
      all.push(
        await runRound(context, {
          engine,
          rabbit,
          target: interfaces[0] ?? unreachable(),
          victim,
          title: `round ${round}, ${victim}`,
        }),
      );
    }
    sayTotals(context, all);
  },
};

async function runRound(
  context: FaultContext,
  round: {
    readonly engine: Engine;
    readonly rabbit: RabbitServer | undefined;
    readonly target: Interface;
    readonly victim: Victim;
    readonly title: string;
  },
): Promise<Counts> {
  const { engine, target, victim, title } = round;
  const sender = Sender.start(context, { processes: 2 });
  await sender.send(target.port, { connections: 8, ratePerSecond });
  await sender.acknowledged(20, recoverWithinMs);
  const afterMs = context.random.whole(500);
  await pause(afterMs);
  const killedAt = performance.now();
  const words = await strike(context, round);
  await sender.acknowledged(50, recoverWithinMs);
  await engine.ready(recoverWithinMs);
  const recoveredMs = Math.round(performance.now() - killedAt);
  await sender.finish(recoverWithinMs);
  const counts = await settleAccounts(context, engine, {
    sender,
    partner: target.partner,
    withinMs: 60_000,
    what: `${title} after ${afterMs} ms${words}, load again and ready after ${recoveredMs} ms`,
    mayRedeliver: mayRedeliver[victim],
    // docs/operate.md: after a crash of RabbitMQ what was held may come back in another order.
    keepsOrder: victim !== 'broker',
  });
  context.promise(counts.refused === 0, `${title}: ${counts.refused} messages were refused`);
  await sender.end();
  return counts;
}

/** Kills, and starts again what nobody else does. */
async function strike(
  context: FaultContext,
  {
    engine,
    rabbit,
    victim,
    title,
  }: {
    readonly engine: Engine;
    readonly rabbit: RabbitServer | undefined;
    readonly victim: Victim;
    readonly title: string;
  },
): Promise<string> {
  if (victim === 'broker') {
    await rabbit?.kill();
    await pause(context.random.whole(2_000));
    await rabbit?.start();
    return '';
  }
  if (victim !== 'supervisor' && victim !== 'supervisor, back at once') {
    await engine.kill(victim);
    return '';
  }
  const ending = await engine.killSupervisor();
  const starting = victim === 'supervisor' ? undefined : engine.start();
  const { ms, last } = await ending.ended();
  context.promise(
    ms <= mayEndMs,
    `${title}: ${last} ended ${ms} ms after its supervisor, at most ${mayEndMs} are allowed`,
  );
  const startedMs = await (starting ?? engine.start());
  return ` (the others ended after ${ms} ms, ${last} the last; started again in ${startedMs} ms)`;
}

function sayTotals(context: FaultContext, all: readonly Counts[]): void {
  const total = (pick: (counts: Counts) => number): number =>
    all.reduce((sum, counts) => sum + pick(counts), 0);
  context.say(
    `${all.length} rounds: sent ${total(({ sent }) => sent)}, acknowledged ${total(({ acknowledged }) => acknowledged)}, ` +
      `sent again ${total(({ resent }) => resent)}, lost ${total(({ lost }) => lost.length)}, ` +
      `twice ${total(({ duplicates }) => duplicates)} (${total(({ explainedByResend }) => explainedByResend)} sent again ` +
      `by the sender, ${total(({ redelivered }) => redelivered.length)} delivered again), ` +
      `out of order ${total(({ disordered }) => disordered.length)}`,
  );
}
