import { readFileSync } from 'node:fs';

/** Processor time of a process and all its threads so far, in milliseconds: proc(5), in ticks of 10 ms. */
export function readCpuMs(pid: number): number {
  const [user, system] = readTimes(pid);
  return 10 * (Number(user) + Number(system));
}

/** As {@link readCpuMs}, with all its children: those that run, and those that have ended. */
export function readTreeCpuMs(pid: number): number {
  const [user, system] = readTimes(pid).slice(2);
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim();
  const running = children === '' ? [] : children.split(' ').map(Number);
  const ended = 10 * (Number(user) + Number(system));
  return running.reduce((sum, child) => sum + readTreeCpuMs(child), readCpuMs(pid) + ended);
}

/** Its own in user and system mode, then that of its ended children, in ticks. */
function readTimes(pid: number): readonly string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 15);
}

/** Its share of the memory, in MiB, what it has in common with others divided among them. */
export function readPssMiB(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
  return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? Number.NaN) / 1024;
}
