import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
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
import { MllpPartner, readAnswer } from '../support/mllp.ts';
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
  /** The console's repository: flows and profiles in folders of it. */
  let site: string;
  let shared: Readonly<Record<string, string>>;
  let ports: readonly number[] = [];
  const running = new Map<string, RunningHilum>();
  const dataOf = new Map<string, string>();

  const profile = (required: string): void => {
    const text = `profile: acme\nversion: 2.5.1\nmessages: [ORU^R01]\nfields: { ${required}: R }\n`;
    mkdirSync(path.join(site, 'profiles'), { recursive: true });
    writeFileSync(path.join(site, 'profiles', 'acme.yaml'), text);
  };
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-C', site, ...args], { encoding: 'utf8' });

  beforeAll(async () => {
    [rabbit, postgres, partner] = await Promise.all([
      startRabbit(),
      startPostgres(),
      openPartner(true),
    ]);
    ports = await findFreePorts(3);
    flows = writeFlows(
      {
        lab: [
          {
            ...mllpIn('lab-in', 0, 'lab-check', 'validated'),
            ...{ port: '${LAB_PORT}', profile: 'acme' },
          },
          {
            ...{ id: 'lab-check', type: 'hl7 validate', version: '', profile: 'acme' },
            wires: [['lab-do'], []],
          },
          functionNode('lab-do', 'return msg;', 'lab-out'),
          mllpOut('lab-out', partner.port),
        ],
        other: [{ id: 'note', type: 'comment', name: 'nothing', wires: [] }],
      },
      { lab: { HILUM_GROUP: 'hot' } },
    );
    site = path.dirname(flows);
    profile('PID-8');
    git('init', '--quiet');
    git('add', '.');
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

  const ofConsole = (at: string) => ({
    HILUM_ROLE: 'console',
    HILUM_FLOWS: path.join(at, 'flows'),
    HILUM_PROFILES: path.join(at, 'profiles'),
    // What the flows say for one stage, the console checks them by.
    LAB_PORT: String(ports[0]),
  });

  async function stopRole(name: string): Promise<void> {
    await running.get(name)?.stop();
    running.delete(name);
  }

  async function startRole(name: string, env: Readonly<Record<string, string>>): Promise<void> {
    const data = dataOf.get(name) ?? path.join(makeTempFolder(name), 'data');
    dataOf.set(name, data);
    running.set(name, await startHilum({ ...shared, HILUM_DATA: data, ...env }));
  }

  const console_ = (): RunningHilum => running.get('console') ?? unreachable();

  /** Everybody who is to be there is, and runs the newest revision. */
  const ready = () =>
    until(
      async () => {
        const response = await fetch(`${console_().consoleUrl}/readyz`);
        const { notes = [] } = await console_().status();
        return `${response.status} ${await response.text()} ${notes.join(' ')}`;
      },
      (text) => text.startsWith('200') && !text.includes('the newest is'),
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
    await startRole('console', ofConsole(site));
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

  it('an edge that was not given what a listener needs says so', async () => {
    await startRole('edge 3', { HILUM_ROLE: 'edge' });
    const edge = running.get('edge 3') ?? unreachable();
    await until(
      async () => (await console_().status()).problems.map(({ message }) => message),
      (problems) => problems.some((each) => /^edge on .*lab-in: .*LAB_PORT/.test(each)),
      20_000,
    );
    await edge.stop();
    running.delete('edge 3');
    await ready();
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
    expect((await cli('deploy', '--diff')).stdout).toMatch(/^\+.*SECOND/m);
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
    // As the files are, beside of what runs.
    expect((await cli('deploy', '--diff')).stdout).toMatch(/^\+.*no table/m);
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
    // The console's files are what runs, as on one machine; what was edited is kept.
    const byId = (nodes: readonly FlowNode[]) => [...nodes].sort((a, b) => (a.id < b.id ? -1 : 1));
    expect(byId(await readFlows(flows))).toEqual(byId(deployed));
    expect((await cli('deploy', '--diff')).stdout).toBe('Nothing has changed.\n');
    expect(git('log', '-2', '--format=%s').split('\n').slice(0, 2)).toEqual([
      'Deploy: lab',
      'Files that were edited and not deployed',
    ]);
  }, 240_000);

  it('go by the profiles of the revision, while connections stay', async () => {
    const [first = 0] = ports;
    const cli = (...args: readonly string[]) => console_().cli(...args);
    const sender = await MllpPartner.connect(first);
    const ask = async (index: number) =>
      readAnswer(await sender.send(buildLabResult({ index, patient: 2 })));
    expect(await ask(701)).toMatch(/^AA/);
    profile('PID-19');
    expect((await cli('deploy', '--diff')).stdout).toMatch(
      /profiles\/acme\.yaml[^]*^\+fields: \{ PID-19/m,
    );
    expect((await cli('deploy')).stdout).toMatch(/: hot\.\n$/);
    await until(
      () => ask(702),
      (answer) => answer.startsWith('AE'),
      20_000,
    );
    const [newest = ''] =
      /^\d+(?= .*Deploy: profiles)/m.exec((await cli('deploy', '--list')).stdout) ?? [];
    expect((await cli('deploy', '--diff', newest)).stdout).toMatch(/^\+fields: \{ PID-19/m);
    const back = await cli('deploy', '--rev', String(Number(newest) - 1));
    expect(back.stdout).toMatch(/with its mappings and profiles/);
    // The edge takes a revision before the worker does, which goes by its profiles too: what it takes by then waits.
    await until(
      () => ask(703),
      (answer) => answer.startsWith('AA'),
      20_000,
    );
    await arrived(703);
    expect(readFileSync(path.join(site, 'profiles', 'acme.yaml'), 'utf8')).toMatch(/PID-8/);
    sender.close();
  }, 120_000);

  it('write what is deployed in the editor to the console’s files, as a commit', async () => {
    const { consoleUrl } = console_();
    const token = /\/setup#(\S+)/.exec(console_().output())?.[1];
    const post = (route: string, body: object, headers: Readonly<Record<string, string>> = {}) =>
      fetch(consoleUrl + route, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', origin: consoleUrl, ...headers },
        body: JSON.stringify(body),
      });
    const user = { username: 'ada', password: 'correct horse battery' };
    const cookie = (await post('/setup', { token, ...user })).headers.get('set-cookie') ?? '';
    const edited: readonly FlowNode[] = (await readFlows(flows)).map((node) =>
      node.id === 'note' ? { ...node, name: 'written in the editor' } : node,
    );
    const headers = { cookie: cookie.split(';', 1)[0] ?? '', 'Node-RED-API-Version': 'v2' };
    const answer = await post('/editor/flows', { flows: edited }, headers);
    expect(answer.status).toBe(200);
    expect(await readFlows(flows)).toEqual(edited);
    expect(git('log', '-1', '--format=%an %s')).toBe('ada Deploy: other\n');
    expect((await console_().cli('deploy', '--diff')).stdout).toBe('Nothing has changed.\n');
  }, 60_000);

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

  it('go on while the console and its editor are away, and tell it what has happened when it is back', async () => {
    const [first = 0] = ports;
    const { consoleUrl } = console_();
    const edge = (await console_().status()).processes.find(({ role }) =>
      role.startsWith('edge @'),
    );
    await console_().kill('supervisor');
    await until(
      () => fetch(`${consoleUrl}/readyz`).then(String, () => 'away'),
      (answer) => answer === 'away',
      10_000,
    );
    expect(await send(first, buildLabResult({ index: 930, patient: 3 }))).toMatch(/^AA/);
    await arrived(930);
    // What ends meanwhile is started again without it.
    process.kill(edge!.pid!, 'SIGKILL');
    await until(
      () => send(first, buildLabResult({ index: 931, patient: 3 })).catch(() => 'refused'),
      (answer) => answer.startsWith('AA'),
      30_000,
    );
    await arrived(931);
    await startRole('console', ofConsole(site));
    await ready();
    const { stdout } = await console_().cli('trace', controlIdOf(930));
    expect(stdout).toMatch(/processed[^]*delivered/);
  }, 120_000);

  it('start with the last revision while PostgreSQL is away, and take the newest when it is back', async () => {
    const [first = 0, , third = 0] = ports;
    await stopRole('edge 2');
    // Queues without an order: one that keeps an order waits for the ledger.
    const tab = { id: 'free', type: 'tab', label: 'free', disabled: false };
    const free: readonly FlowNode[] = [
      { ...mllpIn('free-in', third, 'free-do'), order: 'none' },
      functionNode('free-do', 'return msg;', 'free-out'),
      { ...mllpOut('free-out', partner.port), order: 'none', concurrency: '4' },
    ].map((node) => ({ ...node, x: 1, y: 1, z: 'free' }));
    const env = [{ name: 'HILUM_GROUP', value: 'hot', type: 'str' }];
    const before = [...(await readFlows(flows)), { ...tab, env }, ...free];
    await writeDeployed(flows, before);
    expect(await console_().cli('deploy')).toMatchObject({ code: 0, stderr: '' });
    await until(
      () => send(third, buildLabResult({ index: 950, patient: 4 })).catch(String),
      (answer) => answer.startsWith('AA'),
      30_000,
    );
    await arrived(950);
    await ready();
    await Promise.all(['worker', 'edge'].map(stopRole));
    await writeDeployed(
      flows,
      before.map((node) =>
        node.id === 'free-do'
          ? {
              ...node,
              func: 'msg.payload = msg.payload.replace("|HILUM|", "|NEWER|"); return msg;',
            }
          : node,
      ),
    );
    expect(await console_().cli('deploy')).toMatchObject({ code: 0 });
    await postgres.shutDown();
    await Promise.all([
      startRole('worker', { HILUM_ROLE: 'worker', HILUM_GROUP: 'hot' }),
      startRole('edge', { HILUM_ROLE: 'edge', LAB_PORT: String(first) }),
    ]);
    const readiness = async (name: string) => {
      const response = await fetch(`${running.get(name)?.consoleUrl ?? ''}/readyz`);
      return `${response.status} ${await response.text()}`;
    };
    for (const name of ['worker', 'edge']) {
      expect(await readiness(name)).toMatch(/^200 .*PostgreSQL is away: revision \d+ runs here/);
      expect(running.get(name)?.output()).toMatch(/PostgreSQL is away: revision \d+ runs here/);
    }
    expect(await send(third, buildLabResult({ index: 951, patient: 4 }))).toMatch(/^AA/);
    await arrived(951);
    expect(partner.texts.at(-1)).toContain('|HILUM|');
    const kept = ['worker', 'edge'].map((name) =>
      readFileSync(path.join(dataOf.get(name) ?? '', 'last-revision.json'), 'utf8'),
    );
    expect(kept[1]).toContain('"credentials":{}');
    await postgres.start();
    // As soon as it is there: not with the next try after one that failed.
    await until(
      () => readiness('worker'),
      (text) => text.startsWith('200') && !text.includes('is away'),
      12_000,
    );
    await until(
      async () => {
        const index = 960 + partner.got.length;
        await send(third, buildLabResult({ index, patient: 4 }));
        await arrived(index);
        return partner.texts.at(-1) ?? '';
      },
      (text) => text.includes('|NEWER|'),
      60_000,
    );
    await ready();
  }, 180_000);

  it('have what is deployed in a backup of the database, beside the console’s files', async () => {
    const saved = makeTempFolder('backup');
    const dump = path.join(saved, 'ledger.dump');
    const program = (name: string) => path.join(postgres.programs, name);
    execFileSync(program('pg_dump'), [
      ...['--format=custom', '--schema=hilum', `--file=${dump}`],
      shared['HILUM_LEDGER_URL'] ?? '',
    ]);
    cpSync(site, path.join(saved, 'site'), { recursive: true });
    const list = (await console_().cli('deploy', '--list')).stdout;
    await Promise.all([...running.keys()].map(stopRole));
    const HILUM_LEDGER_URL = await postgres.createDatabase();
    execFileSync(program('pg_restore'), ['--exit-on-error', `--dbname=${HILUM_LEDGER_URL}`, dump]);
    dataOf.clear();
    // As after a crash between the newest revision and the files that it is written to.
    const [newest = ''] = /^\d+(?= )/m.exec(list) ?? [];
    const data = path.join(makeTempFolder('console'), 'data');
    dataOf.set('console', data);
    mkdirSync(data);
    const behind = { after: Number(newest) - 1, isTakenUpAgain: false };
    writeFileSync(path.join(data, 'files-behind.json'), JSON.stringify(behind));
    writeFileSync(path.join(saved, 'site', 'flows', 'free.json'), '[]');
    await startRole('console', { ...ofConsole(path.join(saved, 'site')), HILUM_LEDGER_URL });
    expect((await console_().cli('deploy', '--list')).stdout).toBe(list);
    expect((await console_().cli('deploy', '--diff')).stdout).toBe('Nothing has changed.\n');
    const { stdout } = await console_().cli('trace', controlIdOf(902));
    expect(stdout).toMatch(/processed[^]*delivered/);
    expect((await console_().cli('deploy')).stdout).toMatch(/no worker had to change/);
  }, 120_000);
});

function unreachable(): never {
  throw new Error('It was expected to run.');
}
