import type { InterfaceView } from '../../console/api/interfaces.ts';
import { buildEnvelope, startConsole, type RunningConsole } from './console-server.ts';

let running: RunningConsole;
let cookie: string;

beforeAll(async () => {
  running = await startConsole();
  cookie = await running.setUp();
}, 60_000);

afterAll(() => running.close());

const get = (path: string): Promise<Response> => running.request(path, { cookie });
const post = (path: string, body: object): Promise<Response> =>
  running.post(path, body, { cookie, origin: running.url });

it('shows what waits for an interface and when its last message came', async () => {
  const receivedAt = new Date(running.now()).toISOString();
  await running.receive(buildEnvelope({ id: 'm1', receivedAt }), 'in.lab');
  const [lab] = (await (await get('/api/interfaces')).json()) as InterfaceView[];
  expect(lab).toMatchObject({ id: 'lab', waiting: 1, dead: 0, lastMessageAt: receivedAt });
  expect(lab?.listeners.map(({ id }) => id)).toEqual(['lab']);
});

it('stops and starts one by its id or its name, and says who did it', async () => {
  const stopped = await post('/api/interfaces/Lab%20results/stop', { reason: 'moves' });
  expect(stopped.status).toBe(200);
  const [lab] = running.interfaces();
  expect(lab).toMatchObject({ id: 'lab', state: 'stopped', cause: 'operator' });
  expect(lab?.reason).toMatch(/Stopped by ada: moves/);
  expect((await post('/api/interfaces/lab/start', {})).status).toBe(200);
  expect(running.interfaces()).toMatchObject([{ id: 'lab', state: 'running' }]);
});

it('refuses strangers, and names that nothing has', async () => {
  expect((await running.post('/api/interfaces/lab/stop', {})).status).toBe(401);
  expect((await running.request('/api/interfaces')).status).toBe(401);
  const unknown = await post('/api/interfaces/nothing/stop', {});
  expect(unknown.status).toBe(404);
  expect(await unknown.json()).toMatchObject({ error: { code: 'interface-unknown' } });
});
