import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { takeFileLock, type FileLock } from '../../connectors/spool/file-lock.ts';
import { eventKinds } from '../../core/ledger/codes.ts';
import type { Engine } from './harness/engine.ts';
import type { FaultContext, Scenario } from './harness/scenario.ts';
import { Sender } from './harness/sender.ts';
import { setUp, settleAccounts, unreachable } from './harness/setup.ts';
import { pause } from './harness/wait.ts';

const flow = 'ledger';
const recoverWithinMs = 120_000;
/** Longer than any process of Hilum has ever waited for the ledger before it went on. */
const longMs = 90_000;

const inboundSteps = ['received', 'queued', 'taken', 'sent', 'processed'];
const outboundSteps = ['queued', 'taken', 'delivered'];

/** What happens is spooled, and the ledger tells all of it afterwards. */
export const ledger: Scenario = {
  name: 'ledger',
  what: 'the ledger is stopped, then away for longer than a minute, and a worker is killed meanwhile',
  brokers: ['rabbitmq'],
  async run(context) {
    const { engine, interfaces } = await setUp(context, { [flow]: {} });
    const { port, partner } = interfaces[0] ?? unreachable();
    context.say(`ready after ${await engine.start()} ms`);
    const sender = Sender.start(context);
    await sender.send(port, { connections: 8, ratePerSecond: 50 });
    await sender.acknowledged(50, recoverWithinMs);
    await standStill(context, engine, sender);
    const lock = await keepAway(engine);
    try {
      await sender.acknowledged(100, recoverWithinMs);
      await partner.arrived(50, recoverWithinMs);
      if (!context.isShort) await pause(longMs);
      await engine.kill('worker default');
      await sender.acknowledged(100, recoverWithinMs);
      if (!context.isShort) await pause(longMs);
    } finally {
      lock.release();
    }
    await engine.ready(recoverWithinMs);
    await sender.acknowledged(20, recoverWithinMs);
    await sender.finish(recoverWithinMs);
    const { acknowledged } = await sender.progress();
    await settleAccounts(context, engine, {
      sender,
      partner,
      withinMs: recoverWithinMs,
      what: 'the ledger slow and away',
      // What a killed worker had in hand runs again, and the ledger could not say what of it was done.
      mayRedeliver: 64,
      keepsOrder: false,
    });
    await sender.end();
    context.promise((await engine.stop()) === 0, 'Hilum did not stop cleanly');
    checkLedger(context, path.join(engine.dataDirectory, 'hilum.db'), acknowledged);
  },
};

/** Its process keeps its connections and answers nothing: acknowledgments and deliveries go on. */
async function standStill(context: FaultContext, engine: Engine, sender: Sender): Promise<void> {
  const { processes } = await engine.status();
  const pid = processes.find(({ role }) => role === 'owner')?.pid ?? unreachable();
  process.kill(pid, 'SIGSTOP');
  try {
    const since = performance.now();
    await sender.acknowledged(50, 12_000);
    context.say(`50 acknowledged ${Math.round(performance.now() - since)} ms after it stood still`);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await sender.acknowledged(20, recoverWithinMs);
}

/** Kills the owner, and has its file before the next one does: none can start until it is let go. */
async function keepAway(engine: Engine): Promise<FileLock> {
  const file = path.join(engine.dataDirectory, 'hilum.db');
  await engine.kill('owner');
  for (;;) {
    const lock = takeFileLock(file);
    if (lock !== undefined) return lock;
    await engine.kill('owner').catch(() => undefined);
  }
}

/** Every step of every message that was taken is there, and the counters count what is there. */
function checkLedger(context: FaultContext, file: string, acknowledged: number): void {
  const database = new DatabaseSync(file, { readOnly: true });
  const steps = database
    .prepare(
      `SELECT message.id, message.causation_id AS cause, group_concat(DISTINCT packed.value ->> 1) AS kinds
       FROM message JOIN event ON event.message = message.number, json_each(event.events) AS packed
       WHERE message.content_type IS NOT NULL GROUP BY message.number`,
    )
    .all()
    .map((row) => ({
      isInbound: row['cause'] === null,
      kinds: new Set<string | undefined>(
        String(row['kinds'])
          .split(',')
          .map((kind) => eventKinds[Number(kind)]),
      ),
    }))
    .filter((each) => !each.kinds.has('duplicate'));
  const queued = steps.filter((each) => each.isInbound && each.kinds.has('queued'));
  const gaps = steps.filter(({ isInbound, kinds: found }) =>
    (isInbound ? inboundSteps : outboundSteps).some((kind) => !found.has(kind)),
  );
  const wrong = database
    .prepare(
      `SELECT kind FROM (
         SELECT kind, sum(count) AS counted, (
           SELECT count(*) FROM event, json_each(event.events) AS packed
           WHERE packed.value ->> 1 = event_count.kind
         ) AS there
         FROM event_count GROUP BY kind) WHERE counted <> there`,
    )
    .all();
  database.close();
  context.say(
    `${steps.length} messages in the ledger, ${queued.length} of them taken; ${gaps.length} with a gap`,
  );
  context.promise(
    queued.length >= acknowledged,
    `${acknowledged} messages were acknowledged, and the ledger has ${queued.length}`,
  );
  const such = gaps.slice(0, 3).map((each) => [...each.kinds].join('+'));
  context.promise(
    gaps.length === 0,
    `${gaps.length} traces have a gap, such as ${such.join('; ')}`,
  );
  context.promise(wrong.length === 0, `${wrong.length} counters differ from their events`);
}
