import { execFileSync } from 'node:child_process';
import type { FlowNode } from '../../core/interface.ts';
import { readFlows } from '../../runtime/deploy/storage.ts';
import { writeDeployed } from '../support/flow-files.ts';
import type { Engine } from './harness/engine.ts';
import type { FaultContext, Scenario } from './harness/scenario.ts';
import { Sender } from './harness/sender.ts';
import { setUp, settleAccounts, unreachable, type Interface } from './harness/setup.ts';
import { pause, waitFor } from './harness/wait.ts';

/** The interface that is deployed, and one in another group that is not. */
const changed = 'changed';
const beside = 'beside';
/** Messages that are under way to a partner at a time. */
const concurrency = 8;
/** To each of the two. */
const ratePerSecond = 50;
/** The longest time without a delivery, where messages come all the time. */
const longestGapMs = { [changed]: 2_000, [beside]: 100 } as const;
/** Every so many deploys one that does not start. */
const badEvery = 5;
const recoverWithinMs = 90_000;

interface Bench {
  readonly context: FaultContext;
  readonly engine: Engine;
  readonly flowsDirectory: string;
  readonly interfaces: readonly Interface[];
}

export const deploy: Scenario = {
  name: 'deploy',
  what: 'deploys under load, some of which do not start, and crashes in the middle of deploys',
  brokers: ['embedded', 'rabbitmq'],
  async run(context) {
    const { engine, interfaces } = await setUp(context, {
      [changed]: { group: changed, concurrency, order: 'key' },
      [beside]: { group: beside, concurrency, order: 'key' },
    });
    await engine.start();
    const flowsDirectory = engine.env['HILUM_FLOWS'] ?? '';
    const bench: Bench = { context, engine, flowsDirectory, interfaces };
    const deploys = context.options.rounds ?? (context.isShort ? 6 : 50);
    const usual = await underLoad(bench, 'no deploy', () =>
      pause(context.isShort ? 3_000 : 30_000),
    );
    const gaps = await underLoad(bench, `${deploys} deploys`, () => deployOften(bench, deploys));
    for (const [id, gapMs] of gaps) {
      // A busy machine has such gaps without any deploy; a short form runs beside whatever else a test machine does.
      const usualMs = context.isShort ? 500 + 3 * (usual.get(id) ?? 0) : 0;
      const mostMs = Math.max(usualMs, longestGapMs[id === changed ? changed : beside]);
      context.promise(
        gapMs <= mostMs,
        `${id}: nothing was delivered for ${gapMs} ms, at most ${mostMs} are allowed`,
      );
    }
    await write(bench, { version: 1_000, tabs: [changed, beside], isBad: false });
    await engine.ask('POST', '/api/deploys', {});
    const crashes = context.isShort ? 2 : 20;
    for (let round = 1; round <= crashes; round += 1) await crash(bench, round);
  },
};

/** Sends to both while `work` goes on, and counts. Resolves with the longest gap of each in milliseconds. */
async function underLoad(
  bench: Bench,
  what: string,
  work: () => Promise<unknown>,
): Promise<ReadonlyMap<string, number>> {
  const { context, engine, interfaces } = bench;
  const senders = await send(bench);
  const from = Date.now();
  await work();
  const to = Date.now();
  await Promise.all(senders.map((sender) => sender.finish(recoverWithinMs)));
  const gaps = new Map<string, number>();
  for (const [at, target] of interfaces.entries()) {
    const sender = senders[at] ?? unreachable();
    const counts = await settleAccounts(context, engine, {
      sender,
      partner: target.partner,
      withinMs: 60_000,
      what: `${what}, ${target.id}`,
      mayRedeliver: 0,
    });
    context.promise(
      counts.refused + counts.resent === 0,
      `${what}, ${target.id}: ${counts.refused} were refused and ${counts.resent} sent again: a connection was lost`,
    );
    const { times } = await target.partner.report();
    gaps.set(target.id, findLongestGap(times, { from, to }));
    await sender.end();
  }
  const list = [...gaps].map(([id, gapMs]) => `${id} ${gapMs} ms`).join(', ');
  context.say(`${what}: the longest time without a delivery: ${list}`);
  return gaps;
}

/** To every interface; resolves when all of them acknowledge. */
async function send({ context, interfaces }: Bench): Promise<readonly Sender[]> {
  const senders = await Promise.all(
    interfaces.map(async ({ port }) => {
      const sender = Sender.start(context);
      await sender.send(port, { connections: 5, ratePerSecond });
      return sender;
    }),
  );
  await Promise.all(senders.map((sender) => sender.acknowledged(20, recoverWithinMs)));
  return senders;
}

function findLongestGap(
  times: Float64Array,
  { from, to }: { readonly from: number; readonly to: number },
): number {
  const during = [...times].filter((time) => time >= from && time <= to);
  let longest = 0;
  let last = from;
  for (const time of [...during, to]) {
    longest = Math.max(longest, time - last);
    last = time;
  }
  return longest;
}

