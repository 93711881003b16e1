/**
 * The two partners of the pipeline bench, each in a process of its own: a load generator and a receiver.
 * They count frames by their end and read no more of them than the control id.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { buildAdmission } from './messages.ts';

/** What is to be sent: `perSecond` paces it, else as fast as the answers come. */
export interface Load {
  readonly port: number;
  readonly connections: number;
  readonly outstanding: number;
  readonly messages: number;
  /** The number of the first message. */
  readonly from: number;
  readonly perSecond?: number;
}

export interface Sent {
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers that were no AA. */
  readonly refused: number;
}

export interface Peer {
  readonly process: ChildProcess;
  ask<T>(question: object): Promise<T>;
  stop(): void;
}

export function startPeer(): Peer {
  const child = fork(import.meta.filename);
  return {
    process: child,
    ask: async <T>(question: object): Promise<T> => {
      child.send(question);
      const [answer] = (await once(child, 'message')) as [T];
      return answer;
    },
    stop: () => {
      child.disconnect();
    },
  };
}

const answerTo = (frame: Buffer): Buffer => {
  const head = frame.toString('latin1', 0, 200).split('|');
  return Buffer.from(
    `\x0bMSH|^~\\&|R|N|HILUM|I|20260101000000||ACK^A01^ACK|1|P|2.5.1\rMSA|AA|${head[9] ?? ''}\r\x1c\r`,
  );
};

/** Calls back with each frame of a stream. */
function onFrames(socket: Socket, take: (frame: Buffer) => void): void {
  let held = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    let start = 0;
    for (let end = held.indexOf(0x1c); end !== -1; end = held.indexOf(0x1c, start)) {
      take(held.subarray(start + 1, end));
      start = end + 2;
    }
    held = held.subarray(start);
  });
}

const got = new Set<string>();
let arrived = 0;
let waiting: { readonly count: number; readonly resolve: () => void } | undefined;

async function receive(): Promise<number> {
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    onFrames(socket, (frame) => {
      got.add(frame.toString('latin1', 0, 200).split('|')[9] ?? '');
      arrived += 1;
      if (waiting !== undefined && got.size >= waiting.count) waiting.resolve();
      socket.write(answerTo(frame));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Resolves when so many different messages have arrived in all. */
async function untilArrived(count: number): Promise<{ distinct: number; arrived: number }> {
  if (got.size < count) {
    await new Promise<void>((resolve) => {
      waiting = { count, resolve };
    });
  }
  return { distinct: got.size, arrived };
}

async function send(load: Load): Promise<Sent> {
  const sockets = await Promise.all(
    Array.from({ length: load.connections }, async () => {
      const socket = connect({ port: load.port, host: '127.0.0.1', noDelay: true });
      await once(socket, 'connect');
      return socket;
    }),
  );
  const latencies: number[] = [];
  let refused = 0;
  let next = 0;
  const startedAt = performance.now();
  const dueAt = (index: number): number =>
    load.perSecond === undefined ? 0 : startedAt + (1000 * index) / load.perSecond;
  const drive = (socket: Socket): Promise<void> =>
    new Promise((resolve) => {
      const sentAt: number[] = [];
      let open = 0;
      let timer: NodeJS.Timeout | undefined;
      const fill = (): void => {
        while (open < load.outstanding && next < load.messages) {
          const waitMs = dueAt(next) - performance.now();
          if (waitMs > 0) {
            timer ??= setTimeout(() => {
              timer = undefined;
              fill();
            }, waitMs);
            return;
          }
          const message = buildAdmission(load.from + next);
          next += 1;
          open += 1;
          sentAt.push(performance.now());
          socket.write(Buffer.concat([Buffer.from([0x0b]), message, Buffer.from([0x1c, 0x0d])]));
        }
        if (open === 0 && next >= load.messages) resolve();
      };
      onFrames(socket, (frame) => {
        latencies.push(performance.now() - (sentAt.shift() ?? 0));
        if (!frame.includes('MSA|AA')) refused += 1;
        open -= 1;
        fill();
      });
      fill();
    });
  await Promise.all(sockets.map(drive));
  const seconds = (performance.now() - startedAt) / 1000;
  for (const socket of sockets) socket.destroy();
  latencies.sort((left, right) => left - right);
  const at = (part: number): number => latencies[Math.floor((latencies.length - 1) * part)] ?? 0;
  return { seconds, p50Ms: at(0.5), p99Ms: at(0.99), refused };
}

if (process.send !== undefined && process.argv[1] === import.meta.filename) {
  const work = async (question: {
    readonly receive?: true;
    readonly send?: Load;
    readonly arrived?: number;
  }): Promise<unknown> => {
    if (question.send !== undefined) return send(question.send);
    if (question.arrived !== undefined) return untilArrived(question.arrived);
    return receive();
  };
  process.on('message', (question: object) => {
    void work(question).then((answer) => process.send?.(answer));
  });
  process.on('disconnect', () => process.exit(0));
}
