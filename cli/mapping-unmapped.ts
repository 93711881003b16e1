import type { Command } from 'commander';
import type { UnmappedDecision, UnmappedView } from '../console/api/unmapped.ts';
import { askFor, toTable } from './engine.ts';

/** `hilum mapping unmapped` and `hilum mapping release`: the codes for which messages are held. */
export function registerMappingUnmapped(mapping: Command): void {
  mapping
    .command('unmapped')
    .description(
      'Show the codes that no table has and for which messages are held, and where to add them. They may hold patient data.',
    )
    .option('--json', 'the same as JSON')
    .action(async ({ json = false }: { readonly json?: boolean }) => {
      const found = (await askFor('GET', '/api/mapping/unmapped')) as readonly UnmappedView[];
      process.stdout.write(json ? `${JSON.stringify(found, null, 2)}\n` : toText(found));
    });
  mapping
    .command('release')
    .description('Decide about the messages that are held for a code, without mapping it.')
    .argument('<id>', 'of the code, as hilum mapping unmapped shows it')
    .argument('<decision>', 'again: try them once more; skip: make them dead letters')
    .option('--yes', 'with skip: do it; without this it is only refused')
    .option('--reason <text>', 'why, for the ledger; without patient data')
    .action(release);
}

async function release(
  id: string,
  decision: string,
  { yes = false, reason }: { readonly yes?: boolean; readonly reason?: string },
): Promise<void> {
  if (decision !== 'again' && decision !== 'skip') {
    throw new Error('The decision: again or skip was expected.');
  }
  if (decision === 'skip' && !yes) {
    throw new Error('This makes dead letters of the messages; say --yes to do it.');
  }
  const path = `/api/mapping/unmapped/${encodeURIComponent(id)}/${decision satisfies UnmappedDecision}`;
  const done = (await askFor('POST', path, reason === undefined ? {} : { reason })) as {
    readonly messages: number;
  };
  process.stdout.write(`${decision}: ${done.messages} messages, some at a time\n`);
}

function toText(found: readonly UnmappedView[]): string {
  if (found.length === 0) return 'No message is held for a code.\n';
  const rows = [
    ['ID', 'CODE', 'NAME', 'TABLE', 'AT', 'INTERFACE', 'MESSAGES', 'WAITING', 'SINCE', 'LAST'],
    ...found.map((each) => [
      each.id,
      each.system === undefined ? (each.code ?? '') : `${each.system}|${each.code ?? ''}`,
      each.display ?? '',
      each.table,
      each.sources.join(' '),
      each.interfaceLabel ?? each.interface,
      String(each.messages),
      String(each.waiting ?? `${each.messages}+`),
      each.firstAt,
      each.lastAt,
    ]),
  ];
  return [toTable(rows), ...found.map(toAdvice), ''].join('\n');
}

function toAdvice(item: UnmappedView): string {
  const { id, rules, examples, isMapped, add, decided, silentSince } = item;
  const lines = [`${id}: ${rules.join(', ')}; for example hilum trace ${examples[0] ?? ''}`];
  if (decided !== undefined) {
    const reason = decided.reason === undefined ? '' : `: ${decided.reason}`;
    const what = `${decided.decision}, by ${decided.by}, ${decided.at}${reason}`;
    lines.push(`  Decided: ${what}; ${decided.left} messages are left.`);
  }
  if (silentSince !== undefined) {
    lines.push(`  Its flow has not taken what went on since ${silentSince}: does its worker run?`);
  }
  if (isMapped) lines.push('  It is mapped by now: the messages go on, some at a time.');
  else if (add !== undefined) {
    const head = add.head === undefined ? [] : [`    ${add.head}`];
    const file = add.head === undefined ? add.file : `${add.file}, a new file`;
    lines.push(`  Add to ${file}, then hilum deploy:`, ...head, `    ${add.row}`);
  }
  return ['', ...lines].join('\n');
}
