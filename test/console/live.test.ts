import { once } from 'node:events';
import type { WebSocket } from 'ws';
import { signedOutCode } from '../../console/api/views.ts';
import { buildEnvelope, readLive, startConsole, type RunningConsole } from './console-server.ts';

let running: RunningConsole;
let cookie: string;
beforeEach(async () => {
  running = await startConsole();
  cookie = await running.setUp();
});
afterEach(() => running.close());

/** The status of a handshake that was refused. */
async function refusal(socket: WebSocket): Promise<number | undefined> {
  socket.on('error', () => undefined);
  const [, response] = (await once(socket, 'unexpected-response')) as [
    unknown,
    { statusCode?: number },
  ];
  return response.statusCode;
}

describe('/api/live', () => {
  it('sends everything at once, then again when something changed', async () => {
    const live = readLive(running.connect('/api/live', { cookie }));
    const first = await live.next();
    expect(first).toMatchObject({
      type: 'snapshot',
      status: { version: '0.0.0-test', ready: true },
      messages: [],
    });
    const queues = first.type === 'snapshot' ? first.queues : [];
    expect(queues.find(({ queue }) => queue === 'in.lab')).toMatchObject({
      ready: 0,
      history: { in: expect.any(Array) as unknown },
    });
    await running.receive(buildEnvelope({ id: 'm1' }), 'in.lab');
    let message = await live.next();
    // Ledger and broker are looked at one after the other: the two may arrive in two steps.
    while (message.type !== 'snapshot' || message.messages.length === 0)
      message = await live.next();
    expect(message.messages[0]).toMatchObject({ id: 'm1', controlId: 'C-m1', state: 'queued' });
    expect(JSON.stringify(message)).not.toContain('patient-of-this-test');
  });

  it('is silent while nothing changes, but for a heartbeat', async () => {
    const socket = running.connect('/api/live', { cookie });
    const live = readLive(socket);
    expect((await live.next()).type).toBe('snapshot');
    const looksBefore = running.looks();
    while (running.looks() < looksBefore + 3) await new Promise(setImmediate);
    running.advance(16_000);
    expect((await live.next()).type).toBe('heartbeat');
  });

  it('looks once for all who watch, and not at all when nobody does', async () => {
    const sockets = Array.from({ length: 5 }, () => running.connect('/api/live', { cookie }));
    const lives = sockets.map(readLive);
    for (const live of lives) expect((await live.next()).type).toBe('snapshot');
    // Five watchers, one look a tick: the looks do not multiply.
    const from = running.looks();
    const startedAt = performance.now();
    while (running.looks() < from + 5) await new Promise(setImmediate);
    expect(performance.now() - startedAt).toBeGreaterThan(3 * 20);

    for (const socket of sockets) socket.close();
    await Promise.all(lives.map(({ closed }) => closed));
    await running.request('/healthz');
    const after = running.looks();
    // Five ticks' time: that nothing happens shows in time alone.
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(running.looks()).toBe(after);
  });

  it('tells that ledger or broker do not answer', async () => {
    const live = readLive(running.connect('/api/live', { cookie }));
    expect((await live.next()).type).toBe('snapshot');
    await running.owner.close();
    let message = await live.next();
    while (message.type === 'snapshot') message = await live.next();
    expect(message.type).toBe('fault');
  });

  it.each([
    ['no session', {}, 401],
    ['an unknown session', { cookie: `hilum_sid=${'x'.repeat(43)}` }, 401],
  ])('refuses %s', async (_what, headers, status) => {
    expect(await refusal(running.connect('/api/live', headers))).toBe(status);
  });

  it('refuses a page from elsewhere, whatever its cookie', async () => {
    const origin = 'http://elsewhere.example';
    expect(await refusal(running.connect('/api/live', { cookie, origin }))).toBe(403);
    const own = readLive(running.connect('/api/live', { cookie, origin: running.url }));
    expect((await own.next()).type).toBe('snapshot');
  });

  it('is closed at logout, with the code that leads to the login', async () => {
    const other = await running.signIn();
    const live = readLive(running.connect('/api/live', { cookie }));
    const otherSocket = running.connect('/api/live', { cookie: other });
    const otherLive = readLive(otherSocket);
    await Promise.all([live.next(), otherLive.next()]);
    await running.post('/logout', {}, { cookie });
    expect(await live.closed).toBe(signedOutCode);
    expect(otherSocket.readyState).toBe(otherSocket.OPEN);
  });

  it('is closed when the session has ended by itself: watching does not prolong it', async () => {
    const live = readLive(running.connect('/api/live', { cookie }));
    expect((await live.next()).type).toBe('snapshot');
    running.advance(61 * 60_000);
    expect(await live.closed).toBe(signedOutCode);
  });
});

describe('the editor’s websocket', () => {
  it('keeps its own path, and its connection ends at logout', async () => {
    const socket = running.connect('/editor/comms', { cookie, origin: running.url });
    const [greeting] = (await once(socket, 'message')) as [Buffer];
    expect(JSON.parse(greeting.toString())).toEqual({ cookie });
    socket.on('error', () => undefined);
    const closed = once(socket, 'close');
    await running.post('/logout', {}, { cookie });
    await closed;
  });

  it('is not reached by a page from elsewhere', async () => {
    const socket = running.connect('/editor/comms', { cookie, origin: 'http://elsewhere.example' });
    expect(await refusal(socket)).toBe(403);
  });
});

it('refuses a websocket anywhere else', async () => {
  expect(await refusal(running.connect('/elsewhere', { cookie }))).toBe(404);
});
