import { readFileSync } from 'node:fs';

/**
 * How long a process has stood ready to run while others had the processors, in milliseconds since its start: of its
 * main thread. 0 where the system does not tell, or the process has ended.
 */
export function readWaitedMs(pid: number): number {
  try {
    const [, waitedNs = '0'] = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ');
    return Number(waitedNs) / 1e6;
  } catch {
    return 0;
  }
}

/** Milliseconds of processor that this thread spends in it: what the machine does meanwhile for others does not count. */
export function measureProcessorMs(work: () => void): number {
  const started = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(started);
  return (user + system) / 1_000;
}
