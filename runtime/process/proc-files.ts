import { readFileSync } from 'node:fs';

/** Of Linux on every architecture that Node runs on. */
const ticksPerSecond = 100;

/**
 * What a process holds of its own, in MiB: its heap, Buffers and native memory, without the files that are mapped and
 * shared with others. Read from outside, since a process in an endless loop tells nothing. Undefined where it is gone
 * or the system has no /proc.
 */
export function readOwnMemoryMiB(pid: number): number | undefined {
  const status = readIfAny(`/proc/${pid}/status`);
  const anonymous = /^RssAnon:\s+(\d+) kB/m.exec(status)?.[1];
  if (anonymous === undefined) return undefined;
  const shared = /^RssShmem:\s+(\d+) kB/m.exec(status)?.[1] ?? '0';
  return (Number(anonymous) + Number(shared)) / 1024;
}

/** The main thread of a process at one moment. */
export interface MainThread {
  /** The processor time that it has used so far, in milliseconds, in steps of ten. */
  readonly usedMs: number;
  /** It computes, or would if it got a processor; false: it waits for something. */
  readonly isRunnable: boolean;
}

/** Undefined where the process is gone or the system has no /proc. */
export function readMainThread(pid: number): MainThread | undefined {
  const stat = readIfAny(`/proc/${pid}/task/${pid}/stat`);
  if (stat === '') return undefined;
  // The name of the program stands in parentheses, and may have blanks.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [user, system] = [Number(fields[11]), Number(fields[12])];
  return { usedMs: ((user + system) * 1_000) / ticksPerSecond, isRunnable: fields[0] === 'R' };
}

function readIfAny(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
