import { existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { requireProgram } from '../support/programs.ts';
import type { Engine } from './harness/engine.ts';
import type { FaultContext, Scenario } from './harness/scenario.ts';
import { Sender } from './harness/sender.ts';
import { setUp, settleAccounts, unreachable, type Interface } from './harness/setup.ts';
import { pause, waitFor } from './harness/wait.ts';

const recoverWithinMs = 60_000;
/** The wall clocks of all Hilum's processes, as an offset; the monotonic ones go on as they are. */
const jumps = ['-1h', '+0', '+1h', '-1h'] as const;

export const clock: Scenario = {
  name: 'clock',
  what: 'a wall clock that jumps an hour back and forth under load, with retries waiting',
  brokers: ['embedded', 'rabbitmq'],
  async run(context) {
    const library = findFaketime();
    if (library === undefined) {
      context.skip('libfaketime is not installed (Debian: apt-get install faketime)');
      return;
    }
    const offset = path.join(context.folder, 'offset');
    setClock(offset, '+0');
    const env = {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: offset,
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1',
    };
    // With several at a time a retry steps aside: it is the broker that waits for its time.
    const specs = { steady: {}, retried: { concurrency: 4, timeoutSeconds: 1 } };
    const { engine, interfaces } = await setUp(context, specs, env);
    const [steady = unreachable(), retried = unreachable()] = interfaces;
    await engine.start();
    for (const jump of context.isShort ? jumps.slice(0, 2) : jumps) {
      await leap(context, engine, { steady, retried, offset, jump });
    }
    setClock(offset, '-1h');
    await restart(context, engine, steady);
  },
};

async function leap(
  context: FaultContext,
  engine: Engine,
  at: {
    readonly steady: Interface;
    readonly retried: Interface;
    readonly offset: string;
    readonly jump: string;
  },
): Promise<void> {
  const { steady, retried, offset, jump } = at;
  const toSteady = Sender.start(context);
  const toRetried = Sender.start(context);
  await retried.partner.behave({ kind: 'AR' });
  await toSteady.send(steady.port, { connections: 8, ratePerSecond: 100 });
  await toRetried.send(retried.port, { connections: 4, ratePerSecond: 10 });
  await toRetried.acknowledged(10, recoverWithinMs);
  await waitFor('messages wait for another attempt', () => retried.partner.progress(), {
    wanted: ({ received }) => received >= 8,
    withinMs: recoverWithinMs,
  });
  const before = (await toSteady.progress()).acknowledged;
  setClock(offset, jump);
  // Longer than the offset is remembered.
  await pause(2_000);
  // Whatever counts a time with the wall clock while the owner is away would count an hour.
  await engine.kill('owner');
  await toSteady.acknowledged(50, recoverWithinMs);
  const movedMs = readClock(engine) - Date.now();
  context.say(`the clock at ${jump}: Hilum's is ${Math.round(movedMs / 1000)} s from ours`);
  context.promise(
    Math.abs(movedMs - toMs(jump)) < 60_000,
    `the clock at ${jump}: it was not moved, the run says nothing`,
  );
  await retried.partner.behave({ kind: 'accept' });
  await Promise.all([toSteady.finish(recoverWithinMs), toRetried.finish(recoverWithinMs)]);
  await engine.ready(recoverWithinMs);
  await settleAccounts(context, engine, {
    sender: toSteady,
    partner: steady.partner,
    withinMs: 60_000,
    what: `the clock at ${jump} after ${before} messages and the owner killed`,
    mayRedeliver: 1,
  });
  await settleAccounts(context, engine, {
    sender: toRetried,
    partner: retried.partner,
    withinMs: 60_000,
    what: `the clock at ${jump}, with retries waiting`,
    mayRedeliver: 4,
    keepsOrder: false,
  });
  await Promise.all([toSteady.end(), toRetried.end()]);
}

/** What was stored an hour later than now is delivered all the same. */
async function restart(context: FaultContext, engine: Engine, target: Interface): Promise<void> {
  const sender = Sender.start(context);
  await target.partner.behave({ kind: 'down' });
  await sender.send(target.port, { connections: 8, ratePerSecond: 100 });
  await sender.acknowledged(100, recoverWithinMs);
  await engine.killAll();
  await engine.start();
  await target.partner.behave({ kind: 'accept' });
  await sender.acknowledged(20, recoverWithinMs);
  await sender.finish(recoverWithinMs);
  await settleAccounts(context, engine, {
    sender,
    partner: target.partner,
    withinMs: 90_000,
    what: 'started again with the clock an hour back',
    mayRedeliver: 1,
  });
  await sender.end();
}

/** At once for whoever reads it: never half written. */
function setClock(file: string, offset: string): void {
  writeFileSync(`${file}.next`, `${offset}\n`);
  renameSync(`${file}.next`, file);
}

/** What the newest line of Hilum's log has as its time, milliseconds since 1970. */
function readClock(engine: Engine): number {
  const times = [...engine.output().matchAll(/"time":"([^"]+)"/g)];
  return Date.parse(times.at(-1)?.[1] ?? '');
}

function toMs(offset: string): number {
  return Number.parseInt(offset, 10) * 3_600_000;
}

/** For programs with threads; under a folder that is named after the machine. */
function findFaketime(): string | undefined {
  if (requireProgram('faketime') === undefined) return undefined;
  return readdirSync('/usr/lib')
    .map((folder) => path.join('/usr/lib', folder, 'faketime', 'libfaketimeMT.so.1'))
    .find((file) => existsSync(file));
}
