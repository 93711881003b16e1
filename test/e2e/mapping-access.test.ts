import { startHilum, type RunningHilum } from '../support/hilum.ts';

let hilum: RunningHilum;
let cookie: string;

beforeAll(async () => {
  hilum = await startHilum({ HILUM_DEMO: 'off' });
  const [, token] = /\/setup#(\S+)/.exec(hilum.output()) ?? [];
  const answer = await post('/setup', {
    ...{ token, username: 'ada', password: 'correct horse battery' },
  });
  cookie = (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
}, 120_000);

afterAll(async () => {
  expect(await hilum.stop()).toBe(0);
}, 60_000);

const post = (path: string, body: object, headers: Record<string, string> = {}) =>
  fetch(hilum.consoleUrl + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    redirect: 'manual',
  });

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(hilum.consoleUrl + path, { headers, redirect: 'manual' });

describe('the mappings that the editor offers', () => {
  const trial = { message: 'MSH|^~\\&|A|B|||20260102||ADT^A08|1|P|2.5.1\rPID|||1||Low' };

  it('are shown to nobody who has not logged in', async () => {
    const strangers = [{}, { cookie: 'hilum=forged' }];
    for (const headers of strangers) {
      for (const answer of [
        await get('/editor/hilum/mappings', headers),
        await post('/editor/hilum/mappings/try', trial, headers),
      ]) {
        expect([302, 303, 401, 403]).toContain(answer.status);
        expect(await answer.text()).not.toContain('ADT_A01');
      }
    }
  });

  it('are shown to a user, and tried for pages of this address alone', async () => {
    const shown = await get('/editor/hilum/mappings', { cookie });
    expect(shown.status).toBe(200);
    expect(await shown.text()).toContain('ADT_A01');
    const tried = await post('/editor/hilum/mappings/try', trial, { cookie });
    expect(tried.status).toBe(200);
    const foreign = { cookie, origin: 'http://elsewhere.example' };
    expect((await post('/editor/hilum/mappings/try', trial, foreign)).status).toBe(403);
  });
});
