import {
  startRabbitCluster,
  type QueueMembers,
  type RabbitCluster,
  type RabbitNode,
} from '../support/rabbitmq-cluster.ts';
import { findFreePorts } from '../support/ports.ts';
import { Engine } from './harness/engine.ts';
import { queueOf, writeFlows } from './harness/flows.ts';
import { Partner } from './harness/partner.ts';
import type { FaultContext, Scenario } from './harness/scenario.ts';
import { Sender } from './harness/sender.ts';
import { settleAccounts, unreachable } from './harness/setup.ts';
import { pause, waitFor } from './harness/wait.ts';

const flow = 'cluster';
const lanes = 4;
/** The queues whose leaders are struck: a lane of what comes in, and the one lane of what goes out. */
const lane = (queue: string, index: number): string => `hilum.${queue}.lane.${index}`;
const usedQueues = [
  ...Array.from({ length: lanes }, (_, index) => lane(queueOf.inbound(flow), index)),
  lane(queueOf.outbound(flow), 0),
];
const recoverWithinMs = 60_000;
/** Taking and delivering again after the loss of a node, with all that its queues need to find new leaders. */
const promisedGapMs = 20_000;
/** A node that is started again has its queues back, however busy the machine. */
const rejoinWithinMs = 120_000;

/** Hilum on three nodes. */
interface Bench {
  readonly context: FaultContext;
  readonly engine: Engine;
  readonly rabbit: RabbitCluster;
  readonly partner: Partner;
  readonly port: number;
}

/** What befalls the cluster under load; resolves when all its nodes are well again. */
type Strike = (bench: Bench) => Promise<string>;

export const cluster: Scenario = {
  name: 'cluster',
  what: "three nodes of RabbitMQ: a queue's leader killed, a node cut off, all restarted in turn",
  brokers: ['rabbitmq'],
  async run(context) {
    const bench = await prepare(context);
    const rounds = context.options.rounds ?? (context.isShort ? 1 : 10);
    const strikes: readonly Strike[] = [killLeader, cutOff, stall, restartAll];
    for (let round = 1; round <= rounds; round += 1) {
      for (const strike of strikes) await runUnderLoad(bench, strike, `round ${round}`);
    }
  },
};

async function prepare(context: FaultContext): Promise<Bench> {
  const rabbit = await startRabbitCluster();
  context.atEnd(() => rabbit.stop());
  const partner = await Partner.start(context);
  const [port = 0] = await findFreePorts(1);
  const spec = { id: flow, listenPort: port, partnerPort: partner.port, lanes };
  const engine = await Engine.prepare(context, {
    flows: writeFlows(context.folder, [{ ...spec, concurrency: 4, order: 'key' }]),
    env: { RABBITMQ_URL: rabbit.url },
  });
  context.say(`ready after ${await engine.start()} ms; seed ${context.options.seed}`);
  for (const { name, members } of await findUsed(rabbit)) {
    context.promise(
      members.length === rabbit.nodes.length,
      `${name} has members on ${members.join(', ')}, and is to have them on all nodes`,
    );
  }
  return { context, engine, rabbit, partner, port };
}

async function runUnderLoad(bench: Bench, strike: Strike, round: string): Promise<void> {
  const { context, engine, partner, port } = bench;
  const sender = Sender.start(context);
  await sender.send(port, { connections: 8, ratePerSecond: 100 });
  await sender.acknowledged(50, recoverWithinMs);
  const gaps = watchGaps({ sender, partner });
  let words: string;
  try {
    words = await strike(bench);
    await sender.acknowledged(50, recoverWithinMs);
  } finally {
    gaps.stop();
  }
  await engine.ready(recoverWithinMs);
  await sender.finish(recoverWithinMs);
  const { acknowledgedMs, deliveredMs } = await gaps.longest;
  const what = `${round}, ${words}`;
  await settleAccounts(context, engine, {
    ...{ sender, partner, withinMs: 90_000, mayRedeliver: 0, keepsOrder: true },
    what: `${what}; at the longest ${acknowledgedMs} ms without an acknowledgment, ${deliveredMs} ms without a delivery`,
  });
  context.promise(
    Math.max(acknowledgedMs, deliveredMs) <= promisedGapMs,
    `${what}: nothing went on for ${Math.max(acknowledgedMs, deliveredMs)} ms, at most ${promisedGapMs} are promised`,
  );
  await sender.end();
}

