import { functionNode, mllpIn, mllpOut, send, writeFlows } from '../support/flow-files.ts';
import { startHilum, until, type RunningHilum } from '../support/hilum.ts';
import { buildLabResult, controlIdOf } from '../support/lab-results.ts';
import { openTalkingPartner } from '../support/partner.ts';
import { findFreePorts } from '../support/ports.ts';

let hilum: RunningHilum;
let partner: Awaited<ReturnType<typeof openTalkingPartner>>;

beforeEach(async () => {
  partner = await openTalkingPartner(() => 'AA');
});

afterEach(async () => {
  expect(await hilum.stop()).toBe(0);
  await partner.close();
}, 60_000);

/** Two flows that are well and one with this setup of a function, all in one worker. */
async function startWith(setup: string): Promise<{ readonly good: number; readonly bad: number }> {
  const [good = 0, bad = 0, third = 0] = await findFreePorts(3);
  hilum = await startHilum({
    HILUM_DEMO: 'off',
    // A loop is told sooner than by default.
    HILUM_LOOP_SECONDS: '2',
    HILUM_FLOWS: writeFlows({
      good: [mllpIn('good-in', good, 'good-out'), mllpOut('good-out', partner.port)],
      bad: [
        mllpIn('bad-in', bad, 'bad-do'),
        { ...functionNode('bad-do', 'return msg;', 'bad-out'), initialize: setup },
        mllpOut('bad-out', partner.port),
      ],
      third: [mllpIn('third-in', third, 'third-out'), mllpOut('third-out', partner.port)],
    }),
  });
  return { good, bad };
}

const interfaces = async () =>
  new Map((await hilum.status()).interfaces.map((each) => [each.id, each]));
const whenStopped = () =>
  until(interfaces, (found) => found.get('bad')?.state === 'stopped', 240_000);

async function goesThrough(port: number, index: number): Promise<void> {
  const id = controlIdOf(index);
  expect(await send(port, buildLabResult({ index, patient: 1 }))).toBe(`AA ${id}`);
  await until(
    () => Promise.resolve(partner.got),
    (got) => got.includes(id),
    60_000,
  );
}

it('stops the one flow whose node is in an endless loop at the start; the others run on in their worker', async () => {
  const { good, bad } = await startWith('for (;;);');
  const found = await whenStopped();
  const { cause, reason } = found.get('bad')!;
  expect(cause).toBe('crash');
  expect(reason).toMatch(/group default.* the node bad-do was in an endless loop/);
  expect(['good', 'third'].map((id) => found.get(id)?.state)).toEqual(['running', 'running']);
  await goesThrough(good, 1);
  const { processes, notes } = await hilum.status();
  expect(processes.filter(({ role }) => role.startsWith('worker'))).toHaveLength(1);
  expect(notes?.join()).toMatch(/The flow "bad" is stopped\. .*hilum interfaces start/);
  // What comes for it is taken, and waits.
  expect(await send(bad, buildLabResult({ index: 2, patient: 1 }))).toMatch(/^AA/);
  expect((await fetch(`${hilum.consoleUrl}/readyz`)).status).toBe(200);
}, 300_000);

it('finds the one that ends the process without a word, and stops it alone', async () => {
  const { good } = await startWith(`console.constructor.constructor('return process')().abort();`);
  const found = await whenStopped();
  expect(['good', 'third'].map((id) => found.get(id)?.state)).toEqual(['running', 'running']);
  await goesThrough(good, 1);
}, 300_000);
