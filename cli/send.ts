import { readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { openMllpClient } from '../connectors/mllp/client.ts';
import type { MllpClient } from '../connectors/mllp/client.ts';
import { findFailure } from '../core/errors.ts';
import { readAcknowledgment } from '../core/hl7v2/acknowledgment.ts';
import { decodeMessage, encodeMessage } from '../core/hl7v2/charset.ts';
import { readHeader } from '../core/hl7v2/header.ts';
import { parseMessage } from '../core/hl7v2/parse.ts';
import { splitBytes } from '../core/hl7v2/split.ts';
import { defaultMllpPort } from '../runtime/settings.ts';
import { complain, stderrLogger } from './stderr-logger.ts';
import { addClientTlsOptions, toTlsClient, type ClientTlsOptions } from './tls-options.ts';

interface Options extends ClientTlsOptions {
  readonly host: string;
  readonly port: number;
  readonly connections: number;
  readonly count: number;
  readonly rate?: number;
  readonly timeoutMs: number;
}

/** A message to be sent, made when its turn comes. */
interface Item {
  readonly bytes: Uint8Array;
  readonly controlId: string;
}

interface Tally {
  positive: number;
  negative: number;
  /** Not sent or not answered. */
  failed: number;
  readonly durationsMs: number[];
}

/** `hilum send FILE…`: sends every message of the files over MLLP and prints how each was answered. */
export function registerSend(program: Command): void {
  const command = program
    .command('send')
    .description(
      'Send HL7 v2 messages over MLLP; prints each answer, its control id and how long it took.',
    )
    .argument('<file...>', 'files with one or more messages, sent as they are')
    .option('--host <host>', 'the receiver', '127.0.0.1')
    .option('--port <port>', 'its port (default: HILUM_MLLP_PORT, or 2575)', toPort)
    .option('--connections <n>', 'share the messages out over so many connections', toCount, 1)
    .option(
      '--count <n>',
      'send every message so often; repeats get control ids of their own',
      toCount,
      1,
    )
    .option('--rate <n>', 'at most so many messages a second, over all connections', toRate)
    .option('--timeout-ms <n>', 'wait so long for each answer', toCount, 30_000);
  addClientTlsOptions(command).action(
    async (files: string[], options: Omit<Options, 'port'> & { port?: number }) => {
      const port = options.port ?? readDefaultPort();
      process.exitCode = await send(files, { ...options, port });
    },
  );
}

/** The exit code: 0 when all answers are positive, 1 when one is not, 2 when something was not read, sent or answered. */
async function send(files: readonly string[], options: Options): Promise<number> {
  const { messages, isUnread } = await readMessages(files);
  if (messages.length === 0) return isUnread ? 2 : 1;
  const tls = toTlsClient(options, stderrLogger);
  const { host, port, timeoutMs } = options;
  const connect = (): Promise<MllpClient> =>
    openMllpClient({ host, port, timeoutMs, ...(tls === undefined ? {} : { tls }) });
  const tally: Tally = { positive: 0, negative: 0, failed: 0, durationsMs: [] };
  const next = takeTurns(messages, options);
  let clients: readonly MllpClient[];
  try {
    clients = await Promise.all(Array.from({ length: options.connections }, connect));
  } catch (error) {
    complain(`${toReason(error)} Hilum itself is started with: npm start`);
    return 2;
  }
  const startedAt = performance.now();
  await Promise.all(
    clients.map((client, index) => sendShare(client, { next: next(index), connect, tally })),
  );
  console.log(toSummary(tally, performance.now() - startedAt));
  if (isUnread || tally.failed > 0) return 2;
  return tally.negative > 0 ? 1 : 0;
}

async function readMessages(
  files: readonly string[],
): Promise<{ readonly messages: readonly Uint8Array[]; readonly isUnread: boolean }> {
  const messages: Uint8Array[] = [];
  let isUnread = false;
  for (const file of files) {
    let bytes: Buffer;
    try {
      bytes = await readFile(file);
    } catch (error) {
      isUnread = true;
      complain(`${file}: cannot be read: ${toReason(error)}`);
      continue;
    }
    const { pieces, issues } = splitBytes(bytes);
    const found = pieces.filter(({ kind }) => kind === 'message');
    for (const issue of issues) complain(`${file}: ${issue.message}`);
    if (found.length === 0)
      complain(`${file}: expected HL7 v2 messages that start with MSH, found none`);
    messages.push(...found.map((piece) => withoutFraming(piece.bytes)));
  }
  return { messages, isUnread };
}

/** A file may hold messages as they were captured, in their MLLP frames. */
function withoutFraming(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0x1c);
  return bytes.subarray(bytes[0] === 0x0b ? 1 : 0, end === -1 ? undefined : end);
}

/**
 * Deals the messages out: connection 0 of 4 has the first, the fifth and so on, and sends them in that
 * order, each when it is due. The first round goes out byte for byte.
 */
