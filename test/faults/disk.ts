import { appendFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Engine } from './harness/engine.ts';
import { mountReadOnly, mountSmallDisk, type SmallDisk } from './harness/mounts.ts';
import type { FaultContext, Scenario } from './harness/scenario.ts';
import { Sender } from './harness/sender.ts';
import { setUp, settleAccounts, unreachable, type Interface } from './harness/setup.ts';
import { tearLog, type Tear } from './harness/wal.ts';
import { pause, waitFor } from './harness/wait.ts';

const recoverWithinMs = 60_000;
const diskMiB = 128;
/** What is left when the disk is filled from outside: some hundred messages. */
const leftBytes = 3 * 1024 * 1024;
const remedy = 'Free space on the disk of the data folder';

export const disk: Scenario = {
  name: 'disk',
  what: 'a full disk, a read-only one, a write-ahead log that is torn at its end',
  brokers: ['embedded'],
  async run(context) {
    const folder = path.join(context.folder, 'disk');
    const small = mountSmallDisk(context, folder, diskMiB);
    if (small === undefined) {
      context.skip('a full and a read-only disk: only root may mount one');
    }
    const env = small === undefined ? {} : { HILUM_DATA: path.join(folder, 'data') };
    const { engine, interfaces } = await setUp(context, { disk: {} }, env);
    const [target = unreachable()] = interfaces;
    await engine.start();
    if (small !== undefined) {
      await fill(context, engine, { target, small });
      await engine.stop();
      await refuseReadOnly(context, engine, small);
      await engine.start();
    }
    await tear(context, engine, target);
  },
};

/** Nothing is acknowledged while there is no room, the log says why, and room alone is what it needs. */
async function fill(
  context: FaultContext,
  engine: Engine,
  { target, small }: { readonly target: Interface; readonly small: SmallDisk },
): Promise<void> {
  const sender = Sender.start(context);
  await sender.send(target.port, { connections: 8, ratePerSecond: 100 });
  await sender.acknowledged(20, recoverWithinMs);
  const seen = engine.output().length;
  const ballast = path.join(small.folder, 'ballast');
  fillUpTo(ballast, leftBytes);
  await waitFor('the log says that the disk is full', () => engine.output().slice(seen), {
    wanted: (text) => text.includes(remedy),
    withinMs: recoverWithinMs,
  });
  const { status, text } = await engine.readyz();
  context.promise(
    status === 503 && text.includes('data-file-not-written') && text.includes(remedy),
    `a full disk: expected /readyz to answer 503 with the remedy, found ${status} ${text}`,
  );
  context.say(`a full disk: /readyz says ${text}`);
  // Longer than an intake waits for its store, in the long form.
  await pause(context.isShort ? 2_000 : 20_000);
  const before = (await sender.progress()).acknowledged;
  rmSync(ballast);
  await sender.acknowledged(50, recoverWithinMs);
  await engine.ready(recoverWithinMs);
  await sender.finish(recoverWithinMs);
  const counts = await settleAccounts(context, engine, {
    sender,
    partner: target.partner,
    withinMs: 120_000,
    what: `a full disk after ${before} messages`,
    // What the partner had when there was no room to write that down.
    mayRedeliver: 1,
    // A flow that could not hand on is tried again, which docs/operate.md says changes the order.
    keepsOrder: false,
  });
  context.promise(counts.refused === 0, `a full disk: ${counts.refused} messages were refused`);
  await sender.end();
}

/** In pieces: Hilum writes beside it. */
function fillUpTo(file: string, leave: number): void {
  const piece = Buffer.alloc(256 * 1024);
  writeFileSync(file, '');
  for (let left = Infinity; left > leave + piece.length;) {
    appendFileSync(file, piece);
    const { bavail, bsize } = statfsSync(file);
    left = bavail * bsize;
  }
}

/** Nothing can be stored there: it must not start, and say so. */
async function refuseReadOnly(
  context: FaultContext,
  engine: Engine,
  small: SmallDisk,
): Promise<void> {
  small.setReadOnly(true);
  await expectRefusal(context, engine, 'a read-only folder');
  small.setReadOnly(false);
  const writable = mountReadOnly(context, path.join(engine.dataDirectory, 'hilum.db'));
  await expectRefusal(context, engine, 'a read-only data file');
  writable();
}

async function expectRefusal(context: FaultContext, engine: Engine, what: string): Promise<void> {
  const words = await engine.start().then(
    () => 'it started',
    (error: unknown) => String(error),
  );
  await engine.stop();
  context.say(`${what}: ${words.trim().split('\n').slice(-3).join(' | ').slice(0, 600)}`);
  context.promise(
    words.includes('while starting'),
    `${what}: expected the start to be refused, found: ${words.slice(0, 300)}`,
  );
  context.promise(
    /read-?only|EROFS/i.test(words) && words.includes(engine.dataDirectory),
    `${what}: expected words that say what is read-only and where, found: ${words.slice(-600)}`,
  );
}

/** All processes end at once under load, with a transaction half written behind the last commit. */
async function tear(context: FaultContext, engine: Engine, target: Interface): Promise<void> {
  const tears: readonly Tear[] = ['half a frame', 'a frame with a wrong checksum', 'garbage'];
  const rounds = context.options.rounds ?? (context.isShort ? 2 : 20);
  for (let round = 1; round <= rounds; round += 1) {
    const kind = tears.at(round - 1) ?? context.random.pick(tears);
    const sender = Sender.start(context);
    await sender.send(target.port, { connections: 8, ratePerSecond: 200 });
    await sender.acknowledged(50, recoverWithinMs);
    await pause(context.random.whole(300));
    await engine.killAll();
    const file = path.join(engine.dataDirectory, 'hilum.db');
    const isTorn = tearLog(`${file}-wal`, kind, context.random);
    if (!isTorn) context.skip(`round ${round}: the write-ahead log was empty`);
    await engine.start();
    await sender.acknowledged(20, recoverWithinMs);
    await sender.finish(recoverWithinMs);
    await settleAccounts(context, engine, {
      sender,
      partner: target.partner,
      withinMs: 60_000,
      what: `everything killed, then ${kind} behind the log`,
      mayRedeliver: 1,
    });
    context.promise(
      isWhole(file),
      `round ${round}: SQLite finds the data file damaged after ${kind} behind its log`,
    );
    await sender.end();
  }
}

function isWhole(file: string): boolean {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const [row] = database.prepare('PRAGMA integrity_check').all();
    return row?.['integrity_check'] === 'ok';
  } finally {
    database.close();
  }
}
