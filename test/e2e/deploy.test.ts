import { execFileSync } from 'node:child_process';
import type { FlowNode } from '../../core/interface.ts';
import { readFlows } from '../../runtime/deploy/storage.ts';
import {
  functionNode,
  mllpIn,
  mllpOut,
  send,
  writeDeployed,
  writeFlows,
} from '../support/flow-files.ts';
import { startHilum, until, type RunningHilum } from '../support/hilum.ts';
import { buildLabResult, controlIdOf } from '../support/lab-results.ts';
import { openPartner } from '../support/partner.ts';
import { findFreePorts } from '../support/ports.ts';
import { describeWith } from '../support/programs.ts';

describeWith('git', 'deploys from the command line', () => {
  let hilum: RunningHilum;
  let partner: Awaited<ReturnType<typeof openPartner>>;
  let flows: string;
  let port = 0;

  beforeAll(async () => {
    partner = await openPartner(true);
    const [free = 0, other = 0] = await findFreePorts(2);
    port = free;
    flows = writeFlows(
      {
        one: [
          mllpIn('one-in', port, 'one-do'),
          functionNode('one-do', 'return msg;', 'one-out'),
          mllpOut('one-out', partner.port),
        ],
        sick: [
          mllpIn('sick-in', other, 'sick-do'),
          functionNode('sick-do', 'return msg;', 'sick-out'),
          mllpOut('sick-out', partner.port),
        ],
      },
      { one: { HILUM_GROUP: 'one' }, sick: { HILUM_GROUP: 'sick' } },
    );
    execFileSync('git', ['-C', flows, 'init', '--quiet']);
    hilum = await startHilum({ HILUM_FLOWS: flows, HILUM_DEMO: 'off' });
  }, 120_000);

  afterAll(async () => {
    await hilum.stop();
    partner.close();
  }, 60_000);

  async function edit(id: string, change: Partial<FlowNode>): Promise<void> {
    const nodes = await readFlows(flows);
    await writeDeployed(
      flows,
      nodes.map((node) => (node.id === id ? { ...node, ...change } : node)),
    );
  }

  const pidOf = async (name: string) =>
    (await hilum.status()).processes.find(({ role }) => role === name)?.pid;

  const through = async (index: number): Promise<string> => {
    expect(await send(port, buildLabResult({ index, patient: 1 }))).toMatch(/^AA/);
    await until(
      () => Promise.resolve(partner.got),
      (got) => got.includes(controlIdOf(index)),
      15_000,
    );
    return partner.texts.at(-1) ?? '';
  };

  /** A deploy has answered when all has started; the old worker may still finish what it has. */
  const settled = (expected: RegExp, from: number) =>
    until(
      () => through(from + partner.got.length),
      (text) => expected.test(text),
      30_000,
    );

  it('change the group that they are about, and no other', async () => {
    expect((await hilum.cli('deploy')).stdout).toMatch(/no worker had to change/);
    const sick = await pidOf('worker sick');
    await edit('one-do', {
      func: 'msg.payload = msg.payload.replace("|HILUM|", "|SECOND|"); return msg;',
    });
    expect((await hilum.cli('deploy')).stdout).toMatch(/: one\.\n$/);
    await settled(/\|SECOND\|/, 100);
    expect(await pidOf('worker sick')).toBe(sick);
  }, 90_000);

  it('are refused where a flow does not start, by its node, and what runs goes on', async () => {
    const before = await pidOf('worker one');
    await edit('one-do', { initialize: 'throw new Error("no table");' });
    const { code, stderr } = await hilum.cli('deploy');
    expect([code, stderr]).toEqual([2, expect.stringMatching(/one-do: .*no table/)]);
    expect(await pidOf('worker one')).toBe(before);
    expect(await through(400)).toMatch(/\|SECOND\|/);
    await edit('one-do', { initialize: '' });
  }, 90_000);

  it('are not held up by the flows of another group, whose worker keeps ending', async () => {
    await edit('sick-do', {
      initialize: 'setTimeout(() => { Promise.reject(new Error("gone")); }, 2_000);',
    });
    // It starts, and ends soon after: again and again.
    expect((await hilum.cli('deploy')).code).toBe(0);
    await until(
      async () => (await hilum.status()).processes.find(({ role }) => role === 'worker sick'),
      (worker) => (worker?.restarts ?? 0) > 0,
      60_000,
    );
    await edit('one-do', {
      func: 'msg.payload = msg.payload.replace("|HILUM|", "|THIRD|"); return msg;',
    });
    expect((await hilum.cli('deploy')).stdout).toMatch(/: one\.\n$/);
    await settled(/\|THIRD\|/, 500);
  }, 180_000);

  it('go back to an earlier revision', async () => {
    const { stdout } = await hilum.cli('deploy', '--list');
    const revisions = stdout
      .split('\n')
      .filter((line) => /^[0-9a-f]{12} /.test(line))
      .map((line) => line.slice(0, 12));
    expect(revisions.length).toBeGreaterThanOrEqual(4);
    expect((await hilum.cli('deploy', '--diff', revisions[0] ?? '')).stdout).toMatch(/^\+.*THIRD/m);
    // The first commit is of the first deploy: the flows as they were at the start.
    const back = await hilum.cli('deploy', '--rev', revisions.at(-1) ?? '');
    expect([back.code, back.stderr]).toEqual([0, '']);
    await settled(/\|HILUM\|/, 900);
  }, 120_000);
});
