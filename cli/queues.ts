import type { Command } from 'commander';
import type { ChangeView, PausedQueue } from '../console/api/administration.ts';
import {
  mostParked,
  type ParkedView,
  type QueueView,
  type WaitingView,
} from '../console/api/views.ts';
import { askFor, toTable } from './engine.ts';

interface Sure {
  readonly yes?: boolean;
  readonly reason?: string;
}

/** `hilum queues …`: what waits where and since when, and what an operator may do about it. */
export function registerQueues(program: Command): void {
  const queues = program
    .command('queues')
    .description('Show the queues of the running engine: depth, age, dead letters, rates.')
    .option('--json', 'the same as JSON')
    .action(listQueues);
  queues
    .command('list')
    .description('Show the queues; the same as without a command.')
    .option('--json', 'the same as JSON')
    .action((_: object, command: Command) => listQueues(command.optsWithGlobals()));
  registerLooks(queues);
  registerChanges(queues);
}

async function listQueues({ json = false }: { readonly json?: boolean }): Promise<void> {
  const found = (await askFor('GET', '/api/queues')) as readonly QueueView[];
  print(found, json, toRows(found));
}

function registerLooks(queues: Command): void {
  queues
    .command('peek')
    .description('Show what waits in a queue, who waits longest first. Nothing is consumed.')
    .argument('<queue>', 'its name as hilum queues shows it')
    .option('--limit <n>', 'how many at most, up to 500', '50')
    .option('--after <id>', 'go on after this message')
    .option('--json', 'the same as JSON')
    .action(async (queue: string, given: { limit: string; after?: string }, command: Command) => {
      const { json = false } = command.optsWithGlobals<{ json?: boolean }>();
      const query = new URLSearchParams({ limit: given.limit });
      if (given.after !== undefined) query.set('after', given.after);
      const path = `${pathOf(queue)}/messages?${query.toString()}`;
      const found = (await askFor('GET', path)) as readonly WaitingView[];
      print(found, json, [
        ['MESSAGE', 'SINCE', 'STATE', 'TYPE', 'CONTROL ID', 'BYTES'],
        ...found.map((each) => [
          each.id,
          each.waitsSince,
          each.state,
          each.messageType ?? each.contentType,
          each.controlId ?? '',
          String(each.bytes),
        ]),
      ]);
    });
  queues
    .command('parked')
    .description(
      'Show the messages that are set aside behind one of their key, and who stops them.',
    )
    .argument('[queue]', 'only of this queue')
    .option('--json', 'the same as JSON')
    .action(async (queue: string | undefined, _: object, command: Command) => {
      const { json = false } = command.optsWithGlobals<{ json?: boolean }>();
      const query = queue === undefined ? '' : `?queue=${encodeURIComponent(queue)}`;
      const found = (await askFor('GET', `/api/parked${query}`)) as readonly ParkedView[];
      print(found, json, [
        ['QUEUE', 'FIRST', 'PARKED', 'SINCE', 'DECISION'],
        ...found.map(({ queue: name, firstId, parked, since, ...of }) => [
          name,
          firstId,
          String(parked),
          since,
          toDecision(of),
        ]),
      ]);
      if (found.length >= mostParked) {
        process.stderr.write(`The ${mostParked} that are set aside longest are shown.\n`);
      }
    });
}

function toDecision({ isStopped, isHeld }: Pick<ParkedView, 'isStopped' | 'isHeld'>): string {
  if (isHeld === true) return 'a code to map: hilum mapping unmapped';
  return isStopped ? 'needed: hilum queues release' : 'not needed';
}

function registerChanges(queues: Command): void {
  for (const verb of ['pause', 'resume'] as const) {
    queues
      .command(verb)
      .description(
        verb === 'pause'
          ? 'Take nothing more of a queue, also after a restart; what comes waits in it.'
          : 'Let a paused queue go on.',
      )
      .argument('<queue>', 'its name as hilum queues shows it')
      .action(async (queue: string) => {
        const paused = (await askFor('POST', `${pathOf(queue)}/${verb}`)) as readonly PausedQueue[];
        const names = paused.map((each) => each.queue);
        process.stdout.write(`paused: ${names.length === 0 ? 'none' : names.join(', ')}\n`);
      });
  }
  destroying(queues, 'withdraw')
    .description('Take messages out of the queues they wait in; who consumes them drops them.')
    .argument('<id...>', 'message ids, as hilum queues peek shows them')
    .action(async (ids: readonly string[], sure: Sure) => {
      await change(sure, '/api/messages/withdraw', { ids });
    });
  destroying(queues, 'purge')
    .description('Withdraw everything that waits in a queue now.')
    .argument('<queue>', 'its name as hilum queues shows it')
    .action(async (queue: string, sure: Sure) => {
      await change(sure, `${pathOf(queue)}/purge`, {});
    });
  destroying(queues, 'move')
    .description('Withdraw what waits in a queue and put copies into another, in order.')
    .argument('<from>', 'the queue in which they wait')
    .argument('<to>', 'the queue to put them into')
    .argument('[id...]', 'only these messages')
    .action(async (from: string, to: string, ids: readonly string[], sure: Sure) => {
      const only = ids.length === 0 ? {} : { ids };
      await change(sure, `${pathOf(from)}/move`, { to, ...only });
    });
  queues
    .command('release')
    .description('Decide about a message that was given up and stops those of its key.')
    .argument('<queue>', 'as hilum queues parked shows it')
    .argument('<id>', 'the first message, as hilum queues parked shows it')
    .argument('<decision>', 'again: try it once more; skip: make it a dead letter')
    .option('--reason <text>', 'why, for the ledger; without patient data')
    .action(async (queue: string, id: string, decision: string, { reason }: Sure) => {
      const why = reason === undefined ? {} : { reason };
      await askFor('POST', `${pathOf(queue)}/release`, { id, decision, ...why });
      process.stdout.write(`${decision}: ${id}\n`);
    });
}

function destroying(queues: Command, name: string): Command {
  return queues
    .command(name)
    .option('--yes', 'do it; without this it is only refused')
    .option('--reason <text>', 'why, for the ledger; without patient data');
}

async function change({ yes = false, reason }: Sure, path: string, body: object): Promise<void> {
  if (!yes) {
    throw new Error('This takes messages out of their queue for good; say --yes to do it.');
  }
  const why = reason === undefined ? {} : { reason };
  const { changed, skipped } = (await askFor('POST', path, { ...body, ...why })) as ChangeView;
  process.stdout.write(`${changed} done, ${skipped} skipped\n`);
}

function pathOf(queue: string): string {
  return `/api/queues/${encodeURIComponent(queue)}`;
}

function print(found: unknown, json: boolean, rows: readonly (readonly string[])[]): void {
  process.stdout.write(json ? `${JSON.stringify(found, null, 2)}\n` : `${toTable(rows)}\n`);
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
