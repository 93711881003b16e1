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

/**
 * The processor time that the main thread of a process has used so far, in milliseconds, in steps of ten. Undefined
 * where it is gone or the system has no /proc.
 */
export function readMainThreadMs(pid: number): number | undefined {
  const stat = readIfAny(`/proc/${pid}/task/${pid}/stat`);
  // The name of the program stands in parentheses, and may have blanks.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [user, system] = [Number(fields[11]), Number(fields[12])];
  return stat === '' ? undefined : ((user + system) * 1_000) / ticksPerSecond;
}

function readIfAny(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
