import { readdirSync, readFileSync } from 'node:fs';
import os from 'node:os';

/**
 * Behind this process and all that it starts as usual, where processors are short: a third of what others get. With less
 * it might not be ready in time on a machine that is busy for long.
 */
const behind = 5;
const most = 19;
/** Of Linux's capabilities(7): CAP_SYS_NICE. */
const raisingBit = 23n;

/** The niceness of what is to stand behind this thread. */
export function findLowNiceness(): number {
  return Math.min(os.getPriority() + behind, most);
}

/**
 * Sets the niceness of a process, of all its threads: Linux has one for each, and a thread gets that of the one that
 * starts it. Does nothing where one is gone or the system does not allow it: up again only with privileges.
 */
export function setNiceness(pid: number, niceness: number): void {
  // The main thread first, so that none is missed that it starts meanwhile.
  set(pid, niceness);
  for (const thread of findThreads(pid)) set(thread, niceness);
}

/** Whether this process may take back a niceness that it has given itself. */
export function mayLowerNiceness(): boolean {
  try {
    const status = readFileSync('/proc/self/status', 'latin1');
    const effective = /^CapEff:\s+([0-9a-f]+)$/m.exec(status)?.[1] ?? '0';
    return ((BigInt(`0x${effective}`) >> raisingBit) & 1n) === 1n;
  } catch {
    return false;
  }
}

function set(thread: number, niceness: number): void {
  try {
    os.setPriority(thread, niceness);
  } catch {
    // It goes on as it is.
  }
}

/** None where the system has no /proc, and a process as a whole has one niceness. */
function findThreads(pid: number): readonly number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number);
  } catch {
    return [];
  }
}
