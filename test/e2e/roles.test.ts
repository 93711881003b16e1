import path from 'node:path';
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
import { startPostgres, type PostgresServer } from '../support/postgres.ts';
import { describeWith } from '../support/programs.ts';
import { startRabbit, type RabbitServer } from '../support/rabbitmq.ts';
import { makeTempFolder } from '../support/temp.ts';

describeWith('rabbitmq-server', 'roles that run apart', () => {
  let rabbit: RabbitServer;
  let postgres: PostgresServer;
  let partner: Awaited<ReturnType<typeof openPartner>>;
  let flows: string;
  let shared: Readonly<Record<string, string>>;
  let ports: readonly number[] = [];
  const running = new Map<string, RunningHilum>();

  beforeAll(async () => {
    [rabbit, postgres, partner] = await Promise.all([
      startRabbit(),
      startPostgres(),
      openPartner(true),
    ]);
    ports = await findFreePorts(2);
    flows = writeFlows(
      {
        lab: [
          { ...mllpIn('lab-in', 0, 'lab-do'), port: '${LAB_PORT}' },
          functionNode('lab-do', 'return msg;', 'lab-out'),
          mllpOut('lab-out', partner.port),
        ],
        other: [{ id: 'note', type: 'comment', name: 'nothing', wires: [] }],
      },
      { lab: { HILUM_GROUP: 'hot' } },
    );
    shared = {
      RABBITMQ_URL: rabbit.url,
      HILUM_LEDGER_URL: await postgres.createDatabase(),
      HILUM_CREDENTIAL_SECRET: 'a secret of this test',
      HILUM_DEMO: 'off',
    };
  }, 120_000);

  afterAll(async () => {
    await Promise.all([...running.values()].map((each) => each.stop()));
    partner.close();
    await Promise.all([rabbit.stop(), postgres.stop()]);
  }, 120_000);

  async function startRole(name: string, env: Readonly<Record<string, string>>): Promise<void> {
    const data = path.join(makeTempFolder(name), 'data');
    running.set(name, await startHilum({ ...shared, HILUM_DATA: data, ...env }));
  }

  const console_ = (): RunningHilum => running.get('console') ?? unreachable();

  /** Everybody who is to be there is, and runs the newest revision. */
  const ready = () =>
    until(
      async () => {
        const response = await fetch(`${console_().consoleUrl}/readyz`);
        return `${response.status} ${await response.text()}`;
      },
      (text) => text.startsWith('200'),
      60_000,
    );

  const arrived = (index: number) =>
    until(
      () => Promise.resolve(partner.got),
      (got) => got.includes(controlIdOf(index)),
      30_000,
    );

  it('find each other, whoever starts first, and take messages through all of them', async () => {
    // Before there is anything to run.
    const worker = startRole('worker', { HILUM_ROLE: 'worker', HILUM_GROUP: 'hot' });
    // What the flows say for one stage, the console checks them by.
    const LAB_PORT = String(ports[0]);
    await startRole('console', { HILUM_ROLE: 'console', HILUM_FLOWS: flows, LAB_PORT });
    await worker;
    const response = await fetch(`${console_().consoleUrl}/readyz`);
    expect(await response.text()).toMatch(/No edge is there/);
    const [first = 0, second = 0] = ports;
    await Promise.all([
      startRole('default', { HILUM_ROLE: 'worker' }),
      startRole('edge', { HILUM_ROLE: 'edge', LAB_PORT: String(first) }),
      startRole('edge 2', { HILUM_ROLE: 'edge', LAB_PORT: String(second) }),
    ]);
    await ready();
    expect(await send(first, buildLabResult({ index: 1, patient: 1 }))).toMatch(/^AA/);
    expect(await send(second, buildLabResult({ index: 2, patient: 1 }))).toMatch(/^AA/);
    await arrived(1);
    await arrived(2);
    const { processes } = await console_().status();
    expect(processes.map(({ role }) => role)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^worker hot @ worker hot on /),
        expect.stringMatching(/^edge @ edge on /),
      ]),
    );
    const { stdout } = await console_().cli('trace', controlIdOf(2));
    expect(stdout).toMatch(/processed[^]*delivered/);
  }, 240_000);

  it('a message that is sent again to the other edge is a duplicate', async () => {
    const [first = 0, second = 0] = ports;
    const message = buildLabResult({ index: 3, patient: 1 });
    expect(await send(first, message)).toMatch(/^AA/);
    expect(await send(second, message)).toMatch(/^AA/);
    await arrived(3);
    const { stdout } = await console_().cli('trace', controlIdOf(3));
    expect(stdout).toMatch(/duplicate/);
    expect(partner.got.filter((id) => id === controlIdOf(3))).toHaveLength(1);
  }, 60_000);

  it('take a new revision, refuse one that does not start, and go back to the first', async () => {
    const [first = 0] = ports;
    const deployed = await readFlows(flows);
    const edit = (change: object) =>
      writeDeployed(
        flows,
        deployed.map((node) => (node.id === 'lab-do' ? { ...node, ...change } : node)),
      );
    const cli = (...args: readonly string[]) => console_().cli(...args);
    await edit({ func: 'msg.payload = msg.payload.replace("|HILUM|", "|SECOND|"); return msg;' });
    expect(await cli('deploy')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('hot') as string,
    });
    await until(
      async () => {
        const before = partner.got.length;
        const index = 100 + before;
        await send(first, buildLabResult({ index, patient: 2 }));
        await arrived(index);
        return partner.texts.at(-1) ?? '';
      },
      (text) => text.includes('|SECOND|'),
      60_000,
    );
    await edit({ initialize: 'throw new Error("no table");' });
    const refused = await cli('deploy');
    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringMatching(/lab-do: .*no table/),
    ]);
    expect((await cli('deploy', '--list')).stdout).toMatch(/^2 .*\n1 /m);
    expect((await cli('deploy', '--diff', '2')).stdout).toMatch(/^\+.*SECOND/m);
    expect(await cli('deploy', '--rev', '1')).toMatchObject({ code: 0, stderr: '' });
    await until(
      async () => {
        const index = 500 + partner.got.length;
        await send(first, buildLabResult({ index, patient: 2 }));
        await arrived(index);
        return partner.texts.at(-1) ?? '';
      },
      (text) => !text.includes('|SECOND|'),
      60_000,
    );
  }, 240_000);

  it('go by what operators decide at the console', async () => {
    const [first = 0] = ports;
    const cli = (...args: readonly string[]) => console_().cli(...args);
    expect((await cli('queues', 'pause', 'out.lab-out')).code).toBe(0);
    const paused = await until(
      async () => (await console_().status()).senders,
      (senders) => senders.some(({ state }) => state === 'paused'),
      20_000,
    );
    expect(paused).toHaveLength(1);
    expect(await send(first, buildLabResult({ index: 900, patient: 3 }))).toMatch(/^AA/);
    expect((await cli('queues', 'resume', 'out.lab-out')).code).toBe(0);
    await arrived(900);
    expect((await cli('interfaces', 'stop', 'lab')).code).toBe(0);
    await until(
      () => send(first, buildLabResult({ index: 901, patient: 3 })).catch(() => 'refused'),
      (answer) => answer === 'refused',
      30_000,
    );
    expect((await cli('interfaces', 'start', 'lab')).code).toBe(0);
    await until(
      () => send(first, buildLabResult({ index: 902, patient: 3 })).catch(() => 'refused'),
      (answer) => answer.startsWith('AA'),
      30_000,
    );
    await arrived(902);
  }, 120_000);
});

function unreachable(): never {
  throw new Error('It was expected to run.');
}
