import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';

/** Each command in a file of its own, loaded only when it is called: `hilum get` must not load Node-RED. */
const commands = {
  start: async (program: Command) => (await import('./start.ts')).registerStart(program),
  send: async (program: Command) => (await import('./send.ts')).registerSend(program),
  listen: async (program: Command) => (await import('./listen.ts')).registerListen(program),
  parse: async (program: Command) => (await import('./parse.ts')).registerParse(program),
  get: async (program: Command) => (await import('./get.ts')).registerGet(program),
  set: async (program: Command) => (await import('./set.ts')).registerSet(program),
  validate: async (program: Command) => (await import('./validate.ts')).registerValidate(program),
  ack: async (program: Command) => (await import('./ack.ts')).registerAck(program),
  profile: async (program: Command) => (await import('./profile.ts')).registerProfile(program),
  map: async (program: Command) => (await import('./map.ts')).registerMap(program),
  mapping: async (program: Command) => (await import('./mapping.ts')).registerMapping(program),
  deploy: async (program: Command) => (await import('./deploy.ts')).registerDeploy(program),
  status: async (program: Command) => (await import('./status.ts')).registerStatus(program),
  interfaces: async (program: Command) =>
    (await import('./interfaces.ts')).registerInterfaces(program),
  queues: async (program: Command) => (await import('./queues.ts')).registerQueues(program),
  trace: async (program: Command) => (await import('./trace.ts')).registerTrace(program),
  replay: async (program: Command) => (await import('./replay.ts')).registerReplay(program),
  alarm: async (program: Command) => (await import('./alarm.ts')).registerAlarm(program),
  retention: async (program: Command) =>
    (await import('./retention.ts')).registerRetention(program),
  ledger: async (program: Command) => (await import('./ledger.ts')).registerLedger(program),
};

async function main(args: readonly string[]): Promise<void> {
  const program = new Command('hilum')
    .description('Integration engine for healthcare messaging.')
    .version(readVersion(), '--version', 'print the version of Hilum')
    .exitOverride()
    // `hilum validate --version 2.5.1` is about the message, not about Hilum.
    .enablePositionalOptions()
    .configureHelp({ sortSubcommands: false });
  const named = Object.entries(commands).find(([name]) => name === args[0]);
  const wanted = named === undefined ? Object.values(commands) : [named[1]];
  for (const register of wanted) await register(program);
  for (const command of program.commands) {
    command.exitOverride();
    for (const inner of command.commands) inner.exitOverride();
  }
  await program.parseAsync(args, { from: 'user' });
}

function readVersion(): string {
  const file = join(import.meta.dirname, '..', 'package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }).version;
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (error instanceof CommanderError) {
    // Help and version end well; everything else that commander refuses is a usage error.
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    process.stderr.write(`hilum: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  }
}
