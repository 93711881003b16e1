import { execFileSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { FlowNode } from '../../core/interface.ts';
import { encryptCredentials } from '../../runtime/credentials.ts';
import { readFlows } from '../../runtime/deploy/storage.ts';
import { shippedMappings } from '../../runtime/settings.ts';
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
import { describeWith } from '../support/programs.ts';
import { makeTempFolder } from '../support/temp.ts';

describeWith('git', 'deploys from the command line', () => {
  let hilum: RunningHilum;
  let partner: Awaited<ReturnType<typeof openPartner>>;
  let flows: string;
  /** The repository: flows, mappings and profiles in folders of it. */
  let site: string;
  let port = 0;
  let strictPort = 0;
  let checkedPort = 0;
  let service: Server;
  const logins: (string | undefined)[] = [];

  const profile = (required: string): void => {
    const text = `profile: acme\nversion: 2.5.1\nmessages: [ORU^R01]\nfields: { ${required}: R }\n`;
    mkdirSync(path.join(site, 'profiles'), { recursive: true });
    writeFileSync(path.join(site, 'profiles', 'acme.yaml'), text);
  };
  const mapping = () => path.join(site, 'mappings', 'segment', 'PID.Patient.map.yaml');
  const siteSettings = (at: string) => ({
    HILUM_FLOWS: path.join(at, 'flows'),
    HILUM_MAPPINGS: path.join(at, 'mappings'),
    HILUM_PROFILES: path.join(at, 'profiles'),
    HILUM_DEMO: 'off',
  });

  beforeAll(async () => {
    partner = await openPartner(true);
    service = createServer((request, response) => {
      logins.push(request.headers.authorization);
      response.end('ok');
    });
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
    const [free = 0, other = 0, strict = 0, checked = 0] = await findFreePorts(4);
    port = free;
    strictPort = strict;
    checkedPort = checked;
    const call = {
      ...{ id: 'checked-call', type: 'http request', method: 'POST', ret: 'txt' },
      ...{ url: `http://127.0.0.1:${(service.address() as AddressInfo).port}/` },
      ...{ authType: 'basic', wires: [[]] },
    };
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
        strict: [
          { ...mllpIn('strict-in', strict, 'strict-out', 'validated'), profile: 'acme' },
          mllpOut('strict-out', partner.port),
        ],
        checked: [
          mllpIn('checked-in', checked, 'checked-do'),
          {
            ...{ id: 'checked-do', type: 'hl7 validate', version: '', profile: 'acme' },
            wires: [['checked-out', 'checked-call'], []],
          },
          mllpOut('checked-out', partner.port),
          call,
        ],
      },
      {
        one: { HILUM_GROUP: 'one' },
        sick: { HILUM_GROUP: 'sick' },
        strict: { HILUM_GROUP: 'one' },
        checked: { HILUM_GROUP: 'checked' },
      },
    );
    site = path.dirname(flows);
    profile('PID-8');
    cpSync(shippedMappings, path.join(site, 'mappings'), { recursive: true });
    execFileSync('git', ['-C', site, 'init', '--quiet']);
    execFileSync('git', ['-C', site, 'add', '.']);
    const data = path.join(makeTempFolder('data'), 'hilum');
    mkdirSync(data);
    const credentials = { 'checked-call': { user: 'ada', password: 'secret' } };
    writeFileSync(path.join(data, 'credential-secret'), 'of this test');
    writeFileSync(
      path.join(data, 'credentials.json'),
      JSON.stringify(encryptCredentials(credentials, 'of this test')),
    );
    hilum = await startHilum({ ...siteSettings(site), HILUM_DATA: data });
  }, 120_000);

  afterAll(async () => {
    await hilum.stop();
    partner.close();
    service.close();
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
    // Node-RED says that all has started, and a message would end there as if it were through.
    await edit('one-do', { initialize: '// None.', x: undefined, y: undefined });
    const missing = await hilum.cli('deploy');
    expect([missing.code, missing.stderr]).toEqual([
      2,
      expect.stringMatching(/one-do: .*no place in the editor \(x and y\)/),
    ]);
    expect(await through(401)).toMatch(/\|SECOND\|/);
    await edit('one-do', { initialize: '', x: 1, y: 1 });
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

  it('take profiles along: a listener stays connected, and workers change that check by them', async () => {
    const sender = await MllpPartner.connect(strictPort);
    const ask = async (index: number) =>
      readAnswer(await sender.send(buildLabResult({ index, patient: 2 })));
    expect(await ask(701)).toMatch(/^AA/);
    profile('PID-19');
    appendFileSync(mapping(), '# edited\n');
    expect(await ask(702)).toMatch(/^AA/);
    const diff = (await hilum.cli('deploy', '--diff')).stdout;
    expect([diff, diff]).toEqual([
      expect.stringMatching(/^\+fields: \{ PID-19: R/m),
      expect.stringMatching(/^\+# edited/m),
    ]);
    const other = await pidOf('worker one');
    expect((await hilum.cli('deploy')).stdout).toMatch(/: checked\.\n$/);
    await until(
      () => ask(703),
      (answer) => answer.startsWith('AE'),
      10_000,
    );
    expect(await pidOf('worker one')).toBe(other);
    await until(
      async () => {
        await send(checkedPort, buildLabResult({ index: 704, patient: 2 }));
        return (await hilum.cli('trace', controlIdOf(704))).stdout;
      },
      (trace) => /dead-lettered[^]*PID-19/.test(trace),
      20_000,
    );

    profile('PID-99');
    const { code, stderr } = await hilum.cli('deploy');
    expect(code).toBe(2);
    for (const node of ['strict-in', 'checked-do']) {
      expect(stderr).toMatch(new RegExp(`${node}: .*acme\\.yaml:4:\\d+: .*PID-99`));
    }
    // Who starts again gets what is deployed, not what is being edited.
    sender.close();
    await hilum.kill('edge');
    await until(
      () => send(strictPort, buildLabResult({ index: 705, patient: 2 })).catch(String),
      (answer) => answer.startsWith('AE'),
      20_000,
    );
  }, 120_000);

  it('go back to an earlier revision, with its mappings and profiles', async () => {
    const { stdout } = await hilum.cli('deploy', '--list');
    const revisions = stdout
      .split('\n')
      .filter((line) => /^[0-9a-f]{12} /.test(line))
      .map((line) => line.slice(0, 12));
    expect(stdout).toMatch(/Deploy: mappings, profiles/);
    expect(revisions.length).toBeGreaterThanOrEqual(5);
    expect((await hilum.cli('deploy', '--diff', revisions[0] ?? '')).stdout).toMatch(
      /^\+fields: \{ PID-19/m,
    );
    // The first commit is of the first deploy: all as it was at the start.
    const back = await hilum.cli('deploy', '--rev', revisions.at(-1) ?? '');
    expect([back.code, back.stderr]).toEqual([0, '']);
    expect(back.stdout).toMatch(/with its mappings and profiles/);
    await settled(/\|HILUM\|/, 900);
    expect(await send(strictPort, buildLabResult({ index: 801, patient: 2 }))).toMatch(/^AA/);
    expect(readFileSync(path.join(site, 'profiles', 'acme.yaml'), 'utf8')).toMatch(/PID-8: R/);
    expect(readFileSync(mapping(), 'utf8')).not.toMatch(/# edited/);
    // What was edited and not deployed is not lost.
    expect((await hilum.cli('deploy', '--list')).stdout).toMatch(/edited and not deployed/);
    expect((await hilum.cli('deploy', '--diff', 'HEAD^')).stdout).toMatch(/^\+fields: \{ PID-99/m);
    expect((await hilum.cli('deploy')).stdout).toMatch(/no worker had to change/);
  }, 120_000);

  it('run again from a backup, in another place', async () => {
    const saved = makeTempFolder('backup');
    const restored = path.join(makeTempFolder('restored'), 'hilum');
    expect(await send(checkedPort, buildLabResult({ index: 1951, patient: 2 }))).toMatch(/^AA/);
    await until(
      () => Promise.resolve(partner.got),
      (got) => got.includes(controlIdOf(1951)),
      15_000,
    );
    expect((await hilum.cli('ledger', 'backup', path.join(saved, 'ledger.db'))).code).toBe(0);
    cpSync(site, path.join(saved, 'site'), { recursive: true });
    for (const name of ['credentials.json', 'credential-secret']) {
      cpSync(path.join(hilum.dataDirectory, name), path.join(saved, name));
    }
    await hilum.stop();
    logins.length = 0;
    mkdirSync(restored);
    cpSync(path.join(saved, 'ledger.db'), path.join(restored, 'hilum.db'));
    for (const name of ['credentials.json', 'credential-secret']) {
      cpSync(path.join(saved, name), path.join(restored, name));
    }
    hilum = await startHilum({
      ...siteSettings(path.join(saved, 'site')),
      HILUM_DATA: restored,
    });
    expect((await hilum.cli('trace', controlIdOf(1951))).stdout).toMatch(/processed[^]*delivered/);
    expect(await send(checkedPort, buildLabResult({ index: 1952, patient: 2 }))).toMatch(/^AA/);
    await until(
      () => Promise.resolve(logins),
      (all) => all.length > 0,
      15_000,
    );
    expect(logins[0]).toBe(`Basic ${Buffer.from('ada:secret').toString('base64')}`);
    expect((await hilum.cli('deploy')).stdout).toMatch(/no worker had to change/);
  }, 120_000);
});
