/*
 * An MLLP peer from npm, as a partner would have it, in a process of its own: some load slowly, and one
 * that breaks must not take the tests with it.
 *
 *   node mllp-peer-process.ts PEER send PORT COUNT   sends messages P1 to PCOUNT, prints `AA P1` for each answer
 *   node mllp-peer-process.ts PEER serve             prints `listening PORT`, then `got ID` for each message
 *
 * Ends when its standard input does.
 */
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createServer, type AddressInfo, type Server } from 'node:net';
import type { Hl7Client } from '@medplum/hl7';
import type { HL7Request, HL7Response } from 'hl7v2-net';

/** One at a time, or all before the first is answered where the peer can. */
type Send = (port: number, messages: readonly string[]) => Promise<void>;
type Serve = () => Promise<number>;

interface Peer {
  readonly send: Send;
  /** Absent where the package has no server. */
  readonly serve?: Serve;
}

const require = createRequire(import.meta.url);
const host = '127.0.0.1';
const answered = (code: string, controlId: string) => console.log(`${code} ${controlId}`);
const got = (controlId: string) => console.log(`got ${controlId}`);

function readAnswer(text: string): readonly [string, string] {
  const [, code = '', controlId = ''] =
    /(?:^|[\r\n])MSA\|([^|\r\n]*)\|([^|\r\n]*)/.exec(text) ?? [];
  return [code, controlId];
}

const controlIdOf = (text: string) => text.split('|')[9] ?? '';

const peers: Readonly<Record<string, () => Promise<Peer>>> = {
  'simple-hl7': () => Promise.resolve(loadSimpleHl7()),
  'node-hl7-client': loadNodeHl7Client,
  '@medplum/hl7': loadMedplum,
  'hl7v2-net': loadHl7v2Net,
};

/** What is used of `simple-hl7`, which has no types. */
interface SimpleHl7 {
  readonly Parser: new (options: { segmentSeperator: string }) => { parse(text: string): object };
  readonly Server: {
    createTcpClient(options: { host: string; port: number; keepalive: boolean }): {
      send(
        message: object,
        done: (error: Error | null, answer?: { toString(): string }) => void,
      ): void;
      close(): void;
    };
    createTcpServer(
      handler: (error: Error | null, request: { raw: string }, response: { end(): void }) => void,
    ): { start(port: number): void; readonly server: Server };
  };
}

function loadSimpleHl7(): Peer {
  const { Parser, Server: factory } = require('simple-hl7') as SimpleHl7;
  const parser = new Parser({ segmentSeperator: '\r' });
  return {
    async send(port, messages) {
      const client = factory.createTcpClient({ host, port, keepalive: true });
      for (const message of messages) {
        const answer = await new Promise<string>((resolve, reject) => {
          client.send(parser.parse(message), (error, found) => {
            if (error === null) resolve(found?.toString() ?? '');
            else reject(error);
          });
        });
        answered(...readAnswer(answer));
      }
      client.close();
    },
    async serve() {
      const tcp = factory.createTcpServer((error, request, response) => {
        if (error !== null) return;
        got(controlIdOf(request.raw));
        response.end();
      });
      tcp.start(0);
      await once(tcp.server, 'listening');
      return (tcp.server.address() as AddressInfo).port;
    },
  };
}

async function loadNodeHl7Client(): Promise<Peer> {
  const { default: Client, Message } = await import('node-hl7-client');
  return {
    async send(port, messages) {
      const client = new Client({ host, version: '2.5.1' });
      let take: (answer: string) => void = () => undefined;
      const connection = client.createConnection({ port, version: '2.5.1' }, (response) => {
        take(response.getMessage().toString());
      });
      await new Promise<void>((resolve) => connection.once('connect', () => resolve()));
      // One by one: what it queues while it waits for an answer, it sends on a second connection.
      for (const text of messages) {
        const answer = new Promise<string>((resolve) => (take = resolve));
        await connection.sendMessage(new Message({ text }));
        answered(...readAnswer(await answer));
      }
      await connection.close();
    },
  };
}

async function loadMedplum(): Promise<Peer> {
  const { Hl7Client: Client, Hl7Server } = await import('@medplum/hl7');
  // It brings a core of its own version, whose messages are what it takes.
  const core = createRequire(require.resolve('@medplum/hl7'))('@medplum/core') as {
    readonly Hl7Message: { parse(text: string): Parameters<Hl7Client['send']>[0] };
  };
  return {
    async send(port, messages) {
      const client = new Client({ host, port, keepAlive: true });
      await client.connect();
      // All at once: it keeps who is answered apart by MSA-2.
      await Promise.all(
        messages.map(async (message) => {
          const answer = await client.sendAndWait(core.Hl7Message.parse(message));
          answered(...readAnswer(answer.toString()));
        }),
      );
      await client.close();
    },
    async serve() {
      const server = new Hl7Server((connection) => {
        connection.addEventListener('message', ({ message }) => {
          got(controlIdOf(message.toString()));
          connection.send(message.buildAck());
        });
      });
      const port = await findFreePort();
      await server.start(port);
      return port;
    },
  };
}

async function loadHl7v2Net(): Promise<Peer> {
  const { HL7Message } = await import('hl7v2');
  const { Hl7Client, HL7Server } = await import('hl7v2-net');
  return {
    async send(port, messages) {
      const client = Hl7Client.createClient({ host, port });
      await client.connect();
      for (const message of messages) {
        const answer = await client.sendMessageWaitAck(HL7Message.parse(message));
        answered(...readAnswer(answer.toHL7String()));
      }
      await client.close();
    },
    async serve() {
      const server = HL7Server.createServer();
      server.use((request: HL7Request, response: HL7Response) => {
        got(controlIdOf(request.message.toHL7String()));
        response.socket.sendMessage(response.message);
      });
      const port = await findFreePort();
      await server.listen(port, host);
      return port;
    },
  };
}

/** For servers that cannot tell which port they were given. */
async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, host);
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

const [name = '', what, port, count] = process.argv.slice(2);
const peer = await peers[name]?.();
if (peer === undefined) throw new Error(`No such peer: ${name}`);
process.stdin.on('end', () => process.exit()).resume();
if (what === 'serve') {
  console.log(`listening ${(await peer.serve?.()) ?? 0}`);
} else {
  const messages = Array.from(
    { length: Number(count) },
    (_, index) =>
      `MSH|^~\\&|LAB|A|EHR|B|20260101120000||ORU^R01^ORU_R01|P${index + 1}|P|2.5.1\rPID|1||4711^^^LAB^MR\r`,
  );
  await peer.send(Number(port), messages);
  process.exit();
}
