/**
 * How fast the MLLP server is by itself, with an immediate answer: `node test/bench/mllp.ts`.
 * Server here, client in a process of its own; beside it the same load on a bare socket echo.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { createMllpSource } from '../../connectors/mllp/server.ts';
import type { MllpSourceOptions } from '../../connectors/mllp/server.ts';
import { makeAuthority } from '../support/certificates.ts';
import { makeTempFolder } from '../support/temp.ts';

interface Load {
  readonly port: number;
  readonly connections: number;
  readonly outstanding: number;
  readonly messages: number;
  readonly bytes: number;
  /** Over TLS, trusting this authority. */
  readonly ca?: string;
}

interface Measured {
  readonly seconds: number;
  readonly p50: number;
  readonly p99: number;
}

/** The median of so many is told. */
const rounds = 5;

const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

const answer = Buffer.from(
  'MSH|^~\\&|EHR|B|LAB|A|20260101000000||ACK^R01^ACK|A000000001|P|2.5.1\rMSA|AA|C000000001\r',
);

if (process.send === undefined) await measureAll();
else process.on('message', (load: Load) => void run(load).then((found) => process.send?.(found)));

async function measureAll(): Promise<void> {
  const options: MllpSourceOptions = {
    host: '127.0.0.1',
    port: 0,
    maxFrameBytes: 64_000_000,
    idleTimeoutMs: 0,
    logger: silent,
    accept: () => Promise.resolve(answer),
  };
  const folder = makeTempFolder('bench');
  const authority = await makeAuthority(folder, 'authority');
  const { files, certificate, key } = await authority.issue({ name: 'hilum.example' });
  const tls = { identity: files, clientCertificates: 'off' } as const;
  const source = createMllpSource(options);
  const secure = createMllpSource({ ...options, tls });
  await Promise.all([source.start(), secure.start()]);
  const echo = createServer(echoBack).listen(0, '127.0.0.1');
  const secureEcho = createTlsServer({ cert: certificate, key }, echoBack).listen(0, '127.0.0.1');
  await Promise.all([once(echo, 'listening'), once(secureEcho, 'listening')]);
  const client = fork(import.meta.filename);
  const measure = async (load: Load): Promise<Measured> => {
    client.send(load);
    const [found] = (await once(client, 'message')) as [Measured];
    return found;
  };
  const portOf = (server: Server) => (server.address() as AddressInfo).port;
  const plain = { ours: source.address?.port ?? 0, bare: portOf(echo) };
  const encrypted = {
    ours: secure.address?.port ?? 0,
    bare: portOf(secureEcho),
    ca: authority.pem,
  };
  const shapes = [
    { ...plain, connections: 1, outstanding: 1, messages: 20_000 },
    { ...plain, connections: 10, outstanding: 1, messages: 60_000 },
    { ...plain, connections: 10, outstanding: 32, messages: 150_000 },
    { ...encrypted, connections: 10, outstanding: 32, messages: 60_000 },
  ];
  for (const { ours: mllp, bare, ...shape } of shapes) {
    await measure({ port: mllp, bytes: 2000, ...shape, messages: 5_000 });
    const ours: Measured[] = [];
    const limit: Measured[] = [];
    for (let round = 0; round < rounds; round += 1) {
      ours.push(await measure({ port: mllp, bytes: 2000, ...shape }));
      limit.push(await measure({ port: bare, bytes: 2000, ...shape }));
    }
    const [middle, reference] = [findMedian(ours), findMedian(limit)];
    const rate = shape.messages / middle.seconds;
    const ratio = (reference.seconds / middle.seconds).toFixed(2);
    console.log(
      `${shape.connections}x${shape.outstanding}${'ca' in shape ? ' over TLS' : ''}: ${rate.toFixed(0)} msg/s, p50 ${middle.p50.toFixed(2)} ms, p99 ${middle.p99.toFixed(2)} ms, ${ratio} of a bare echo`,
    );
  }
  const large = {
    port: plain.ours,
    connections: 1,
    outstanding: 1,
    messages: 1,
    bytes: 20_000_000,
  };
  await measure(large);
  const { seconds } = findMedian([
    await measure(large),
    await measure(large),
    await measure(large),
  ]);
  console.log(`a frame of 20 MB: ${(seconds * 1000).toFixed(0)} ms`);
  client.disconnect();
  echo.close();
  secureEcho.close();
  await Promise.all([source.stop({ drainMs: 0 }), secure.stop({ drainMs: 0 })]);
  rmSync(folder, { recursive: true });
}

function echoBack(socket: Socket): void {
  socket.setNoDelay(true);
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => void socket.write(chunk));
}

function findMedian(found: readonly Measured[]): Measured {
  const sorted = found.toSorted((left, right) => left.seconds - right.seconds);
  const median = sorted[Math.floor(sorted.length / 2)];
  if (median === undefined) throw new Error('Nothing was measured.');
  return median;
}

/** Keeps `outstanding` messages on their way on each connection, until all are answered. */
async function run(load: Load): Promise<Measured> {
  const frame = Buffer.alloc(load.bytes + 3, 'x');
  frame[0] = 0x0b;
  frame[load.bytes + 1] = 0x1c;
  frame[load.bytes + 2] = 0x0d;
  const sockets = await Promise.all(
    Array.from({ length: load.connections }, async () => {
      const to = { port: load.port, host: '127.0.0.1' };
      const { ca } = load;
      const socket =
        ca === undefined ? connect(to) : connectTls({ ...to, ca, servername: 'hilum.example' });
      socket.setNoDelay(true);
      await once(socket, ca === undefined ? 'connect' : 'secureConnect');
      return socket;
    }),
  );
  const durations: number[] = [];
  const startedAt = performance.now();
  const share = load.messages / load.connections;
  await Promise.all(sockets.map((socket) => drive(socket, { ...load, frame, share, durations })));
  const seconds = (performance.now() - startedAt) / 1000;
  for (const socket of sockets) socket.destroy();
  durations.sort((left, right) => left - right);
  const at = (part: number) => durations[Math.floor(durations.length * part)] ?? 0;
  return { seconds, p50: at(0.5), p99: at(0.99) };
}

function drive(
  socket: Socket,
  work: {
    readonly frame: Buffer;
    readonly share: number;
    readonly outstanding: number;
    readonly durations: number[];
  },
): Promise<void> {
  const { frame, share, outstanding, durations } = work;
  return new Promise((resolve) => {
    const sentAt: number[] = [];
    let sent = 0;
    let answered = 0;
    const fill = () => {
      const batch: Buffer[] = [];
      while (sent < share && sent - answered < outstanding) {
        batch.push(frame);
        sentAt.push(performance.now());
        sent += 1;
      }
      if (batch.length > 0) socket.write(batch.length === 1 ? frame : Buffer.concat(batch));
    };
    socket.on('data', (chunk: Buffer) => {
      const now = performance.now();
      for (let end = chunk.indexOf(0x1c); end !== -1; end = chunk.indexOf(0x1c, end + 1)) {
        durations.push(now - (sentAt[answered] ?? now));
        answered += 1;
      }
      if (answered >= share) resolve();
      else fill();
    });
    fill();
  });
}
