import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { eventKinds } from '../../core/ledger/codes.ts';
import { startPostgres, type PostgresServer } from '../support/postgres.ts';
import { controlIdOf } from './harness/messages.ts';
import type { Engine } from './harness/engine.ts';
import type { FaultContext, Scenario } from './harness/scenario.ts';
import { Sender } from './harness/sender.ts';
import { setUp, settleAccounts, unreachable } from './harness/setup.ts';
import { pause, waitFor } from './harness/wait.ts';

const flow = 'postgres';
const ratePerSecond = 50;
const recoverWithinMs = 120_000;
/** In minutes, where `--rounds` does not say. */
const awayMinutes = 10;
const shortlyAwayMs = 15_000;

const inboundSteps = ['received', 'queued', 'taken', 'sent', 'processed'];
const outboundSteps = ['queued', 'taken', 'delivered'];

/** The ledger is in PostgreSQL, and that is away: routing goes on, and the ledger tells all of it afterwards. */
export const postgres: Scenario = {
  name: 'postgres',
  what: 'PostgreSQL is killed and comes back at once, then is stopped for ten minutes, and worker and edge are killed meanwhile',
  brokers: ['rabbitmq'],
  async run(context) {
    const server = await startPostgres();
    context.atEnd(() => server.stop());
    const url = await server.createDatabase();
    const { engine, interfaces } = await setUp(context, { [flow]: {} }, { HILUM_LEDGER_URL: url });
    const { port, partner } = interfaces[0] ?? unreachable();
    context.say(`ready after ${await engine.start()} ms`);
    const sender = Sender.start(context);
    await sender.send(port, { connections: 8, ratePerSecond });
    await sender.acknowledged(50, recoverWithinMs);

    await server.kill();
    await acknowledges(context, sender, 'PostgreSQL was killed');
    await server.start();
    await sender.acknowledged(100, recoverWithinMs);

    await server.shutDown();
    const sinceMs = performance.now();
    await acknowledges(context, sender, 'PostgreSQL was stopped');
    const { distinct } = await partner.progress();
    const wholeMs = context.isShort
      ? shortlyAwayMs
      : (context.options.rounds ?? awayMinutes) * 60_000;
    await pause(Math.max(0, wholeMs - (performance.now() - sinceMs)));
    const arrived = (await partner.progress()).distinct - distinct;
    const seconds = Math.round((performance.now() - sinceMs) / 1_000);
    context.say(`${arrived} messages arrived in the ${seconds} s without PostgreSQL`);
    context.promise(
      arrived >= (seconds * ratePerSecond) / 2,
      `only ${arrived} messages arrived in ${seconds} s although ${ratePerSecond} came each second`,
    );
    // Both have an ordered queue to begin, of which it is known that nothing is set aside.
    for (const name of ['worker default', 'edge']) {
      await engine.kill(name);
      const killedAt = performance.now();
      await partner.arrived(100, recoverWithinMs);
      const tookMs = Math.round(performance.now() - killedAt);
      context.say(`100 messages arrived in the ${tookMs} ms after ${name} was killed`);
    }
    const pids = await engine.pids();
    await server.start();

    await engine.ready(recoverWithinMs);
    await forwarded(context, engine, recoverWithinMs + wholeMs);
    await sender.acknowledged(20, recoverWithinMs);
    await sender.finish(recoverWithinMs);
    await settleAccounts(context, engine, {
      sender,
      partner,
      withinMs: recoverWithinMs,
      what: 'PostgreSQL killed and away',
      // What a killed worker had in hand runs again, and the ledger could not say what of it was done.
      mayRedeliver: 64,
      keepsOrder: false,
    });
    const isSame = JSON.stringify(await engine.pids()) === JSON.stringify(pids);
    context.promise(isSame, 'a process was started again after PostgreSQL was back');
    const { indexes, latenciesMs } = await sender.report();
    const acknowledged = [...indexes].filter((_, at) => !Number.isNaN(latenciesMs[at]));
    await sender.end();
    context.promise((await engine.stop()) === 0, 'Hilum did not stop cleanly');
    await checkLedger(context, server, { url, acknowledged: acknowledged.map(controlIdOf) });
  },
};

