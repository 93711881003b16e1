import { writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { runChild } from '../../../runtime/process/child.ts';

/** A child as the roles are one, that does what its environment says. Times are in milliseconds. */
const { STARTS_AFTER = '0', BLOCKED_WHEN_ASKED = '0', BLOCKED_AT_STOP = '0' } = process.env;

/** As an endless loop does it: nothing is answered. */
function block(ms: string): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(ms));
}

runChild('worker', async () => {
  await wait(Number(STARTS_AFTER));
  return {
    handle: ({ type }) => {
      if (type === 'inject') block(BLOCKED_WHEN_ASKED);
    },
    stop: async () => {
      block(BLOCKED_AT_STOP);
      // Heartbeats are looked at once more before it ends.
      await wait(100);
      writeFileSync(process.env['ENDED_FILE'] ?? '', 'finished');
    },
  };
});
