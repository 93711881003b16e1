import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { Consumer } from '../../core/ports/broker.ts';
import type { Edge } from '../../runtime/edge/edge.ts';
import {
  buildListener,
  openTestEdge,
  openTestStores,
  silent,
  type TestStores,
} from '../support/edge.ts';
import { until } from '../support/hilum.ts';
import { buildLabResult } from '../support/lab-results.ts';

const above = 40;
const queue = 'in.listener';
const connections = 8;

let file: TestStores;
let edge: Edge | undefined;
let consumer: Consumer | undefined;
let port = 0;
let told: string[];
const sockets: Socket[] = [];

beforeEach(async () => {
  file = await openTestStores('pace');
  told = [];
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await edge?.stop();
  await consumer?.stop();
  await file.close();
  edge = consumer = undefined;
});

async function listen(standstillMs: number): Promise<void> {
  const note = (_: object, text: string): void => void told.push(text);
  const opened = await openTestEdge(
    {
      ...file.stores,
      logger: { ...silent, warn: note, info: note },
      paceAbove: above,
      paceTimes: { lookMs: 20, standstillMs },
    },
    buildListener(),
  );
  edge = opened.edge;
  port = opened.ports[0] ?? 0;
}

/** A flow that takes one message every few milliseconds. */
async function consume(eachMs: number): Promise<void> {
  let line = Promise.resolve();
  consumer = await file.stores.broker.consume(queue, { window: 4 }, (delivery) => {
    line = line.then(() => wait(eachMs)).then(() => delivery.accept());
  });
}

/** Sends so many over several connections, each the next when the last was acknowledged. */
function send(count: number): {
  readonly acknowledged: () => number;
  readonly all: Promise<unknown>;
} {
  let [next, acknowledged] = [0, 0];
  const all = Array.from({ length: connections }, () => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    sockets.push(socket);
    return new Promise<void>((resolve, reject) => {
      const sendNext = (): void => {
        if (next === count) resolve();
        else
          socket.write(
            `\u000b${buildLabResult({ index: (next += 1), patient: next })}\u001c\r`,
            'latin1',
          );
      };
      socket.on('connect', sendNext);
      socket.on('error', reject);
      socket.on('data', (chunk) => {
        if (!chunk.includes(0x1c)) return;
        acknowledged += 1;
        sendNext();
      });
    });
  });
  return { acknowledged: () => acknowledged, all: Promise.all(all) };
}

async function depth(): Promise<number> {
  const found = (await file.stores.broker.depths()).find((each) => each.queue === queue);
  return (found?.ready ?? 0) + (found?.unsettled ?? 0);
}

it('keeps senders to the pace of a slow flow, and lets them go when it has caught up', async () => {
  await listen(60_000);
  await consume(4);
  const { all } = send(1_000);
  const depths: number[] = [];
  const sampling = setInterval(() => void depth().then((each) => depths.push(each)), 10);
  await all;
  clearInterval(sampling);
  // What came before it was seen how quick the flow is, and no more. Without, nearly all of them wait.
  expect(Math.max(...depths)).toBeLessThan(500);
  expect(depths.at(-1)).toBeLessThan(5 * above);
  expect(told).toContain('A flow is slower than its senders: they are kept to its pace.');
  await until(depth, (left) => left === 0, 60_000);
  await send(1).all;
  await until(
    () => Promise.resolve(told.at(-1)),
    (text) => text === 'Senders are no longer kept to the pace of their flow.',
    60_000,
  );
}, 60_000);

it('slows nobody for a flow that stands still: what comes is kept for it', async () => {
  await listen(200);
  const { acknowledged, all } = send(600);
  await all;
  expect(acknowledged()).toBe(600);
  expect(await depth()).toBe(600);
  expect(told).not.toContain('A flow is slower than its senders: they are kept to its pace.');
}, 60_000);

it('lets those wait no longer that a flow has left waiting when it came to stand still', async () => {
  await listen(200);
  await consume(2);
  const { all } = send(1_500);
  await until(
    () => Promise.resolve(told),
    (texts) => texts.includes('A flow is slower than its senders: they are kept to its pace.'),
    60_000,
  );
  await consumer?.stop();
  await all;
  expect(await depth()).toBeGreaterThan(above);
}, 60_000);
