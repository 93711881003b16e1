import type { Command } from 'commander';
import type { ChangesView } from '../console/api/changes.ts';
import type { StepView, TraceView } from '../console/api/views.ts';
import { toLine } from '../core/errors.ts';
import { ask, askFor, toReason, toTable } from './engine.ts';
import { toChangesText } from './trace-changes.ts';

interface Given {
  readonly json?: boolean;
  readonly payloads?: boolean;
}

/** `hilum trace ID [--payloads] [--json]`: what befell a message, step by step. */
export function registerTrace(program: Command): void {
  program
    .command('trace')
    .description('Show what happened to a message and to all that was made from it, with times.')
    .argument('<id>', 'control id (the newest message with it) or message id')
    .option('--json', 'the same as JSON')
    .option(
      '--payloads',
      'also what changed from node to node and from message to message: patient data',
    )
    .action(async (id: string, { json = false, payloads = false }: Given) => {
      const answer = await ask('GET', `/api/messages/${encodeURIComponent(id)}`);
      if (answer.status === 404) {
        process.stderr.write(`hilum: no message has the id or control id ${id}\n`);
        process.exitCode = 1;
        return;
      }
      if (answer.status !== 200) throw new Error(toReason(answer));
      const trace = answer.body as TraceView;
      const path = `/api/messages/${encodeURIComponent(trace.id)}/changes`;
      const changes = payloads ? ((await askFor('GET', path)) as ChangesView) : undefined;
      const text = json
        ? `${JSON.stringify({ ...trace, ...(changes === undefined ? {} : { changes: changes.steps, nodeChanges: changes.nodes }) }, null, 2)}\n`
        : toText(trace) + (changes === undefined ? '' : toChangesText(trace, changes));
      process.stdout.write(text);
    });
}

function toText({ messages, steps }: TraceView): string {
  const names = new Map(messages.map(({ id }, index) => [id, String(index + 1)]));
  const list = messages.map((message) => [
    `#${names.get(message.id) ?? ''}`,
    message.id,
    message.messageType ?? message.contentType,
    message.controlId ?? '',
    message.state,
    message.causationId === undefined ? '' : `from #${names.get(message.causationId) ?? '?'}`,
  ]);
  const rows = steps.flatMap((step) => [
    [
      step.at,
      `+${step.sinceReceivedMs} ms`,
      `#${names.get(step.messageId) ?? ''}`,
      step.kind,
      describe(step),
    ],
    ...(step.issues ?? []).map((issue) => ['', '', '', '', `  ${issue.severity} ${toLine(issue)}`]),
  ]);
  return `${toTable(list)}\n\n${toTable(rows)}\n`;
}

function describe({ summary, queue, attempt }: StepView): string {
  const parts = [
    summary,
    queue !== undefined && queue !== summary ? `queue ${queue}` : undefined,
    attempt !== undefined && attempt > 1 ? `attempt ${attempt}` : undefined,
  ];
  return parts.filter((part) => part !== undefined).join(', ');
}
