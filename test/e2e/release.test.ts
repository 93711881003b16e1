import type { ParkedView, QueueView } from '../../console/api/views.ts';
import { functionNode, mllpIn, mllpOut, send, writeFlows } from '../support/flow-files.ts';
import { startHilum, until, type RunningHilum } from '../support/hilum.ts';
import { buildLabResult, controlIdOf } from '../support/lab-results.ts';
import { openTalkingPartner } from '../support/partner.ts';
import { findFreePorts } from '../support/ports.ts';

/** Control ids that the partner refuses for good. */
const refused = new Set<string>();

let hilum: RunningHilum;
let partner: Awaited<ReturnType<typeof openTalkingPartner>>;
let ports: readonly number[] = [];

beforeAll(async () => {
  partner = await openTalkingPartner((id) => (refused.has(id) ? 'AE' : 'AA'));
  ports = await findFreePorts(2);
  const [wrongPort = 0, refusingPort = 0] = ports;
  hilum = await startHilum({
    HILUM_DEMO: 'off',
    HILUM_FLOWS: writeFlows({
      wrong: [
        { ...mllpIn('wrong-in', wrongPort, 'wrong-do'), onFailure: 'stop' },
        {
          ...functionNode('wrong-do', wrongElsewhere, 'wrong-out'),
          outputs: 2,
          wires: [['wrong-out'], ['wrong-reject']],
        },
        mllpOut('wrong-out', partner.port),
        { id: 'wrong-reject', type: 'reject', code: 'wrong', reason: 'It is wrong.', wires: [] },
      ],
      refusing: [
        mllpIn('refusing-in', refusingPort, 'refusing-out'),
        { ...mllpOut('refusing-out', partner.port), order: 'key', onFailure: 'stop' },
      ],
    }),
  });
}, 120_000);

afterAll(async () => {
  await hilum.stop();
  await partner.close();
}, 60_000);

const wrongElsewhere = 'return msg.payload.includes("WRONG") ? [null, msg] : [msg, null];';

const parked = async (): Promise<readonly ParkedView[]> =>
  JSON.parse((await hilum.cli('queues', 'parked', '--json')).stdout) as readonly ParkedView[];

const queueOf = async (start: string): Promise<QueueView | undefined> =>
  (await hilum.queues()).find(({ queue }) => queue.startsWith(start));

const gotOf = (...indexes: readonly number[]): readonly string[] =>
  partner.got.filter((id) => indexes.map(controlIdOf).includes(id));

async function untilGot(...indexes: readonly number[]): Promise<void> {
  await until(
    () => Promise.resolve(gotOf(...indexes)),
    (got) => got.length >= indexes.length,
    15_000,
  );
}

async function untilParked(count: number): Promise<ParkedView> {
  const found = await until(parked, ([first]) => first?.parked === count, 15_000);
  return found[0]!;
}

it('goes on behind a message that its flow rejects when somebody says so, though the worker is killed', async () => {
  const [port = 0] = ports;
  const wrong = buildLabResult({ index: 2, patient: 1 }).replace('CBC panel', 'WRONG');
  expect(await send(port, buildLabResult({ index: 1, patient: 1 }))).toMatch(/^AA/);
  for (const message of [wrong, ...[3, 4].map((index) => buildLabResult({ index, patient: 1 }))]) {
    expect(await send(port, message)).toMatch(/^AA/);
  }
  const stopped = await untilParked(3);
  expect(stopped.isStopped).toBe(true);
  await hilum.kill('worker default');
  // Those of other patients pass, by the next worker too.
  expect(await send(port, buildLabResult({ index: 5, patient: 2 }))).toMatch(/^AA/);
  await untilGot(1, 5);
  expect(gotOf(3, 4)).toEqual([]);
  expect(await parked()).toHaveLength(1);
  const done = await hilum.cli('queues', 'release', stopped.queue, stopped.firstId, 'skip');
  expect(done).toMatchObject({ code: 0, stdout: `skip: ${stopped.firstId}\n` });
  await untilGot(3, 4);
  expect(gotOf(1, 2, 3, 4)).toEqual([1, 3, 4].map(controlIdOf));
  expect(await parked()).toEqual([]);
  expect(
    await until(
      () => queueOf(stopped.queue),
      (queue) => queue?.dead === 1,
      5_000,
    ),
  ).toBeDefined();
}, 90_000);

it('tries again what the partner refused when somebody says so, and then those behind it', async () => {
  const [, port = 0] = ports;
  refused.add(controlIdOf(12));
  for (const index of [11, 12, 13, 14]) {
    expect(await send(port, buildLabResult({ index, patient: 3 }))).toMatch(/^AA/);
  }
  const stopped = await untilParked(3);
  expect(await send(port, buildLabResult({ index: 15, patient: 4 }))).toMatch(/^AA/);
  await untilGot(11, 12, 15);
  expect(gotOf(13, 14)).toEqual([]);
  refused.clear();
  await hilum.cli('queues', 'release', stopped.queue, stopped.firstId, 'again');
  await untilGot(11, 12, 12, 13, 14);
  expect(gotOf(11, 12, 13, 14)).toEqual([11, 12, 12, 13, 14].map(controlIdOf));
  expect(await parked()).toEqual([]);
}, 60_000);
