import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import type { Envelope } from '../../../core/envelope.ts';
import type { MllpSenderDefinition } from '../../../core/interface.ts';

/** What a partner does with a message, by its control id. */
export type Answerer = (controlId: string, socket: Socket) => void;

/** An MLLP receiver on a raw socket, whose answers the test decides; over TLS where it gets a certificate. */
export async function startPartner(initial: Answerer, tls?: TlsOptions) {
  let answer = initial;
  let received = 0;
  let commits = 0;
  let connected = 0;
  const sockets = new Set<Socket>();
  const serve = (socket: Socket) => {
    sockets.add(socket);
    connected += 1;
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      for (let end = text.indexOf('\x1c\r'); end !== -1; end = text.indexOf('\x1c\r')) {
        const content = text.slice(1, end);
        text = text.slice(end + 2);
        if (content === '\x06') {
          commits += 1;
          continue;
        }
        received += 1;
        answer(content.split('|')[9] ?? '', socket);
      }
    });
  };
  const server = tls === undefined ? createServer(serve) : createTlsServer(tls, serve);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    sockets,
    received: () => received,
    /** Positive commit blocks of release 2. */
    commits: () => commits,
    /** Connections since the start. */
    connected: () => connected,
    answerWith: (next: Answerer) => {
      answer = next;
    },
    gone: (socket: Socket) =>
      socket.destroyed ? Promise.resolve() : once(socket, 'close').then(() => undefined),
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** An acknowledgment in its frame. */
export function buildAnswer(code: string, controlId: string): string {
  return `\x0bMSH|^~\\&|EHR|B|LAB|A|20260101||ACK|X|P|2.5.1\rMSA|${code}|${controlId}\r\x1c\r`;
}

export const says =
  (code: string): Answerer =>
  (controlId, socket) =>
    void socket.write(buildAnswer(code, controlId));

let count = 0;

/** A message with a control id of its own. */
export function buildMessage(): string {
  count += 1;
  return `MSH|^~\\&|LAB|A|EHR|B|20260101||ORU^R01^ORU_R01|C${count}|P|2.5.1\rPID|1\r`;
}

export function buildEnvelope(body = buildMessage()): Envelope {
  return {
    id: `id-${count}`,
    interface: 'tests',
    contentType: 'application/hl7-v2',
    correlationId: `id-${count}`,
    receivedAt: '2026-01-01T00:00:00.000Z',
    attempt: 1,
    body: Buffer.from(body),
  };
}

/** A sender to a partner on loopback; the port is the test's to set. */
export const senderDefinition = {
  kind: 'mllp',
  id: 'out',
  interface: 'tests',
  label: 'a partner',
  queue: 'out.out',
  host: '127.0.0.1',
  timeoutMs: 400,
  concurrency: 1,
} as const satisfies Omit<MllpSenderDefinition, 'port'>;
