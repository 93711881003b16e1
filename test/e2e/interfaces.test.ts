import type { InterfaceView } from '../../console/api/interfaces.ts';
import { makeAuthority, type Authority } from '../support/certificates.ts';
import { functionNode, mllpIn, mllpOut, send, writeFlows } from '../support/flow-files.ts';
import { startHilum, until, type RunningHilum } from '../support/hilum.ts';
import { openTalkingPartner } from '../support/partner.ts';
import { findFreePorts } from '../support/ports.ts';
import { makeTempFolder } from '../support/temp.ts';
import { buildLabResult } from '../support/lab-results.ts';

let hilum: RunningHilum;
let env: Readonly<Record<string, string>>;
let ports: { readonly lab: number; readonly other: number; readonly picky: number };
let authority: Authority;
let partner: Awaited<ReturnType<typeof openTalkingPartner>>;

beforeAll(async () => {
  partner = await openTalkingPartner(() => 'AA');
  const [lab = 0, other = 0, picky = 0, secure = 0] = await findFreePorts(4);
  authority = await makeAuthority(makeTempFolder('secure'), 'Hospital');
  const { files } = await authority.issue({ name: 'hilum', dns: ['localhost'] });
  ports = { lab, other, picky };
  env = {
    HILUM_DEMO: 'off',
    HILUM_FLOWS: writeFlows(
      {
        lab: [mllpIn('lab-in', lab, 'lab-out'), mllpOut('lab-out', partner.port)],
        other: [mllpIn('other-in', other, 'other-out'), mllpOut('other-out', partner.port)],
        picky: [
          mllpIn('picky-in', picky, 'picky-do'),
          functionNode('picky-do', 'throw new Error("not this one");', ''),
        ],
        secure: [
          {
            ...mllpIn('secure-in', secure, 'secure-out'),
            ...{ tls: 'on', tlsCertificate: files.certificate, tlsKey: files.key },
          },
          mllpOut('secure-out', partner.port),
        ],
      },
      { other: { HILUM_GROUP: 'other' } },
    ),
  };
  hilum = await startHilum(env);
}, 120_000);

afterAll(async () => {
  expect(await hilum.stop()).toBe(0);
  await partner.close();
}, 60_000);

let sent = 0;
const message = (): string => buildLabResult({ index: (sent += 1), patient: 1 });
const list = async (): Promise<readonly InterfaceView[]> =>
  JSON.parse((await hilum.cli('interfaces', 'list', '--json')).stdout) as InterfaceView[];
const find = async (id: string): Promise<InterfaceView | undefined> =>
  (await list()).find((each) => each.id === id);

it('follows a test message through an interface, step by step, to its end', async () => {
  const { code, stdout } = await hilum.cli('interfaces', 'test', 'lab');
  expect(stdout).toMatch(/answered AA\n[^]*#1 processed[^]*#2 delivered[^]*It went through\.\n$/);
  expect(code).toBe(0);
  const [controlId = ''] = /^TEST\w+/.exec(stdout) ?? [];
  expect(partner.got).toContain(controlId);
  const { lastMessageAt, waiting, state, group } = (await find('lab'))!;
  expect({ waiting, state, group }).toEqual({ waiting: 0, state: 'running', group: 'default' });
  expect(Date.now() - Date.parse(lastMessageAt!)).toBeLessThan(60_000);
}, 60_000);

it('sends a test message over TLS where the listener speaks that', async () => {
  const test = (...args: string[]) => hilum.cli('interfaces', 'test', 'secure', ...args);
  const unknown = await test();
  expect([unknown.code, unknown.stderr]).toEqual([
    2,
    expect.stringContaining('an authority that is not trusted'),
  ]);
  const known = await test('--authorities', authority.file, '--server-name', 'localhost');
  expect([known.code, known.stdout]).toEqual([
    0,
    expect.stringMatching(/over TLS\n[^]*It went through\.\n$/),
  ]);
}, 60_000);

it('says with its exit code that a test message did not go through, or had no end', async () => {
  const refused = await hilum.cli('interfaces', 'test', 'picky', '--timeout', '1');
  expect(refused.stdout).toMatch(/It had no end within 1 s: hilum trace TEST/);
  expect(refused.code).toBe(3);
  const none = await hilum.cli('interfaces', 'test', 'nobody');
  expect(none.stderr).toMatch(/found none of that name; see hilum interfaces list/);
  expect(none.code).toBe(2);
}, 60_000);

it('stops one interface alone, over a restart, until it is started', async () => {
  const stopped = await hilum.cli('interfaces', 'stop', 'lab', '--reason', 'the lab moves');
  expect(stopped).toMatchObject({ code: 0, stdout: 'lab (lab): stopped\n' });
  await until(
    () => send(ports.lab, message()).catch(() => 'refused'),
    (answer) => answer === 'refused',
    20_000,
  );
  expect(await send(ports.other, message())).toMatch(/^AA/);
  const tried = await hilum.cli('interfaces', 'test', 'lab');
  expect(tried.code).toBe(2);
  expect(tried.stderr).toMatch(/is stopped\. Stopped by cli: the lab moves\. Start it with/);

  expect(await hilum.stop()).toBe(0);
  hilum = await startHilum({ ...env, HILUM_DATA: hilum.dataDirectory });
  const view = (await find('lab'))!;
  expect(view).toMatchObject({ state: 'stopped', cause: 'operator' });
  expect([...view.listeners, ...view.senders].map(({ state }) => state)).toEqual([
    'stopped',
    'stopped',
  ]);
  await expect(send(ports.lab, message())).rejects.toThrow();
  // It is as somebody wants it.
  expect((await hilum.status()).problems).toEqual([]);

  expect((await hilum.cli('interfaces', 'start', 'lab')).stdout).toBe('lab (lab): running\n');
  await until(
    () => find('lab'),
    (each) => each?.listeners[0]?.state === 'listening',
    20_000,
  );
  expect((await hilum.cli('interfaces', 'test', 'lab')).code).toBe(0);
}, 180_000);
