import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { openMllpClient } from '../connectors/mllp/client.ts';
import type { TlsClient } from '../connectors/mllp/tls-client.ts';
import type { ListenerStatus } from '../console/api/control.ts';
import type { InterfaceView } from '../console/api/interfaces.ts';
import type { MessageView, StepView, TraceView } from '../console/api/views.ts';
import { toLine } from '../core/errors.ts';
import { readAcknowledgment } from '../core/hl7v2/acknowledgment.ts';
import { decodeMessage, encodeMessage } from '../core/hl7v2/charset.ts';
import { parseMessage } from '../core/hl7v2/parse.ts';
import type { MessageState } from '../core/ports/ledger.ts';
import { packageDirectory } from '../runtime/settings.ts';
import { ask, askFor } from './engine.ts';
import { stderrLogger } from './stderr-logger.ts';
import { toTlsClient, type ClientTlsOptions } from './tls-options.ts';

interface Given extends ClientTlsOptions {
  readonly listener?: string;
  readonly timeout: string;
}

/** What became of the message: {@link testInterface}. */
const exitCodes = { well: 0, badly: 1, unfinished: 3 } as const;

const everyMs = 250;
const answerWithinMs = 20_000;
const sample = path.join(packageDirectory, 'samples', 'oru-r01.hl7');

/** Nothing more comes of a message in one of these. */
const ends: Readonly<Partial<Record<MessageState, 'well' | 'badly'>>> = {
  processed: 'well',
  delivered: 'well',
  refused: 'badly',
  'dead-lettered': 'badly',
  withdrawn: 'badly',
};

/**
 * Sends the message of a file through a listener under a control id of its own, and prints every step of it and of what
 * is made from it, as the ledger tells them. Sets the exit code: 0 where all of them ended well, 1 where one did not, 3
 * where they had no end in time. Throws with words for people where it cannot be sent.
 */
export async function testInterface(
  wanted: string,
  file: string | undefined,
  { listener: name, timeout, ...given }: Given,
): Promise<void> {
  const timeoutMs = Number(timeout) * 1000;
  if (!(timeoutMs > 0)) throw new Error('--timeout: expected seconds above 0.');
  const view = (await askFor(
    'GET',
    `/api/interfaces/${encodeURIComponent(wanted)}`,
  )) as InterfaceView;
  const listener = choose(view, name);
  const controlId = `TEST${randomBytes(6).toString('hex').toUpperCase()}`;
  const message = await readMessage(file ?? sample, controlId);
  const startedMs = performance.now();
  const over = listener.isTls ? ' over TLS' : '';
  print(`${controlId} to "${listener.label}" on ${listener.host}:${listener.port}${over}`);
  const tls = listener.isTls ? toTlsClient({ ...given, tls: true }, stderrLogger) : undefined;
  const answer = await send(listener, { message, tls });
  const { code = '??', issues } = readAcknowledgment(answer);
  print(`+${Math.round(performance.now() - startedMs)} ms answered ${code}`);
  for (const { message: words } of issues) print(`  ${words}`);
  const deadlineMs = performance.now() + timeoutMs;
  const result = await follow(controlId, deadlineMs);
  const isTaken = code === 'AA' || code === 'CA';
  print(
    {
      well: isTaken ? 'It went through.' : 'It was not acknowledged with AA or CA.',
      badly: 'It did not go through.',
      unfinished: `It had no end within ${timeout} s: hilum trace ${controlId}`,
    }[result],
  );
  process.exitCode = result === 'well' && !isTaken ? exitCodes.badly : exitCodes[result];
}

function choose({ label, state, reason, listeners }: InterfaceView, name?: string): ListenerStatus {
  if (state === 'stopped' || state === 'disabled') {
    throw new Error(`The interface "${label}" is ${state}. ${reason ?? ''}`.trim());
  }
  const fitting = listeners.filter(
    (each) => name === undefined || [each.id, each.label].includes(name),
  );
  const [only] = fitting;
  if (only !== undefined && fitting.length === 1) return only;
  const names = listeners.map((each) => `"${each.label}"`).join(', ') || 'none';
  throw new Error(
    only === undefined
      ? `Expected a listener of "${label}"${name === undefined ? '' : ` that is called "${name}"`}; it has: ${names}.`
      : `"${label}" has several listeners, say one with --listener: ${names}.`,
  );
}

/** The message under another control id (MSH-10), so that it is no repetition of an earlier one. */
async function readMessage(file: string, controlId: string): Promise<Uint8Array> {
  const { text, charset } = decodeMessage(await readFile(file));
  const parsed = parseMessage(text);
  if (!parsed.ok) {
    throw new Error(`${file}: ${parsed.issues.map((issue) => issue.message).join(' ')}`);
  }
  return encodeMessage(parsed.message.set('MSH-10', controlId).text, charset);
}

async function send(
  listener: ListenerStatus,
  { message, tls }: { readonly message: Uint8Array; readonly tls: TlsClient | undefined },
): Promise<Uint8Array> {
  const host = ['0.0.0.0', '::'].includes(listener.host) ? '127.0.0.1' : listener.host;
  const to = { host, port: listener.port, timeoutMs: answerWithinMs };
  const client = await openMllpClient(tls === undefined ? to : { ...to, tls });
  try {
    return await client.send(message);
  } finally {
    client.close();
  }
}

/** Prints the steps as they come, until all messages have ended or the time is over. */
async function follow(
  controlId: string,
  deadlineMs: number,
): Promise<'well' | 'badly' | 'unfinished'> {
  let printed = 0;
  let quiet = false;
  for (;;) {
    const { status, body } = await ask('GET', `/api/messages/${controlId}`);
    const { messages, steps } = status === 200 ? (body as TraceView) : { messages: [], steps: [] };
    for (const step of steps.slice(printed)) printStep(step, messages);
    const isNew = steps.length > printed;
    printed = Math.max(printed, steps.length);
    const results = messages.map(({ state }) => ends[state]);
    const isOver = messages.length > 0 && results.every((result) => result !== undefined);
    // What its flow has handed on may be told of a moment after it was processed.
    if (isOver && quiet && !isNew) return results.includes('badly') ? 'badly' : 'well';
    quiet = isOver && !isNew;
    if (performance.now() > deadlineMs) return 'unfinished';
    await wait(everyMs);
  }
}

function printStep(step: StepView, messages: readonly MessageView[]): void {
  const number = messages.findIndex(({ id }) => id === step.messageId) + 1;
  const where = [step.summary, step.queue].filter((part) => part !== undefined).join(', ');
  print(`+${step.sinceReceivedMs} ms #${number} ${step.kind} ${where}`.trimEnd());
  for (const issue of step.issues ?? []) print(`  ${issue.severity} ${toLine(issue)}`);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