async function deployOften(bench: Bench, deploys: number): Promise<void> {
  const { context, engine } = bench;
  const took: number[] = [];
  const other = await pidOf(engine, beside);
  for (let version = 1; version <= deploys; version += 1) {
    const isBad = version % badEvery === 0;
    const before = await pidOf(engine, changed);
    await write(bench, { version, tabs: [changed], isBad });
    const startedAt = performance.now();
    const { status, body } = await engine.ask('POST', '/api/deploys', {});
    if (isBad) {
      const words = JSON.stringify(body);
      context.promise(
        status === 409 && words.includes(`${changed}-more`),
        `A flow that does not start was expected to be refused at its node, and was answered ${status} ${words}`,
      );
      context.promise(
        (await pidOf(engine, changed)) === before,
        'A refused deploy was expected to leave the worker running.',
      );
      continue;
    }
    took.push(Math.round(performance.now() - startedAt));
    context.promise(status === 201, `Deploy ${version}: ${status} ${JSON.stringify(body)}`);
  }
  context.promise(
    (await pidOf(engine, beside)) === other,
    'The worker of the group that did not change was expected to stay.',
  );
  context.say(`a deploy takes ${Math.min(...took)} to ${Math.max(...took)} ms`);
}

/** Of the one worker of the group, as soon as there is one: those before have ended. */
async function pidOf(engine: Engine, group: string): Promise<number | undefined> {
  const ask = async () =>
    (await engine.status()).processes.filter(({ role }) => role === `worker ${group}`);
  const [worker] = await waitFor(`one worker ${group} is left`, ask, {
    wanted: (workers) => workers.length === 1,
    withinMs: recoverWithinMs,
  });
  return worker?.pid;
}

/** All processes end at a random moment of a deploy that changes both flows: afterwards both are new, or none. */
async function crash(bench: Bench, round: number): Promise<void> {
  const { context, engine, interfaces, flowsDirectory } = bench;
  const version = 1_000 + round;
  const senders = await send(bench);
  const revision = await commit(bench, version);
  const deployed = engine.ask('POST', '/api/deploys', { revision }).catch(() => undefined);
  const afterMs = context.random.whole(4_000);
  // In turns: at a moment before or while it is written, and while the new workers take over.
  if (round % 2 === 0) await deployed.then(() => pause(context.random.whole(500)));
  else await Promise.race([pause(afterMs), deployed]);
  await engine.killAll();
  await engine.start();
  await engine.ready(recoverWithinMs);
  const found = new Set(
    (await readFlows(flowsDirectory)).filter(({ type }) => type === 'hl7 edit').map(versionOf),
  );
  context.promise(
    found.size === 1,
    `round ${round}: after the crash the flows are of different versions: ${[...found].join(' and ')}`,
  );
  await Promise.all(senders.map((sender) => sender.finish(recoverWithinMs)));
  for (const [at, { id, partner }] of interfaces.entries()) {
    const sender = senders[at] ?? unreachable();
    await settleAccounts(context, engine, {
      sender,
      partner,
      withinMs: 60_000,
      what: `crash ${round} after ${afterMs} ms, version ${[...found].join()}, ${id}`,
      // What had arrived when all processes ended at once, and could not be written down any more.
      mayRedeliver: 4 * concurrency,
    });
    await sender.end();
  }
}

/** A revision in which both flows are of this version, while the files stay as they are. */
async function commit({ flowsDirectory }: Bench, version: number): Promise<string> {
  const git = (...args: readonly string[]): string =>
    execFileSync(
      'git',
      ['-C', flowsDirectory, '-c', 'user.name=Test', '-c', 'user.email=test@localhost', ...args],
      { encoding: 'utf8' },
    );
  git('init', '--quiet');
  const commitAll = (message: string): void => {
    git('add', '--all');
    git('commit', '--quiet', '--allow-empty', '--message', message);
  };
  commitAll('as it is');
  const flows = await readFlows(flowsDirectory);
  await writeDeployed(flowsDirectory, stamp(flows, { version, tabs: [changed, beside] }));
  commitAll(`version ${version}`);
  const revision = git('rev-parse', 'HEAD').trim();
  await writeDeployed(flowsDirectory, flows);
  return revision;
}

/** Edits the files by hand, as whoever has them under version control does. */
async function write(
  { flowsDirectory }: Bench,
  edit: { readonly version: number; readonly tabs: readonly string[]; readonly isBad: boolean },
): Promise<void> {
  const flows = (await readFlows(flowsDirectory)).filter(({ type }) => type !== 'function');
  const bad = edit.isBad ? [buildBad()] : [];
  await writeDeployed(flowsDirectory, [...stamp(flows, edit), ...bad]);
}

function stamp(
  flows: readonly FlowNode[],
  { version, tabs }: { readonly version: number; readonly tabs: readonly string[] },
): readonly FlowNode[] {
  return flows.map((node) =>
    node.type === 'hl7 edit' && tabs.includes(node.z ?? '')
      ? { ...node, name: `version ${version}` }
      : node,
  );
}

const versionOf = ({ name }: FlowNode): string => name ?? '';

/** A function whose setup throws: it would never handle a message. */
function buildBad(): FlowNode {
  return {
    ...{ id: `${changed}-more`, z: changed, type: 'function', name: 'bad', x: 1, y: 1 },
    ...{ func: 'return msg;', initialize: 'throw new Error("no such table");', finalize: '' },
    ...{ outputs: 1, timeout: 0, noerr: 0, libs: [], wires: [[]] },
  };
}
