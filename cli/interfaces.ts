import type { Command } from 'commander';
import type { InterfaceStatus } from '../console/api/control.ts';
import type { InterfaceView } from '../console/api/interfaces.ts';
import { askFor, toTable } from './engine.ts';
import { testInterface } from './interface-test.ts';
import { addClientTlsOptions } from './tls-options.ts';

/** `hilum interfaces …`: which flows run, and what an operator may do about one of them. */
export function registerInterfaces(program: Command): void {
  const interfaces = program
    .command('interfaces')
    .description(
      'Show the interfaces of the running engine: state, listeners, senders, what waits.',
    )
    .option('--json', 'the same as JSON')
    .action(listInterfaces);
  interfaces
    .command('list')
    .description('Show the interfaces; the same as without a command.')
    .option('--json', 'the same as JSON')
    .action((_: object, command: Command) => listInterfaces(command.optsWithGlobals()));
  interfaces
    .command('stop')
    .description(
      'Close the listeners of an interface, and let its flow and its senders take nothing more, also after a restart.',
    )
    .argument('<interface>', 'its id or its name as hilum interfaces list shows them')
    .option('--reason <text>', 'why, for whoever asks; without patient data')
    .action((wanted: string, { reason }: { readonly reason?: string }) =>
      change(wanted, 'stop', reason),
    );
  interfaces
    .command('start')
    .description('Let a stopped interface run again, also one that was stopped by its crashes.')
    .argument('<interface>', 'its id or its name as hilum interfaces list shows them')
    .action((wanted: string) => change(wanted, 'start'));
  const test = interfaces
    .command('test')
    .description(
      'Send a message through a listener of an interface, and follow it step by step until its end. ' +
        'Exit code 0: it went through; 1: it was refused or given up; 2: it could not be sent; 3: it had no end in time.',
    )
    .argument('<interface>', 'its id or its name as hilum interfaces list shows them')
    .argument('[file]', 'an HL7 v2 message; default: a shipped lab result of nobody')
    .option('--listener <name>', 'which of several listeners: its name or its id')
    .option('--timeout <seconds>', 'how long to follow it', '30');
  addClientTlsOptions(test).action(testInterface);
}

async function listInterfaces({ json = false }: { readonly json?: boolean }): Promise<void> {
  const found = (await askFor('GET', '/api/interfaces')) as readonly InterfaceView[];
  const text = json ? JSON.stringify(found, null, 2) : toText(found);
  process.stdout.write(`${text}\n`);
}

async function change(wanted: string, verb: 'stop' | 'start', reason?: string): Promise<void> {
  const path = `/api/interfaces/${encodeURIComponent(wanted)}/${verb}`;
  const body = reason === undefined ? {} : { reason };
  const { id, label, state = '' } = (await askFor('POST', path, body)) as InterfaceStatus;
  process.stdout.write(`${label} (${id}): ${state}\n`);
}

function toText(interfaces: readonly InterfaceView[]): string {
  const header = [
    'INTERFACE',
    'ID',
    'STATE',
    'GROUP',
    'WAITING',
    'DEAD',
    'LAST MESSAGE',
    'ENDPOINTS',
  ];
  const rows = interfaces.map((each) => [
    each.label,
    each.id,
    each.state ?? '',
    each.group ?? '',
    String(each.waiting),
    String(each.dead),
    each.lastMessageAt ?? '-',
    toEndpoints(each),
  ]);
  const reasons = interfaces.flatMap(({ label, since = '', reason }) =>
    reason === undefined ? [] : [`${label}, since ${since}: ${reason}`],
  );
  return [toTable([header, ...rows]), ...(reasons.length === 0 ? [] : ['', ...reasons])].join('\n');
}

function toEndpoints({ listeners, senders }: InterfaceView): string {
  return [
    ...listeners.map(({ host, port, state }) => `${host}:${port} ${state}`),
    ...senders.map(({ target, state }) => `to ${target} ${state}`),
  ].join(', ');
}
