import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { createMllpSource } from '../connectors/mllp/server.ts';
import { findFailure } from '../core/errors.ts';
import { isAcknowledgment } from '../core/hl7v2/acknowledgment.ts';
import { readHeader } from '../core/hl7v2/header.ts';
import type { Received } from '../core/ports/source.ts';
import { acknowledge } from '../runtime/acknowledge.ts';
import { complain, stderrLogger } from './stderr-logger.ts';
import { addServerTlsOptions, toListenerTls, type IdentityOptions } from './tls-options.ts';

const replies = ['AA', 'AE', 'AR', 'none'] as const;

interface Options extends IdentityOptions {
  readonly host: string;
  readonly port: number;
  readonly reply: (typeof replies)[number];
  readonly delayMs: number;
}

/** `hilum listen`: an MLLP receiver for trying things out; prints the control id of each message. */
export function registerListen(program: Command): void {
  const command = program
    .command('listen')
    .description(
      'Receive HL7 v2 messages over MLLP until Ctrl-C; prints their control ids, keeps nothing.',
    )
    .option('--host <host>', 'the address to listen on', '127.0.0.1')
    .option('--port <port>', 'the port to listen on; 0: any that is free', toPort, 2576)
    .addOption(new Option('--reply <code>', 'how to answer').choices([...replies]).default('AA'))
    .option('--delay-ms <n>', 'answer so much later', toDelay, 0);
  addServerTlsOptions(command).action(listen);
}

async function listen(options: Options): Promise<void> {
  const { host, port, reply, delayMs } = options;
  const tls = toListenerTls(options);
  const source = createMllpSource({
    host,
    port,
    maxFrameBytes: 256 * 1024 * 1024,
    idleTimeoutMs: 0,
    logger: stderrLogger,
    ...(tls === undefined ? {} : { tls }),
    accept: async (received) => {
      const answer = take(received, reply);
      if (delayMs > 0) await wait(delayMs);
      return answer;
    },
  });
  try {
    await source.start();
  } catch (error) {
    const failure = findFailure(error);
    throw failure === undefined
      ? error
      : new Error(failure.issues.map(({ message }) => message).join(' '));
  }
  const { address } = source;
  const answering = reply === 'none' ? 'not answering' : `answering ${reply}`;
  complain(
    `listening for MLLP${tls === undefined ? '' : ' over TLS'} on ${address?.host ?? host}:${address?.port ?? port}, ${answering}; Ctrl-C ends it`,
  );
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  await source.stop({ drainMs: 2_000 });
  complain(`${source.counts().messages} messages received`);
}

/** Prints the control id and builds the answer: none to what is itself an acknowledgment. */
function take({ bytes, remote }: Received, reply: Options['reply']): Uint8Array | undefined {
  const read = readHeader(bytes);
  if (!read.ok) complain(`${remote}: ${read.issues.map(({ message }) => message).join('; ')}`);
  const header = read.ok ? read.header : undefined;
  if (header !== undefined) console.log(header.controlId);
  if (reply === 'none' || (header !== undefined && isAcknowledgment(header))) return undefined;
  const code = read.ok ? reply : 'AR';
  return acknowledge(header, code, read.ok ? [] : read.issues, Date.now());
}

function toPort(value: string): number {
  const port = /^\d{1,5}$/.test(value) ? Number(value) : -1;
  if (port >= 0 && port <= 65_535) return port;
  throw new InvalidArgumentError('Expected a port from 0 to 65535.');
}

function toDelay(value: string): number {
  if (/^\d{1,9}$/.test(value)) return Number(value);
  throw new InvalidArgumentError('Expected a whole number of milliseconds.');
}
