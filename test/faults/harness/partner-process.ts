/*
 * The partner that receives, in a process of its own: an MLLP server that writes down every message with its
 * time, and answers as it is told to. `partner.ts` is its other end.
 */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { serveParent } from './child.ts';
import { buildExpected, controlIdOf, frame, FrameSplitter, readIndex } from './messages.ts';
import {
  verdict,
  type Behaviour,
  type PartnerProgress,
  type PartnerQuestion,
  type PartnerReport,
} from './partner.ts';

let behaviour: Behaviour = { kind: 'accept' };
let server: Server | undefined;
let port = 0;
const sockets = new Set<Socket>();

const indexes: number[] = [];
const times: number[] = [];
const verdicts: number[] = [];
const distinct = new Set<number>();
const concluded = new Set<number>();
const altered: number[] = [];
let strangers = 0;

function serve(socket: Socket): void {
  socket.setNoDelay(true);
  sockets.add(socket);
  socket.on('error', () => undefined);
  socket.on('close', () => sockets.delete(socket));
  const splitter = new FrameSplitter();
  socket.on('data', (chunk) => {
    if (behaviour.kind === 'reset') {
      // With bytes of it read and no more: it has not been received.
      socket.resetAndDestroy();
      return;
    }
    for (const content of splitter.read(chunk)) take(socket, content.toString('latin1'));
  });
}

function take(socket: Socket, text: string): void {
  const index = readIndex(text.split('|', 10)[9] ?? '');
  if (Number.isNaN(index)) {
    strangers += 1;
    return;
  }
  if (text !== buildExpected(index)) altered.push(index);
  const isTaken = ['accept', 'slow', 'late'].includes(behaviour.kind);
  indexes.push(index);
  times.push(Date.now());
  verdicts.push(isTaken ? verdict.taken : behaviour.kind === 'AE' ? verdict.refused : verdict.open);
  if (isTaken) distinct.add(index);
  if (isTaken || behaviour.kind === 'AE') concluded.add(index);
  answer(socket, index);
}

function answer(socket: Socket, index: number): void {
  const reply = (code: string, id: string): void => {
    const text = `MSH|^~\\&|EHR|FAULTS|LIS|TESTLAB|20261101||ACK|A${index}|P|2.5.1\rMSA|${code}|${id}\r`;
    if (socket.writable) socket.write(frame(Buffer.from(text, 'latin1')));
  };
  const id = controlIdOf(index);
  switch (behaviour.kind) {
    case 'accept':
      reply('AA', id);
      return;
    case 'slow':
    case 'late':
      setTimeout(() => reply('AA', id), behaviour.delayMs);
      return;
    case 'AE':
    case 'AR':
      reply(behaviour.kind, id);
      return;
    case 'wrong-id':
      reply('AA', `NOT${id}`);
      return;
    case 'garbage':
      socket.write(frame(Buffer.from('\x00\xff this is no answer', 'latin1')));
      return;
    case 'nothing':
    case 'reset':
    case 'down':
  }
}

async function listen(): Promise<number> {
  const opened = createServer(serve);
  await new Promise<void>((resolve, reject) => {
    opened.once('error', reject);
    opened.listen(port, '127.0.0.1', resolve);
  });
  server = opened;
  ({ port } = opened.address() as AddressInfo);
  return port;
}

async function behave(next: Behaviour): Promise<void> {
  behaviour = next;
  if (next.kind === 'down') {
    const closing = server;
    server = undefined;
    for (const socket of sockets) socket.resetAndDestroy();
    if (closing !== undefined) await new Promise((resolve) => closing.close(resolve));
  } else if (server === undefined) {
    await listen();
  }
}

serveParent<PartnerQuestion>((question) => {
  switch (question.kind) {
    case 'listen':
      return listen();
    case 'behave':
      return behave(question.behaviour);
    case 'progress':
      return {
        received: indexes.length,
        distinct: distinct.size,
        concluded: [...concluded].filter((index) => index >= question.from).length,
        last: times.at(-1) ?? 0,
      } satisfies PartnerProgress;
    case 'report':
      return {
        indexes: Int32Array.from(indexes),
        times: Float64Array.from(times),
        verdicts: Uint8Array.from(verdicts),
        altered,
        strangers,
      } satisfies PartnerReport;
  }
});
