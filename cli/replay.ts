import { setTimeout as wait } from 'node:timers/promises';
import { Option, type Command } from 'commander';
import type { ReplayView } from '../console/api/replays.ts';
import { ask, askFor, toReason } from './engine.ts';

interface Options {
  readonly interface?: string;
  readonly queue?: string;
  readonly state?: string;
  readonly type?: string;
  readonly control?: string;
  readonly key?: string;
  readonly from?: string;
  readonly to?: string;
  readonly issue?: string;
  readonly fromStep: 'start' | 'failed';
  readonly rate: string;
  readonly dryRun?: boolean;
  readonly resume?: string;
}

const pollMs = 500;

/** `hilum replay ID`, or by a filter: sends messages again, as new ones linked to them. */
export function registerReplay(program: Command): void {
  program
    .command('replay')
    .description(
      'Send a message again from where it first waited, or all of a filter in their original order, as new messages linked to them.',
    )
    .argument('[id]', 'control id (the newest message with it) or message id')
    .option('--interface <id>', 'messages of this interface')
    .option('--queue <name>', 'messages that wait or waited in this queue')
    .option('--state <states>', 'in this state, or one of several with commas: dead-lettered')
    .option('--type <type>', 'of this message type: ORU^R01^ORU_R01, or ORU* for all that begin so')
    .option('--control <id>', 'with this control id')
    .option('--key <key>', 'of this ordering key, by default the patient')
    .option('--from <instant>', 'received from this time on: 2026-01-31, 2026-01-31T08:00:00Z')
    .option('--to <instant>', 'received before this time')
    .option('--issue <code>', 'with a finding of this code')
    .addOption(
      new Option(
        '--from-step <step>',
        'start: what came in goes through its flow again, once; failed: the message itself, where it failed last',
      )
        .choices(['start', 'failed'])
        .default('start'),
    )
    .option('--rate <n>', 'messages a second, at most', '50')
    .option('--dry-run', 'only say how many there are')
    .option('--resume <run>', 'go on with a replay that was stopped')
    .action(async (id: string | undefined, options: Options) => {
      const { fromStep: step, rate, dryRun, resume, ...filter } = options;
      const isFilter = Object.keys(filter).length > 0;
      if ([id !== undefined, resume !== undefined, isFilter].filter(Boolean).length !== 1) {
        throw new Error(
          'Expected one of: the id of a message, a filter such as --interface and --state, or --resume; see hilum replay --help.',
        );
      }
      if (id !== undefined) {
        await replayOne(id);
      } else if (dryRun === true) {
        const answer = await askFor('POST', '/api/replays', { ...filter, step, dryRun });
        process.stdout.write(`${(answer as { total: number }).total}\n`);
      } else if (resume !== undefined) {
        const path = `/api/replays/${encodeURIComponent(resume)}/resume`;
        await follow((await askFor('POST', path)) as ReplayView);
      } else {
        const request = { ...filter, step, rate: Number(rate) };
        await follow((await askFor('POST', '/api/replays', request)) as ReplayView);
      }
    });
}

async function replayOne(id: string): Promise<void> {
  const answer = await ask('POST', `/api/messages/${encodeURIComponent(id)}/replay`);
  if (answer.status === 404) {
    process.stderr.write(`hilum: no message has the id or control id ${id}\n`);
    process.exitCode = 1;
    return;
  }
  if (answer.status >= 300) throw new Error(toReason(answer));
  process.stdout.write(`${(answer.body as { id: string }).id}\n`);
}

/** Shows how far it is until it ends. Ctrl-C stops it where it is. */
async function follow({ id }: ReplayView): Promise<void> {
  const path = `/api/replays/${id}`;
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  process.once('SIGINT', interrupt);
  process.stderr.write(`replay ${id}\n`);
  let run = (await askFor('GET', path)) as ReplayView;
  while (run.state === 'running') {
    if (process.stderr.isTTY) process.stderr.write(`\r${toProgress(run)}`);
    await wait(pollMs, undefined, { signal: interrupted.signal }).catch(() => undefined);
    const method = interrupted.signal.aborted ? 'DELETE' : 'GET';
    run = (await askFor(method, path)) as ReplayView;
  }
  process.removeListener('SIGINT', interrupt);
  if (process.stderr.isTTY) process.stderr.write('\n');
  process.stdout.write(`${toProgress(run)}\n`);
  if (run.state === 'stopped') {
    process.stderr.write(`hilum: stopped; go on with: hilum replay --resume ${id}\n`);
  }
  process.exitCode = run.state === 'done' && run.failed === 0 ? 0 : 1;
}

function toProgress({ total, replayed, failed, reasons }: ReplayView): string {
  const why = Object.entries(reasons).map(([code, count]) => `${count} ${code}`);
  const all = total === undefined ? '' : ` of ${total}`;
  return `${replayed}${all} replayed, ${failed} failed${why.length === 0 ? '' : `: ${why.join(', ')}`}`;
}
