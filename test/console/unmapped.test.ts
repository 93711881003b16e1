import type { UnmappedView } from '../../console/api/unmapped.ts';
import type { HeldCode } from '../../core/held-code.ts';
import { until } from '../support/hilum.ts';
import { buildEnvelope, startConsole, type RunningConsole } from './console-server.ts';

const queue = 'in.lab';
let running: RunningConsole;
let cookie: string;
beforeEach(async () => {
  running = await startConsole();
  cookie = await running.setUp();
});
afterEach(() => running.close());

const list = async (): Promise<readonly UnmappedView[]> =>
  (await (
    await running.request('/api/mapping/unmapped', { cookie })
  ).json()) as readonly UnmappedView[];

async function hold(code: string, display: string, more: Partial<HeldCode> = {}): Promise<string> {
  const held: HeldCode = {
    ...{ node: 'map', layers: 'acme', map: 'PID.Patient', rule: 'PID-8.gender', table: 'sex' },
    ...{ code, display, source: 'PID-8', ...more },
  };
  const issues = [{ code: 'code-unmapped-held', severity: 'error', message: 'It waits.' }] as const;
  const envelope = buildEnvelope({});
  await running.receive(envelope, queue);
  const at = new Date(running.now()).toISOString();
  await running.append({ messageId: envelope.id, kind: 'parked', at, queue, issues, held: [held] });
  return envelope.id;
}

it('lists the codes for which messages are held, and where to add them', async () => {
  expect(await list()).toEqual([]);
  const id = await hold('9X', 'Other sex');
  expect(await list()).toMatchObject([
    {
      ...{ interface: 'lab', interfaceLabel: 'Lab results', rules: ['PID.Patient#PID-8.gender'] },
      ...{ table: 'sex', code: '9X', display: 'Other sex', sources: ['PID-8'], messages: 1 },
      ...{ examples: [id], isMapped: true, add: { file: 'layers/acme/sex.csv', row: '9X,TARGET' } },
    },
  ]);
});

it('serves no text that stands in the place of a code', async () => {
  await hold('see Mrs Example', 'Mrs Example', { system: 'as Mrs Example says' });
  const [item] = await list();
  expect(JSON.stringify(item)).not.toContain('Example');
  expect(item).toMatchObject({ table: 'sex', messages: 1 });
  expect(item).not.toHaveProperty('add');
});

it('is for those who are signed in, and takes decisions from its own page alone', async () => {
  await hold('9X', 'Other sex');
  const id = (await list())[0]!.id;
  const path = `/api/mapping/unmapped/${id}/skip`;
  expect((await running.request('/api/mapping/unmapped')).status).toBe(401);
  expect((await running.post(path, {})).status).toBe(401);
  expect((await running.post(path, {}, { cookie, origin: 'http://elsewhere' })).status).toBe(403);
  expect((await running.post(`${path}er`, {}, { cookie })).status).toBe(400);
  expect((await running.post('/api/mapping/unmapped/none/skip', {}, { cookie })).status).toBe(409);
  const done = await running.post(path, { reason: 'never sent again' }, { cookie });
  expect([done.status, await done.json()]).toEqual([200, { id, messages: 1 }]);
  const [example = ''] = (await list())[0]!.examples;
  await running.held.look();
  // What is held is asked for again after ten times as long as the ledger took to answer.
  await until(list, (items) => items.length === 0, 10_000);
  const trace = await running.client.ledger.trace(example);
  expect(trace?.events.at(-1)).toMatchObject({
    kind: 'dead-lettered',
    summary: 'by ada: never sent again',
  });
});

it('counts what is held, and since when, without anything of a message', async () => {
  await hold('9X', 'Other sex', { system: 'urn:id:Example' });
  await hold('9Y', 'Other sex', { system: 'http://loinc.org' });
  await hold('9Y', 'Other sex', { system: 'http://loinc.org' });
  await hold('9Z', 'Other sex', { system: 'as Mrs Example says' });
  for (let at = 0; at < 30; at += 1) {
    await hold(`1${at}`, 'Other sex', { system: `http://example.org/${at}` });
  }
  running.advance(60_000);
  const read = async (): Promise<string> => (await running.request('/metrics')).text();
  const text = await read();
  const valueOf = (labels: string): number | undefined => {
    const line = text.split('\n').find((each) => each.startsWith(`hilum_held_messages{${labels}}`));
    return line === undefined ? undefined : Number(line.split(' ').at(-1));
  };
  expect(valueOf('interface="lab",system="local"')).toBe(1);
  expect(valueOf('interface="lab",system="http://loinc.org"')).toBe(2);
  // Of so many systems nineteen more have a name.
  expect(valueOf('interface="lab",system="other"')).toBe(1 + 11);
  expect(text.match(/^hilum_held_messages/gm)).toHaveLength(22);
  expect(text).not.toMatch(/Example/);
  const age = /^hilum_held_oldest_age_seconds\{interface="lab"\} ([\d.]+)/m.exec(text)?.[1];
  expect(Number(age)).toBeGreaterThan(59);
  // The next reading names the same.
  expect((await read()).match(/^hilum_held_messages/gm)).toHaveLength(22);
  expect(text).toMatch(/^hilum_held_put_back_total 0$/m);
});

it('counts what went on and what was given up', async () => {
  await hold('9X', 'Other sex');
  const id = (await list())[0]!.id;
  await running.post(`/api/mapping/unmapped/${id}/skip`, {}, { cookie });
  await running.held.look();
  const text = await until(
    async () => (await running.request('/metrics')).text(),
    (figures) => !/^hilum_held_messages\{/m.test(figures),
    10_000,
  );
  expect(text).toMatch(/^hilum_held_released_total\{interface="lab",how="skip"\} 1$/m);
});
