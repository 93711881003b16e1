import { once } from 'node:events';
import http from 'node:http';
import { join } from 'node:path';
import express from 'express';
import type { MessageView, QueueView, TraceView } from '../../console/api/views.ts';
import { HilumError } from '../../core/errors.ts';
import { buildEnvelope, silent, startConsole, type RunningConsole } from './console-server.ts';

let running: RunningConsole;
let cookie: string;
beforeAll(async () => {
  running = await startConsole();
  cookie = await running.setUp();
});
afterAll(() => running.close());

const get = async (path: string): Promise<unknown> =>
  (await running.request(path, { cookie })).json();

describe('without a session', () => {
  it.each([
    ['GET', '/api/status'],
    ['GET', '/api/queues'],
    ['GET', '/api/messages'],
    ['GET', '/api/messages/x'],
    ['POST', '/api/messages/x/replay'],
    ['GET', '/api/nothing'],
  ])('%s %s is refused as JSON', async (method, path) => {
    const answer = await running.request(path, { method });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(await answer.json()).toEqual({
      error: { code: 'signed-out', message: 'Expected a session, found none; sign in.' },
    });
  });
});

describe('the queues', () => {
  it('say how much waits, since when, and what moved in the last minute', async () => {
    const [before] = (await get('/api/queues')) as QueueView[];
    const receivedAt = new Date(running.now() - 5000).toISOString();
    await running.receive(buildEnvelope({ receivedAt }), 'in.lab');
    const [after] = (await get('/api/queues')) as QueueView[];
    expect(after).toEqual({
      queue: 'in.lab',
      interface: 'lab',
      label: 'From the lab',
      ready: before!.ready + 1,
      unsettled: 0,
      dead: 0,
      oldestAt: receivedAt,
      oldestAgeSeconds: 5,
      ratePerMinute: { in: before!.ratePerMinute.in + 1, out: 0 },
    });
  });
});

describe('the messages', () => {
  it('come newest first, page by page, by state, without body and ordering key', async () => {
    const own = await startConsole();
    try {
      const ownCookie = await own.setUp();
      const read = async (query: string): Promise<MessageView[]> =>
        (await (
          await own.request(`/api/messages${query}`, { cookie: ownCookie })
        ).json()) as MessageView[];
      const ids = ['m1', 'm2', 'm3'];
      for (const [index, id] of ids.entries()) {
        const receivedAt = new Date(own.now() + index).toISOString();
        await own.receive(buildEnvelope({ id, receivedAt }), 'in.lab');
      }
      await own.append({
        messageId: 'm2',
        kind: 'dead-lettered',
        at: new Date(own.now() + 5).toISOString(),
        queue: 'in.lab',
      });
      expect((await read('')).map(({ id }) => id)).toEqual(['m3', 'm2', 'm1']);
      expect((await read('?limit=2')).map(({ id }) => id)).toEqual(['m3', 'm2']);
      expect((await read('?limit=2&before=m2')).map(({ id }) => id)).toEqual(['m1']);
      expect((await read('?state=dead-lettered')).map(({ id }) => id)).toEqual(['m2']);
      expect(await read('?interface=other')).toEqual([]);
      const [newest] = await read('');
      expect(newest).toMatchObject({ interfaceLabel: 'Lab results', state: 'queued', bytes: 12 });
      expect(JSON.stringify(newest)).not.toContain('patient-of-this-test');
      expect(newest).not.toHaveProperty('body');
    } finally {
      await own.close();
    }
  });

  it.each([['limit=0'], ['limit=501'], ['limit=x'], ['state=lost'], ['before=a&before=b']])(
    'answer 400 to ?%s',
    async (query) => {
      const answer = await running.request(`/api/messages?${query}`, { cookie });
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ error: { code: 'query-invalid' } });
    },
  );
});

describe('a trace', () => {
  it('is found by message id and control id, with what was made of it, in order of time', async () => {
    const at = (ms: number): string =>
      new Date(Date.parse('2026-01-02T03:04:05Z') + ms).toISOString();
    const parent = buildEnvelope({ controlId: 'T/1', receivedAt: at(0) });
    const child = buildEnvelope({
      controlId: 'T/1',
      correlationId: parent.id,
      causationId: parent.id,
      receivedAt: at(7),
    });
    const issue = {
      code: 'required-field-missing',
      severity: 'error',
      location: 'PID-3',
      message: 'Expected an identifier, found none.',
    } as const;
    await running.receive(parent, 'in.lab');
    await running.client.ledger.append([
      { type: 'message', envelope: child },
      { type: 'event', event: { messageId: child.id, kind: 'sent', at: at(7), queue: 'out.ehr' } },
      {
        type: 'event',
        event: {
          messageId: child.id,
          kind: 'dead-lettered',
          at: at(1500),
          queue: 'out.ehr',
          attempt: 2,
          issues: [issue],
        },
      },
    ]);
    const byId = (await get(`/api/messages/${parent.id}`)) as TraceView;
    const byControlId = (await get('/api/messages/T%2F1')) as TraceView;
    expect(byControlId).toEqual(byId);
    expect(byId.id).toBe(parent.id);
    expect(byId.messages.map(({ id }) => id).toSorted()).toEqual([parent.id, child.id].toSorted());
    expect(byId.steps.map(({ kind, sinceReceivedMs }) => [kind, sinceReceivedMs])).toEqual([
      ['received', 0],
      ['queued', 0],
      ['sent', 7],
      ['dead-lettered', 1500],
    ]);
    expect(byId.steps.at(-1)).toEqual({
      messageId: child.id,
      kind: 'dead-lettered',
      at: at(1500),
      sinceReceivedMs: 1500,
      queue: 'out.ehr',
      attempt: 2,
      issues: [issue],
    });
    expect(JSON.stringify(byId)).not.toContain('patient-of-this-test');
    expect(((await get(`/api/messages/${child.id}`)) as TraceView).id).toBe(child.id);
  });

  it('of an unknown id is a 404 that says what to do', async () => {
    const answer = await running.request('/api/messages/unknown', { cookie });
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ error: { code: 'message-unknown' } });
  });
});