/** The longest time in which nothing was acknowledged, and in which nothing was delivered, until it is stopped. */
function watchGaps({ sender, partner }: { sender: Sender; partner: Partner }): {
  stop(): void;
  readonly longest: Promise<{ readonly acknowledgedMs: number; readonly deliveredMs: number }>;
} {
  let watching = true;
  const watch = async (ask: () => Promise<number>): Promise<number> => {
    let [last, since, longestMs] = [await ask(), performance.now(), 0];
    while (watching) {
      await pause(20);
      const now = await ask();
      const gapMs = performance.now() - since;
      longestMs = Math.max(longestMs, gapMs);
      if (now !== last) [last, since] = [now, performance.now()];
    }
    return Math.round(longestMs);
  };
  const watched = Promise.all([
    watch(async () => (await sender.progress()).acknowledged),
    watch(async () => (await partner.progress(sender.first)).concluded),
  ]);
  return {
    stop: () => {
      watching = false;
    },
    longest: watched.then(([acknowledgedMs, deliveredMs]) => ({ acknowledgedMs, deliveredMs })),
  };
}

/** SIGKILL to the node that leads one of the queues in use, and back again. */
async function killLeader(bench: Bench): Promise<string> {
  const { context } = bench;
  const name = context.random.pick(usedQueues);
  const node = await findLeader(bench, name);
  await node.kill();
  await pause(context.random.whole(5_000));
  await node.start();
  await untilComplete(bench);
  return `the leader of ${name} killed`;
}

/** The connections of a leader with the other nodes are reset, and none comes about. */
async function cutOff(bench: Bench): Promise<string> {
  return part(bench, 'cut off', (node) => node.network.cut());
}

/** The others hear nothing more of a leader, and are not told. */
async function stall(bench: Bench): Promise<string> {
  return part(bench, 'cut off without a word', (node) => node.network.stall());
}

async function part(
  bench: Bench,
  how: string,
  separate: (node: RabbitNode) => void,
): Promise<string> {
  const { context } = bench;
  const name = context.random.pick(usedQueues);
  const node = await findLeader(bench, name);
  separate(node);
  // Past the time after which a silent node counts as gone.
  await pause(15_000);
  node.network.restore();
  await untilComplete(bench);
  return `the leader of ${name} ${how} for 15 s`;
}

/** As an upgrade does: one after the other, each when the one before has its queues back. */
async function restartAll(bench: Bench): Promise<string> {
  for (const node of bench.rabbit.nodes) {
    await node.shutDown();
    await node.start();
    await untilComplete(bench);
  }
  return 'all nodes restarted in turn';
}

async function findLeader({ rabbit }: Bench, queue: string): Promise<RabbitNode> {
  const leader = (await findUsed(rabbit)).find(({ name }) => name === queue)?.leader;
  return rabbit.nodes.find(({ name }) => name === leader) ?? unreachable();
}

/** Every queue in use has all its members. */
async function untilComplete({ rabbit }: Bench): Promise<void> {
  await waitFor('all nodes have their queues back', () => findUsed(rabbit), {
    wanted: (queues) => queues.every(({ online }) => online.length === rabbit.nodes.length),
    withinMs: rejoinWithinMs,
  });
}

async function findUsed(rabbit: RabbitCluster): Promise<readonly QueueMembers[]> {
  const found = (await rabbit.queues()).filter(({ name }) => usedQueues.includes(name));
  if (found.length === usedQueues.length) return found;
  throw new Error(`Of ${usedQueues.length} queues in use the cluster lists ${found.length}.`);
}
