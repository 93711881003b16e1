import { readFile } from 'node:fs/promises';
import { flushCompileCache } from 'node:module';
import path from 'node:path';
import type { Command } from 'commander';
import { prepareDataDirectory } from '../runtime/data-directory.ts';
import type { Installation } from '../runtime/installation.ts';
import { openLogger } from '../runtime/log.ts';
import { keepCompiledCode } from '../runtime/process/node-options.ts';
import {
  defaultMllpPort,
  packageDirectory,
  readSettings,
  type Settings,
} from '../runtime/settings.ts';

const patienceMs = 5_000;

/** `hilum start`: runs everything until Ctrl-C or SIGTERM. */
export function registerStart(program: Command): void {
  program
    .command('start')
    .description(
      'Run Hilum: console, editor, listeners, flows. Settings come from the environment.',
    )
    .option(
      '--role <role>',
      'all on one machine, or one in a container of its own: edge, worker, console',
    )
    .option('--group <name>', 'with --role worker: whose flows it runs (default "default")')
    .addHelpText(
      'after',
      `
Environment:
  HILUM_ROLE           as --role; a role of its own needs RABBITMQ_URL, HILUM_LEDGER_URL, HILUM_CREDENTIAL_SECRET
  HILUM_GROUP          as --group
  HILUM_CREDENTIAL_SECRET  what the flows' credentials are encrypted with (default one made at the first start)
  HILUM_DATA           folder of everything that must survive a restart (default ./data)
  HILUM_BIND           address to listen on (default 127.0.0.1)
  HILUM_PORT           console and editor (default 1880)
  HILUM_MLLP_PORT      where the lab results flow listens (default 2575)
  HILUM_DEMO           on or off: the demo EHR and the demo receiver (default on)
  HILUM_EHR_PORT       the demo EHR (default 8103)
  HILUM_EHR_URL        the FHIR server that lab results go to (default the demo EHR)
  HILUM_RECEIVER_PORT  the demo MLLP receiver (default 2576)
  RABBITMQ_URL         amqp://… : RabbitMQ instead of the embedded broker
  HILUM_LEDGER_URL     postgres://… : PostgreSQL for the ledger instead of the data file; with RABBITMQ_URL
  HILUM_BROKER_AWAY    refuse or spool: what comes while RabbitMQ is away (default refuse)
  HILUM_SPOOL_MIB      what each process keeps for the ledger while that is away (default 1024)
  HILUM_LOG            debug, info, warn, error or silent (default info)
  HILUM_FLOWS          folder of the flow files (default HILUM_DATA/flows)
  HILUM_MAPPINGS       folder of the mappings (default the shipped ones)
  HILUM_ALLOW_NODES    types of other nodes that flows may use, joined by commas (default none)
  HILUM_RETENTION_DAYS days that messages are kept, HILUM_RETENTION_DEAD_DAYS dead letters (default 90, 365; off)
  HILUM_RETENTION_MAX_SIZE  the data file at most, such as 20GB (default none)
  HILUM_ALARM_URL      http(s)://… that is told when an alarm starts and when it ends (default none)
  HILUM_ALARM_TOKEN_FILE  file whose first line is its bearer token (or HILUM_ALARM_TOKEN, the token itself)
  HILUM_ALARM_BACKLOG  messages that wait in a queue, HILUM_ALARM_DEAD dead letters (default 1000, 1; off)
  HILUM_ALARM_OLDEST   how long one waits, HILUM_ALARM_SILENCE nothing is received (default 15m, off)
  HILUM_ALARM_EVERY    how often this is looked at (default 10s)
`,
    )
    .action(start);
}

async function start(options: { readonly role?: string; readonly group?: string }): Promise<void> {
  const read = readSettings({
    ...process.env,
    ...(options.role === undefined ? {} : { HILUM_ROLE: options.role }),
    ...(options.group === undefined ? {} : { HILUM_GROUP: options.group }),
  });
  if (!read.ok) {
    for (const problem of read.problems) process.stderr.write(`hilum: ${problem}\n`);
    process.exitCode = 2;
    return;
  }
  // Whatever any of its processes writes is for this user alone.
  process.umask(0o077);
  const { settings } = read;
  const hilum = await load(settings).catch(refuse);
  const stopping = stopOnSignal(hilum);
  const patience = setInterval(() => {
    process.stdout.write(`Hilum is still starting: ${whatIsMissing(hilum, settings)}.\n`);
  }, patienceMs);
  try {
    await hilum.start();
  } catch (error) {
    if (stopping.asked) return;
    refuse(error);
  } finally {
    clearInterval(patience);
  }
  await printBanner(hilum, settings);
  flushCompileCache();
}

