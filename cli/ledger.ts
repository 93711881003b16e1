import type { Command } from 'commander';
import type { LedgerAddress } from '../connectors/postgres/address.ts';
import { readFilter } from '../console/api/message-filter.ts';
import { exportLedger } from '../runtime/ledger/export.ts';
import { openLogger } from '../runtime/log.ts';
import { readSettings, type Settings } from '../runtime/settings.ts';

/** `hilum ledger …`: the tables of the ledger, and moving, saving and taking out what is in it. */
export function registerLedger(program: Command): void {
  const ledger = program
    .command('ledger')
    .description('Look after the ledger: HILUM_LEDGER_URL, or the data file of HILUM_DATA.');
  ledger
    .command('migrate')
    .description("Bring the tables in PostgreSQL to this program's version, or to another one.")
    .option('--to <version>', 'this version: an older one loses what only the newer has')
    .option('--dry-run', 'only say what would be done')
    .action(migrateTables);
  ledger
    .command('prune')
    .description('Remove what is older than its retention now: the same as hilum retention run.')
    .option('--dry-run', 'only count what would go')
    .action(async ({ dryRun = false }: { readonly dryRun?: boolean }) => {
      const { runRetention } = await import('./retention.ts');
      await runRetention(dryRun);
    });
  ledger
    .command('export')
    .description(
      'Write messages with their bodies (base64) and events as JSON, one a line, the oldest first. They hold patient data.',
    )
    .option('--interface <id>', 'messages of this interface')
    .option('--queue <name>', 'messages that wait or waited in this queue')
    .option('--state <states>', 'in this state, or one of several with commas')
    .option('--type <type>', 'of this message type: ORU^R01^ORU_R01, or ORU* for all that begin so')
    .option('--control <id>', 'with this control id')
    .option('--key <key>', 'of this ordering key')
    .option('--from <instant>', 'received from this time on: 2026-01-31, 2026-01-31T08:00:00Z')
    .option('--to <instant>', 'received before this time')
    .option('--issue <code>', 'with a finding of this code')
    .action(exportMessages);
  ledger
    .command('backup')
    .description('Copy the data file of a running or stopped Hilum, all of one moment.')
    .argument('<file>', 'where to; it must not be there')
    .action(backUp);
  ledger
    .command('copy')
    .description('Copy the ledger of a stopped Hilum from its data file to PostgreSQL.')
    .requiredOption('--from <file>', 'the data file: HILUM_DATA/hilum.db')
    .requiredOption('--to <url>', 'postgres://…')
    .action(copy);
}

async function migrateTables(options: {
  readonly to?: string;
  readonly dryRun?: boolean;
}): Promise<void> {
  const { ledger: address } = readOrThrow();
  if (address === undefined) {
    throw new Error(
      'HILUM_LEDGER_URL was expected: the data file of the embedded ledger is brought up to date by the start.',
    );
  }
  const { to, dryRun: isDryRun = false } = options;
  if (to !== undefined && !/^\d{1,4}$/.test(to)) {
    throw new Error('--to: a version from 0 on was expected.');
  }
  const { migrate, readVersion } = await import('../connectors/postgres/migrate.ts');
  const { latestVersion } = await import('../connectors/postgres/schema.ts');
  const { openSession } = await import('../connectors/postgres/session.ts');
  const client = await openSession(address, { isPatient: true });
  try {
    const steps = await migrate(client, {
      isDryRun,
      ...(to === undefined ? {} : { to: Number(to) }),
    });
    for (const step of steps) {
      process.stdout.write(`${isDryRun ? 'would go' : 'went'} from ${step.from} to ${step.to}\n`);
    }
    if (steps.length > 0) return;
    const version = await readVersion(client);
    process.stdout.write(
      version > latestVersion
        ? `A newer Hilum has made the tables, of version ${version}; this one works with them.\n`
        : 'The tables are of that version already.\n',
    );
  } finally {
    await client.end();
  }
}

async function exportMessages(filter: Readonly<Record<string, string>>): Promise<void> {
  const settings = readOrThrow();
  const store =
    settings.ledger === undefined
      ? await openEmbedded(settings)
      : await openPostgresLedger(settings.ledger, settings);
  try {
    for await (const message of exportLedger(store.ledger, readFilter(filter))) {
      const isRoom = process.stdout.write(`${JSON.stringify(message)}\n`);
      if (!isRoom) await new Promise((resolve) => process.stdout.once('drain', resolve));
    }
  } finally {
    await store.close();
  }
}

async function openEmbedded(settings: Settings) {
  const { connectOwner } = await import('../connectors/sqlite/client.ts');
  const logger = openLogger(settings, 'cli');
  return connectOwner({ socket: settings.ownerSocket, logger, timeoutMs: 3_000 });
}

async function openPostgresLedger(address: LedgerAddress, settings: Settings) {
  const { openPostgres } = await import('../connectors/postgres/open.ts');
  return openPostgres({ address, logger: openLogger(settings, 'cli'), isStrict: true });
}

async function backUp(file: string): Promise<void> {
  const { ledger, databaseFile } = readOrThrow();
  if (ledger !== undefined) {
    throw new Error(
      'The ledger is in PostgreSQL: back it up with pg_dump --format=custom --schema=hilum, see docs/operate.md.',
    );
  }
  const { backUpFile } = await import('../connectors/sqlite/backup.ts');
  const bytes = backUpFile(databaseFile, file);
  process.stdout.write(`${file}: ${bytes} bytes\n`);
}

async function copy({ from, to }: { readonly from: string; readonly to: string }): Promise<void> {
  const { parseAddress } = await import('../connectors/postgres/address.ts');
  const parsed = parseAddress(to);
  if (!parsed.ok) throw new Error(`--to: ${parsed.problems.join('; ')}.`);
  const { copyFile } = await import('../runtime/ledger/copy-file.ts');
  const logger = openLogger({ logLevel: 'error' }, 'cli');
  let toldAtMs = performance.now();
  const done = await copyFile({
    file: from,
    address: parsed.address,
    logger,
    onProgress: ({ messages, found }) => {
      if (performance.now() - toldAtMs < 2_000) return;
      toldAtMs = performance.now();
      process.stderr.write(`${messages} messages, ${found} of them by an earlier run\n`);
    },
  });
  process.stdout.write(
    `${done.messages} messages and ${done.events} events are in PostgreSQL, ${done.found} of the messages from an earlier run.\n`,
  );
}

function readOrThrow(): Settings {
  const read = readSettings(process.env);
  if (!read.ok) throw new Error(read.problems.join(' '));
  return read.settings;
}
