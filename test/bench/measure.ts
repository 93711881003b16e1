/** Messages (or whatever one call does) per second of this process's time. */
export interface Task {
  readonly name: string;
  /** One pass over the pool; returns something that depends on all of it. */
  readonly run: () => number | Promise<number>;
  /** How many messages a pass is. */
  readonly count: number;
}

const warmUps = 2;
const rounds = 5;
const roundMs = 150;

/**
 * The rate of each task, the median of five rounds after two to warm up. The tasks take turns, so that
 * whatever else the machine does is shared by all. The processor's time is taken, not the clock's.
 */
export async function measureRates(tasks: readonly Task[]): Promise<ReadonlyMap<string, number>> {
  const rates = new Map(tasks.map(({ name }): [string, number[]] => [name, []]));
  for (let round = 0; round < warmUps + rounds; round += 1) {
    for (const task of tasks) {
      const rate = await measure(task);
      if (round >= warmUps) rates.get(task.name)?.push(rate);
    }
  }
  if (kept === 0) throw new Error('Expected the tasks to return what they did.');
  return new Map([...rates].map(([name, found]) => [name, findMedian(found)]));
}

/** What the tasks returned: it keeps their work from being optimised away. */
let kept = 0;

async function measure({ run, count }: Task): Promise<number> {
  const started = process.cpuUsage();
  for (let done = count; ; done += count) {
    kept += await run();
    const { user, system } = process.cpuUsage(started);
    if (user + system >= roundMs * 1000) return (done / (user + system)) * 1e6;
  }
}

/** The middle one; the upper of the two where their number is even. */
export function findMedian(numbers: readonly number[]): number {
  const middle = [...numbers].sort((left, right) => left - right)[Math.floor(numbers.length / 2)];
  if (middle === undefined) throw new Error('Expected measurements, found none.');
  return middle;
}
