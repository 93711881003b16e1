import type { Command } from 'commander';
import type { AlarmsView, AlarmTestView } from '../console/api/alarms.ts';
import { askFor, toTable } from './engine.ts';

/** `hilum alarm`: what stands and how its receiver does; `hilum alarm test`: whether it hears of it. */
export function registerAlarm(program: Command): void {
  const alarm = program
    .command('alarm')
    .description('Show the alarms that stand, and whether their receiver takes notifications.')
    .option('--json', 'the same as JSON')
    .action(async ({ json = false }: { readonly json?: boolean }) => {
      const found = (await askFor('GET', '/api/alarms')) as AlarmsView;
      process.stdout.write(json ? `${JSON.stringify(found, null, 2)}\n` : toText(found));
    });
  alarm
    .command('test')
    .description('Send a notification that says nothing but that it arrives, and show the answer.')
    .action(async () => {
      const { taken, message } = (await askFor('POST', '/api/alarms/test')) as AlarmTestView;
      if (!taken) throw new Error(`The receiver did not take the test. ${message}`);
      process.stdout.write(`The receiver has taken the test. ${message}\n`);
    });
}

function toText({ standing, receiver }: AlarmsView): string {
  const { to, pending, dropped, reason, since } = receiver;
  const lines = [
    standing.length === 0
      ? 'No alarm stands.'
      : toTable([['SINCE', 'ALARM'], ...standing.map((each) => [each.since, each.message])]),
    '',
    to === undefined
      ? 'Receiver: none (HILUM_ALARM_URL); alarms are in the log and in the metrics.'
      : `Receiver: ${to}, ${pending} notifications wait, ${dropped} given up.`,
    ...(reason === undefined ? [] : [`  It takes none since ${since ?? ''}: ${reason}`]),
  ];
  return `${lines.join('\n')}\n`;
}