/** The data folder first: the compiled code of everything else is kept there. */
async function load(settings: Settings): Promise<Installation> {
  await prepareDataDirectory(settings);
  keepCompiledCode(settings);
  const options = {
    settings,
    logger: openLogger(settings, 'supervisor'),
    version: await readVersion(),
  };
  switch (settings.role) {
    case 'all':
      return new (await import('../runtime/hilum.ts')).Hilum(options);
    case 'console':
      return new (await import('../runtime/cluster/console-station.ts')).ConsoleStation(options);
    case 'edge':
    case 'worker':
      return new (await import('../runtime/cluster/station.ts')).Station(options);
  }
}

function refuse(error: unknown): never {
  process.stderr.write(`hilum: cannot start: ${toWords(error)}\n`);
  process.exit(1);
}

/** What a role that runs apart waits for before anything of it runs. */
const isAwaited: ReadonlySet<string> = new Set(['nothing-deployed', 'ledger-unavailable']);

/** What a start that takes long waits for. */
function whatIsMissing(hilum: Installation, { rabbitmqUrl }: Settings): string {
  const awaited = hilum.problems().find(({ code }) => isAwaited.has(code));
  if (awaited !== undefined) return awaited.message.replace(/\.$/, '');
  const { processes } = hilum.status();
  const waiting = processes.filter(({ state }) => state !== 'running').map(({ role }) => role);
  if (waiting.length > 0) return `waiting for ${waiting.join(', ')}`;
  if (rabbitmqUrl === undefined) return 'waiting for the data folder';
  const hosts = rabbitmqUrl.split(',').map((each) => new URL(each).host);
  return `waiting for RabbitMQ at ${hosts.join(', ')}; check that it runs and RABBITMQ_URL`;
}

/** The first signal stops cleanly, a second one at once. */
function stopOnSignal(hilum: Installation): { asked: boolean } {
  const state = { asked: false };
  const onSignal = (): void => {
    if (state.asked) process.exit(1);
    state.asked = true;
    process.stdout.write('\nHilum is stopping: what is under way is finished first.\n');
    hilum.stop().then(
      () => {
        process.stdout.write('Hilum has stopped.\n');
        process.exit(0);
      },
      (error: unknown) => {
        process.stderr.write(`hilum: did not stop cleanly: ${toWords(error)}\n`);
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return state;
}

function describeAddress({ url }: Installation, { role, group }: Settings): readonly string[] {
  return role === 'all' || role === 'console'
    ? [`  Console    ${url}/`, `  Editor     ${url}/editor/`]
    : [
        `  Role       ${role}${role === 'worker' ? `, group ${group}` : ''}; health and metrics at ${url}/`,
      ];
}

async function printBanner(hilum: Installation, settings: Settings): Promise<void> {
  const { broker, listeners, senders, processes } = hilum.status();
  const lines = [
    'Hilum is running.',
    ...describeAddress(hilum, settings),
    ...(settings.role === 'worker' ? [] : listeners).map(({ label, host, port, state, reason }) =>
      state === 'failed'
        ? `  Listener   ${label}: ${reason ?? 'failed'}`
        : `  Listener   ${label}: MLLP on ${host}:${port}`,
    ),
    ...(settings.role === 'worker' ? [] : senders).map(
      ({ label, target }) => `  Sender     ${label}: to ${target}`,
    ),
    ...processes
      .filter(({ state }) => state !== 'running')
      .map(({ role, reason }) => `  Not running: ${role}: ${reason ?? 'still starting'}`),
    `  Broker     ${broker === 'rabbitmq' ? 'RabbitMQ' : 'embedded'}`,
    `  Data       ${settings.dataDirectory}`,
    ...(settings.demo && settings.role === 'all'
      ? [
          '  Demo partners, for trying things out, never for patient data (HILUM_DEMO=off turns them off):',
          `    EHR      http://127.0.0.1:${settings.ehrPort}/fhir/R4, in memory`,
          `    Receiver MLLP on 127.0.0.1:${settings.receiverPort}, answers AA`,
        ]
      : []),
  ];
  const link = await hilum.setupLink();
  if (link !== undefined) {
    lines.push(
      '',
      'There is no administrator yet. Make one here (the link works once):',
      `  ${link}`,
    );
  }
  lines.push(
    '',
    ...(settings.role === 'all'
      ? [`Send a first message:  npm run hilum -- send ${toPort(settings)}samples/oru-r01.hl7`]
      : []),
    'Stop with Ctrl-C.',
  );
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** In another terminal nobody has set the port that this process was told. */
const toPort = ({ mllpPort }: Settings): string =>
  mllpPort === defaultMllpPort ? '' : `--port ${mllpPort} `;

async function readVersion(): Promise<string> {
  const text = await readFile(path.join(packageDirectory, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

function toWords(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