async function acknowledges(context: FaultContext, sender: Sender, what: string): Promise<void> {
  const since = performance.now();
  await sender.acknowledged(50, 20_000);
  context.say(`50 acknowledged ${Math.round(performance.now() - since)} ms after ${what}`);
}

/** Resolves when the ledger has what was spooled, while messages come on and on. */
async function forwarded(context: FaultContext, engine: Engine, withinMs: number): Promise<void> {
  const folder = path.join(engine.dataDirectory, 'spool');
  const countBytes = (): number =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.spool'))
      .reduce((sum, name) => sum + statSync(path.join(folder, name)).size, 0);
  const since = performance.now();
  const bytes = countBytes();
  await waitFor('the spools are empty', countBytes, { wanted: (left) => left === 0, withinMs });
  const tookMs = Math.round(performance.now() - since);
  context.say(
    `the ledger had what was spooled (${bytes} bytes) ${tookMs} ms after Hilum was ready`,
  );
}

/** Every step of every message that was taken is there, and the counters count what is there. */
async function checkLedger(
  context: FaultContext,
  server: PostgresServer,
  expected: { readonly url: string; readonly acknowledged: readonly string[] },
): Promise<void> {
  context.promise(server.pid !== undefined, 'PostgreSQL does not run any more');
  const client = new pg.Client({ connectionString: expected.url });
  await client.connect();
  await client.query('SET search_path TO hilum');
  const { rows } = await client.query<{
    readonly control: string | null;
    readonly cause: string | null;
    readonly kinds: readonly number[];
  }>(
    `SELECT control_id AS control, causation_id AS cause, array_agg(DISTINCT (packed.value ->> 1)::int) AS kinds
     FROM message JOIN event ON event.id = message.id, json_array_elements(event.events::json) AS packed(value)
     GROUP BY message.id, control_id, causation_id`,
  );
  const wrong = await client.query(
    `SELECT counted.kind FROM
       (SELECT kind, sum(count) AS count FROM event_count GROUP BY kind) AS counted
       FULL JOIN (SELECT (packed.value ->> 1)::int AS kind, count(*) AS count
         FROM event, json_array_elements(event.events::json) AS packed(value) GROUP BY 1) AS there
       ON there.kind = counted.kind WHERE counted.count IS DISTINCT FROM there.count`,
  );
  const waiting = await client.query('SELECT FROM waiting');
  await client.end();
  const steps = rows
    .map(({ control, cause, kinds }) => ({
      control,
      isInbound: cause === null,
      kinds: new Set(kinds.map((kind) => eventKinds[kind] as string)),
    }))
    .filter((each) => !each.kinds.has('duplicate'));
  const gaps = steps.filter(({ isInbound, kinds: found }) =>
    (isInbound ? inboundSteps : outboundSteps).some((kind) => !found.has(kind)),
  );
  const known = new Set(steps.filter((each) => each.isInbound).map(({ control }) => control));
  const missing = expected.acknowledged.filter((control) => !known.has(control));
  const such = gaps.slice(0, 3).map((each) => [...each.kinds].join('+'));
  context.say(
    `${steps.length} messages in the ledger, ${known.size} of them taken by id for ${expected.acknowledged.length} acknowledged; ${gaps.length} with a gap`,
  );
  context.promise(
    missing.length === 0,
    `${missing.length} acknowledged messages are not in the ledger`,
  );
  context.promise(
    gaps.length === 0,
    `${gaps.length} traces have a gap, such as ${such.join('; ')}`,
  );
  context.promise(
    wrong.rows.length === 0,
    `${wrong.rows.length} counters differ from their events`,
  );
  context.promise(
    waiting.rows.length === 0,
    `${waiting.rows.length} messages wait in the ledger alone`,
  );
}