describe('a replay', () => {
  it('is asked of the engine for the message of a control id, in the name of the user', async () => {
    const envelope = buildEnvelope({ controlId: 'R1' });
    await running.receive(envelope, 'in.lab');
    const answer = await running.post('/api/messages/R1/replay', {}, { cookie });
    expect(answer.status).toBe(201);
    expect(await answer.json()).toEqual({ id: 'the-new-one' });
    expect(running.control.replayed.at(-1)).toEqual({ id: envelope.id, by: 'ada' });
  });

  it('of an unknown message is a 404 and asks nothing of the engine', async () => {
    const before = running.control.replayed.length;
    const answer = await running.post('/api/messages/unknown/replay', {}, { cookie });
    expect(answer.status).toBe(404);
    expect(running.control.replayed).toHaveLength(before);
  });
});

it('shows what runs, with the version', async () => {
  expect(await get('/api/status')).toEqual({
    version: '0.0.0-test',
    ready: true,
    ...running.control.running,
    alarms: [],
    problems: [],
  });
});

it('shows the alarms that stand, and that nobody is told', async () => {
  for (const id of ['m1', 'm2']) await running.receive(buildEnvelope({ id }), 'in.lab');
  await running.alarms.look();
  await running.alarms.look();
  const alarm = {
    kind: 'backlog',
    interface: 'lab',
    interfaceLabel: 'Lab results',
    queue: 'in.lab',
    value: expect.any(Number) as number,
    limit: 2,
    unit: 'messages',
  };
  expect(await get('/api/alarms')).toMatchObject({
    standing: [alarm],
    receiver: { pending: 0, dropped: 0 },
  });
  expect(await get('/api/status')).toMatchObject({ alarms: [alarm] });
  const text = await (await running.request('/metrics')).text();
  expect(text).toContain('hilum_alarm_standing{interface="lab",queue="in.lab",kind="backlog"} 1');
  const tested = await running.request('/api/alarms/test', { method: 'POST', cookie });
  expect(await tested.json()).toMatchObject({ taken: false });
});

it('answers the same on the local socket, without a login', async () => {
  const socketPath = join(running.folder, 'local.sock');
  const server = http.createServer(express().use(running.console.localRouter));
  server.listen(socketPath);
  await once(server, 'listening');
  const call = async (method: string, path: string): Promise<{ status: number; body: unknown }> => {
    const request = http.request({ socketPath, method, path });
    request.end();
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    const text = (await response.toArray()).join('');
    return { status: response.statusCode!, body: JSON.parse(text) as unknown };
  };
  try {
    const envelope = buildEnvelope();
    await running.receive(envelope, 'in.lab');
    expect(await call('GET', `/api/messages/${envelope.id}`)).toMatchObject({
      status: 200,
      body: { id: envelope.id },
    });
    expect((await call('GET', '/api/queues')).status).toBe(200);
    expect((await call('GET', '/api/nothing')).status).toBe(404);
    expect((await call('POST', `/api/messages/${envelope.id}/replay`)).status).toBe(201);
    expect(running.control.replayed.at(-1)).toEqual({ id: envelope.id, by: 'cli' });
  } finally {
    server.close();
  }
});

it('names a failure of its own by an id that the log has, and tells nothing else', async () => {
  const logged: object[] = [];
  const own = await startConsole({ ...silent, error: (fields) => logged.push(fields) });
  try {
    const ownCookie = await own.setUp();
    own.control.replay = () => Promise.reject(new Error('with a secret'));
    await own.receive(buildEnvelope({ id: 'm1' }), 'in.lab');
    const answer = await own.post('/api/messages/m1/replay', {}, { cookie: ownCookie });
    expect(answer.status).toBe(500);
    const text = await answer.text();
    expect(text).toContain('request-1');
    expect(text).not.toContain('secret');
    expect(logged).toEqual([expect.objectContaining({ requestId: 'request-1' })]);

    own.control.replay = () =>
      Promise.reject(
        new HilumError('transient', [
          { code: 'broker-unavailable', severity: 'error', message: 'The broker does not answer' },
        ]),
      );
    const later = await own.post('/api/messages/m1/replay', {}, { cookie: ownCookie });
    expect(later.status).toBe(503);
    expect(await later.json()).toMatchObject({ error: { code: 'broker-unavailable' } });
  } finally {
    await own.close();
  }
});
