import type { Command } from 'commander';
import type {
  RetentionDryRunView,
  RetentionRunView,
  RetentionView,
} from '../console/api/retention.ts';
import { askFor, toTable } from './engine.ts';

/** `hilum retention …`: how long what is kept, how large the file is, and removing what is old. */
export function registerRetention(program: Command): void {
  const retention = program
    .command('retention')
    .description('Show how long messages are kept, the size of the data file and the last run.')
    .option('--json', 'the same as JSON')
    .action(async ({ json = false }: { readonly json?: boolean }) => {
      const found = (await askFor('GET', '/api/retention')) as RetentionView;
      process.stdout.write(json ? `${JSON.stringify(found, null, 2)}\n` : toText(found));
    });
  retention
    .command('run')
    .description('Remove what is old now, and give the room back to the disk.')
    .option('--dry-run', 'only count what would go')
    .action(({ dryRun = false }: { readonly dryRun?: boolean }) => runRetention(dryRun));
}

/** Asks the running Hilum to remove what is old, or what that would be, and says what it did. */
export async function runRetention(isDryRun: boolean): Promise<void> {
  const answer = await askFor('POST', '/api/retention/run', { dryRun: isDryRun });
  if (isDryRun) {
    const { messages, bytes, kept } = answer as RetentionDryRunView;
    process.stdout.write(
      `${messages} messages of ${toSize(bytes)} would go; ${kept} are old and stay, since something of them waits.\n`,
    );
    return;
  }
  const run = answer as RetentionRunView;
  if (run.failed !== undefined) throw new Error(run.failed);
  process.stdout.write(`${describe(run)}\n`);
}

function toText({ policies, maxFileBytes, storage, running, last }: RetentionView): string {
  const { fileBytes, freeBytes, canGiveBack, oldestAt, pruned } = storage;
  const days = (given: number | null): string => (given === null ? 'for ever' : `${given} days`);
  const rows = policies.map((policy) => [
    policy.interfaceLabel ?? policy.interface ?? '(all others)',
    days(policy.days),
    days(policy.deadDays),
  ]);
  const lines = [
    toTable([['INTERFACE', 'KEPT', 'DEAD LETTERS'], ...rows]),
    '',
    `Data file: ${toSize(fileBytes)}, of which ${toSize(freeBytes)} free; at most ${maxFileBytes === null ? 'any size' : toSize(maxFileBytes)}`,
    ...(canGiveBack
      ? []
      : ['  It cannot give free room back while Hilum runs: see docs/operate.md, Retention.']),
    `Oldest message: ${oldestAt ?? 'none'}`,
    `Removed since the file was made: ${pruned.messages} messages, ${toSize(pruned.bytes)}`,
    running === undefined ? '' : `Running: ${describe(running)}`,
    last === undefined ? 'No run since Hilum started.' : `Last run: ${describe(last)}`,
  ];
  return `${lines.filter((line) => line !== '').join('\n')}\n`;
}

function describe(run: RetentionRunView): string {
  const early =
    run.earlyBefore === undefined ? '' : `; for its size all before ${run.earlyBefore} went early`;
  const failed = run.failed === undefined ? '' : `; failed: ${run.failed}`;
  return `from ${run.startedAt}: ${run.removed} messages of ${toSize(run.bytes)} removed, ${run.kept} old ones kept since something of them waits, ${toSize(run.givenBackBytes)} given back to the disk${early}${failed}`;
}

function toSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit] ?? ''}`;
}