function takeTurns(messages: readonly Uint8Array[], { connections, count, rate }: Options) {
  const startedAt = performance.now();
  // Unique from run to run too: a receiver may recognise repeated control ids.
  const run = `${Date.now().toString(36)}${Math.floor(Math.random() * 1296).toString(36)}`;
  return async function* (connection: number): AsyncGenerator<Item> {
    const total = messages.length * count;
    for (let turn = connection; turn < total; turn += connections) {
      const original = messages[turn % messages.length] ?? new Uint8Array();
      const bytes =
        turn < messages.length ? original : withControlId(original, `${run}-${turn.toString(36)}`);
      const dueMs = rate === undefined ? 0 : startedAt + (turn / rate) * 1000 - performance.now();
      if (dueMs > 0) await wait(dueMs);
      const read = readHeader(bytes);
      yield { bytes, controlId: read.ok ? read.header.controlId : '' };
    }
  };
}

/** The message with another MSH-10 and every other byte as it was; as it is where it cannot be read. */
function withControlId(bytes: Uint8Array, controlId: string): Uint8Array {
  const { text, charset } = decodeMessage(bytes);
  const parsed = parseMessage(text);
  if (!parsed.ok) return bytes;
  return encodeMessage(parsed.message.set('MSH-10', controlId).text, charset);
}

async function sendShare(
  first: MllpClient,
  share: {
    readonly next: AsyncIterable<Item>;
    readonly connect: () => Promise<MllpClient>;
    readonly tally: Tally;
  },
): Promise<void> {
  const { next, connect, tally } = share;
  let client = first;
  // In enhanced mode a second acknowledgment of a message may come when the next is on its way.
  const earlier = new Set<string>();
  for await (const item of next) {
    const isAnswer = (answer: Uint8Array): boolean => {
      const { controlId } = readAcknowledgment(answer);
      return controlId === item.controlId || !earlier.has(controlId);
    };
    const startedAt = performance.now();
    try {
      if (!client.isOpen) client = await connect();
      const answer = await client.send(item.bytes, isAnswer);
      const ms = performance.now() - startedAt;
      tally.durationsMs.push(ms);
      report(item, { answer, ms, tally });
    } catch (error) {
      tally.failed += 1;
      console.log(`-- ${item.controlId} ${(performance.now() - startedAt).toFixed(1)} ms`);
      complain(`${item.controlId}: ${toReason(error)}`);
    }
    earlier.add(item.controlId);
  }
  client.close();
}

function report(
  { controlId }: Item,
  {
    answer,
    ms,
    tally,
  }: { readonly answer: Uint8Array; readonly ms: number; readonly tally: Tally },
): void {
  const acknowledgment = readAcknowledgment(answer);
  const { code } = acknowledgment;
  const isOurs = acknowledgment.controlId === controlId;
  const isPositive = isOurs && (code === 'AA' || code === 'CA');
  if (isPositive) tally.positive += 1;
  else tally.negative += 1;
  console.log(`${code ?? '??'} ${controlId} ${ms.toFixed(1)} ms`);
  if (!isOurs && code !== undefined) {
    complain(`${controlId}: the answer is for another control id (MSA-2): not counted as positive`);
  }
  for (const { location, message } of isPositive ? [] : acknowledgment.issues) {
    complain(`${controlId}: ${location === undefined ? '' : `${location}: `}${message}`);
  }
}

function toSummary({ positive, negative, failed, durationsMs }: Tally, elapsedMs: number): string {
  const messages = positive + negative + failed;
  const sorted = durationsMs.toSorted((left, right) => left - right);
  const at = (part: number) =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0).toFixed(1);
  const seconds = elapsedMs / 1000;
  const rate = Math.round(messages / seconds);
  const noun = messages === 1 ? 'message' : 'messages';
  return `${messages} ${noun}, ${positive} positive, ${seconds.toFixed(2)} s, ${rate}/s, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`;
}

function toReason(error: unknown): string {
  const failure = findFailure(error);
  if (failure !== undefined) return failure.issues.map(({ message }) => message).join(' ');
  return error instanceof Error ? error.message : String(error);
}

function readDefaultPort(): number {
  const value = process.env['HILUM_MLLP_PORT'] ?? String(defaultMllpPort);
  try {
    return toPort(value);
  } catch (error) {
    throw new Error(`HILUM_MLLP_PORT: ${toReason(error)}`, { cause: error });
  }
}

function toPort(value: string): number {
  const port = /^\d{1,5}$/.test(value) ? Number(value) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw new InvalidArgumentError('Expected a port from 1 to 65535.');
}

function toCount(value: string): number {
  if (/^[1-9]\d{0,8}$/.test(value)) return Number(value);
  throw new InvalidArgumentError('Expected a whole number, 1 or more.');
}

function toRate(value: string): number {
  const rate = Number(value);
  if (Number.isFinite(rate) && rate > 0) return rate;
  throw new InvalidArgumentError('Expected a number above 0.');
}
