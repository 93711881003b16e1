import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { QueueView, TraceView, WaitingView } from '../../console/api/views.ts';
import { countInEhr } from '../support/ehr.ts';
import { startHilum, until, type RunningHilum } from '../support/hilum.ts';

let hilum: RunningHilum;
let queue: string;

beforeAll(async () => {
  hilum = await startHilum();
  queue = (await queues()).find((each) => each.queue.startsWith('in.'))?.queue ?? '';
}, 120_000);

afterAll(async () => {
  expect(await hilum.stop()).toBe(0);
}, 60_000);

const queues = async (): Promise<readonly QueueView[]> =>
  JSON.parse((await hilum.cli('queues', 'list', '--json')).stdout) as readonly QueueView[];
const waiting = async (): Promise<readonly WaitingView[]> =>
  JSON.parse((await hilum.cli('queues', 'peek', queue, '--json')).stdout) as WaitingView[];
const sample = readFileSync(path.join(import.meta.dirname, '../../samples/oru-r01.hl7'), 'latin1');
let sent = 0;

/** Each with a control id of its own: what comes again is acknowledged and not queued. */
function send(): ReturnType<RunningHilum['cli']> {
  sent += 1;
  const file = path.join(hilum.dataDirectory, `result-${sent}.hl7`);
  writeFileSync(file, sample.replace(sample.split('|')[9] ?? '', `CONTROL-${sent}`), 'latin1');
  return hilum.cli('send', '--port', String(hilum.mllpPort), file);
}

/** What befell the message itself. */
async function kindsOf(id: string): Promise<readonly string[]> {
  const { steps } = JSON.parse((await hilum.cli('trace', id, '--json')).stdout) as TraceView;
  return steps.filter(({ messageId }) => messageId === id).map(({ kind }) => kind);
}

const workerPids = async (): Promise<readonly (number | undefined)[]> =>
  (await hilum.status()).processes
    .filter(({ role, state }) => role.startsWith('worker') && state === 'running')
    .map(({ pid }) => pid);

it('takes nothing of a paused queue, though the worker is killed, until it is resumed', async () => {
  const paused = await hilum.cli('queues', 'pause', queue);
  expect(paused).toMatchObject({ code: 0, stdout: `paused: ${queue}\n` });
  expect((await send()).code).toBe(0);
  expect(await waiting()).toHaveLength(1);
  const before = await workerPids();
  const roles = (await hilum.status()).processes.map(({ role }) => role);
  for (const role of roles.filter((each) => each.startsWith('worker'))) await hilum.kill(role);
  await until(
    workerPids,
    (pids) => pids.length === before.length && pids.every((pid) => !before.includes(pid)),
    30_000,
  );
  // A worker takes what waits as soon as it runs: what is sent now goes the same way as what waited before.
  expect((await send()).code).toBe(0);
  expect(await waiting()).toHaveLength(2);
  expect(await countInEhr(hilum.ehrUrl, 'DiagnosticReport')).toBe(0);
  expect((await hilum.cli('queues', 'resume', queue)).stdout).toBe('paused: none\n');
  await until(waiting, (found) => found.length === 0, 10_000);
  await until(
    () => countInEhr(hilum.ehrUrl, 'DiagnosticReport'),
    (count) => count === 1,
    10_000,
  );
}, 90_000);

it('withdraws what waits only with --yes, and whoever takes it drops it', async () => {
  await hilum.cli('queues', 'pause', queue);
  await send();
  const [message] = await waiting();
  const refused = await hilum.cli('queues', 'withdraw', message!.id);
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toContain('--yes');
  const done = await hilum.cli(
    ...['queues', 'withdraw', message!.id, '--yes', '--reason', 'a test'],
  );
  expect(done).toMatchObject({ code: 0, stdout: '1 done, 0 skipped\n' });
  expect(await waiting()).toEqual([]);
  await hilum.cli('queues', 'resume', queue);
  await until(
    queues,
    (all) => all.every((each) => each.queue !== queue || each.ready + each.unsettled === 0),
    10_000,
  );
  const trace = await hilum.cli('trace', message!.id);
  expect(trace.stdout).toContain('by cli: a test');
  expect(trace.stdout).not.toContain('processed');
}, 60_000);

it('sends nothing of a paused queue, and what is withdrawn from it never', async () => {
  const out = (await queues()).find((each) => each.queue.startsWith('out.'))?.queue ?? '';
  const waitingToGo = async (): Promise<readonly WaitingView[]> =>
    JSON.parse((await hilum.cli('queues', 'peek', out, '--json')).stdout) as WaitingView[];
  await hilum.cli('queues', 'pause', out);
  await send();
  await send();
  const [first, second] = await until(waitingToGo, (found) => found.length === 2, 10_000);
  expect((await hilum.cli('queues', 'withdraw', first!.id, '--yes')).code).toBe(0);
  await hilum.cli('queues', 'resume', out);
  await until(waitingToGo, (found) => found.length === 0, 10_000);
  expect(await kindsOf(second!.id)).toContain('delivered');
  expect(await kindsOf(first!.id)).toEqual(['queued', 'withdrawn']);
}, 60_000);

it('replays by a filter from the command line, first only counted', async () => {
  const counted = await hilum.cli('replay', '--type', 'ORU*', '--state', 'processed', '--dry-run');
  expect(counted).toMatchObject({ code: 0, stdout: '4\n' });
  const done = await hilum.cli('replay', '--type', 'ORU*', '--state', 'processed');
  expect(done).toMatchObject({ code: 0, stdout: '4 of 4 replayed, 0 failed\n' });
  expect((await hilum.cli('replay')).code).not.toBe(0);
}, 60_000);
