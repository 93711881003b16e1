import type { Command } from 'commander';
import type { StatusView } from '../console/api/views.ts';
import type { ProcessStatus } from '../console/api/control.ts';
import { askFor, toTable } from './engine.ts';

/** `hilum status`: what runs, listens and sends, what is wrong, and which alarms stand; code 1 where something is wrong. */
export function registerStatus(program: Command): void {
  program
    .command('status')
    .description('Show what runs, what is wrong and since when, and the alarms that stand.')
    .option('--json', 'the same as JSON')
    .action(async ({ json = false }: { readonly json?: boolean }) => {
      const status = (await askFor('GET', '/api/status')) as StatusView;
      process.stdout.write(json ? `${JSON.stringify(status, null, 2)}\n` : toText(status));
      if (!status.ready) process.exitCode = 1;
    });
}

function toText({ version, problems, alarms, broker, ...running }: StatusView): string {
  const { processes, listeners, senders } = running;
  const rows = [
    ...listeners.map(({ label, host, port, state, reason = '' }) => [
      `listener "${label}" on ${host}:${port}`,
      state,
      '',
      reason,
    ]),
    ...senders.map(({ label, target, state, since = '', reason = '' }) => [
      `sender "${label}" to ${target}`,
      state,
      since,
      reason,
    ]),
  ];
  const lines = [
    `Hilum ${version}, ${broker ?? 'unknown'} broker: ${problems.length === 0 ? 'ready' : 'not ready'}`,
    ...problems.map(
      ({ message, since }) => `  ${since === undefined ? '' : `since ${since}: `}${message}`,
    ),
    '',
    toTable([processHeader, ...processes.map(toProcessRow)]),
    '',
    toTable([['ENDPOINT', 'STATE', 'SINCE', 'WHY'], ...rows]),
    '',
    alarms.length === 0 ? 'No alarm stands.' : 'Alarms:',
    ...alarms.map(({ since, message }) => `  since ${since}: ${message}`),
  ];
  return `${lines.join('\n')}\n`;
}

const processHeader = [
  'PROCESS',
  'STATE',
  'SINCE',
  'MEMORY',
  'LOOP P99',
  'LOOP MAX',
  'BUSY',
  'RESTARTS',
  'LAST END',
];

function toProcessRow(process: ProcessStatus): readonly string[] {
  const { role, state, since = '', memoryMiB, memoryBoundMiB, eventLoop, restarts } = process;
  const { lastEnd, reason } = process;
  const bound = memoryBoundMiB === undefined ? '' : ` of ${memoryBoundMiB}`;
  return [
    role,
    state,
    since,
    memoryMiB === undefined ? '' : `${memoryMiB}${bound} MiB`,
    eventLoop === undefined ? '' : `${eventLoop.p99Ms} ms`,
    eventLoop === undefined ? '' : `${eventLoop.maxMs} ms`,
    eventLoop === undefined ? '' : `${Math.round(eventLoop.utilization * 100)} %`,
    restarts === undefined ? '' : String(restarts),
    lastEnd === undefined ? (reason ?? '') : `${lastEnd.at}: ${lastEnd.reason}`,
  ];
}
