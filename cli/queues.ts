import type { Command } from 'commander';
import type { QueueView } from '../console/api/views.ts';
import { ask, toReason, toTable } from './engine.ts';

/** `hilum queues [--json]`: what waits where, and since when. */
export function registerQueues(program: Command): void {
  program
    .command('queues')
    .description('Show the queues of the running engine: depth, age, dead letters, rates.')
    .option('--json', 'the same as JSON')
    .action(async ({ json = false }: { json?: boolean }) => {
      const answer = await ask('GET', '/api/queues');
      if (answer.status !== 200) throw new Error(toReason(answer));
      const queues = answer.body as readonly QueueView[];
      process.stdout.write(
        json ? `${JSON.stringify(queues, null, 2)}\n` : `${toTable(toRows(queues))}\n`,
      );
    });
}

function toRows(queues: readonly QueueView[]): readonly (readonly string[])[] {
  const header = ['QUEUE', 'WAITING', 'IN WORK', 'DEAD', 'OLDEST', 'IN/MIN', 'OUT/MIN', 'FOR'];
  return [
    header,
    ...queues.map(({ queue, ready, unsettled, dead, oldestAgeSeconds, ratePerMinute, label }) => [
      queue,
      String(ready),
      String(unsettled),
      String(dead),
      oldestAgeSeconds === null ? '-' : `${oldestAgeSeconds} s`,
      String(ratePerMinute.in),
      String(ratePerMinute.out),
      label ?? '',
    ]),
  ];
}
