import { AsyncLocalStorage } from 'node:async_hooks';
import { writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { guardLoops, type Running } from '../../../runtime/process/loop-guard.ts';
import { sayLastWords } from '../../../runtime/process/last-words.ts';
import { runChild, tell } from '../../../runtime/process/child.ts';

/** A child as the roles are one, that does what its environment says. Times are in milliseconds. */
const { STARTS_AFTER = '0', BLOCKED_WHEN_ASKED = '0', BLOCKED_AT_STOP = '0' } = process.env;
const { SPINS_AT_START, SPINS_WHEN_ASKED, GROWS_WHEN_ASKED, GUARDED_MS } = process.env;
const { ENDS_WHEN_ASKED, GIVES_UP_CULPRITS, COMPUTES_WHEN_ASKED } = process.env;
const running = new AsyncLocalStorage<Running>();
const kept: Buffer[] = [];

/** As an endless loop does it: nothing is answered. */
function block(ms: string): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(ms));
}

/** An endless loop that goes on talking to its supervisor. */
function spin(): never {
  for (;;) process.send?.({ type: 'comms', event: {} });
}

/** A long step of so much processor time, at the end of which it aborts where it is to. */
function compute(ms: number): void {
  const { user, system } = process.threadCpuUsage();
  const used = (): number => {
    const now = process.threadCpuUsage();
    return (now.user + now.system - user - system) / 1_000;
  };
  while (used() < ms);
  if (process.env['ABORTS'] !== undefined) process.abort();
}

/** Outside of V8's heap, ten MiB at a time, and goes on turning meanwhile. */
function grow(): void {
  kept.push(Buffer.alloc(10 * 1024 * 1024, 1));
  setTimeout(grow, 5);
}

runChild('worker', async ({ config }) => {
  tell({ type: 'comms', event: { culprits: config.culprits } });
  if (GIVES_UP_CULPRITS !== undefined && config.culprits?.length) tell({ type: 'culprit' });
  if (GUARDED_MS !== undefined) {
    guardLoops({
      allowedMs: Number(GUARDED_MS),
      running: () => running.getStore(),
      orphanMs: 500,
    });
  }
  if (SPINS_AT_START !== undefined) spin();
  await wait(Number(STARTS_AFTER));
  return {
    handle: ({ type }) => {
      if (type !== 'inject') return;
      if (SPINS_WHEN_ASKED !== undefined) {
        // After an await: whose it is, only its context knows.
        void running.run({ nodeId: 'route', messageId: 'm1' }, () => wait(10).then(spin));
        return;
      }
      if (COMPUTES_WHEN_ASKED !== undefined) {
        running.run({ nodeId: 'route', messageId: 'm1' }, () => {
          compute(Number(COMPUTES_WHEN_ASKED));
        });
        return;
      }
      if (ENDS_WHEN_ASKED !== undefined) {
        sayLastWords({ did: 'ended the process', nodeId: 'route', messageId: `m${process.pid}` });
        process.exit(3);
      }
      if (GROWS_WHEN_ASKED !== undefined) grow();
      else block(BLOCKED_WHEN_ASKED);
    },
    stop: async () => {
      block(BLOCKED_AT_STOP);
      // Heartbeats are looked at once more before it ends.
      await wait(100);
      writeFileSync(process.env['ENDED_FILE'] ?? '', 'finished');
    },
  };
});
