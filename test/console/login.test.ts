import {
  startConsole,
  password,
  username,
  readCookie,
  type RunningConsole,
} from './console-server.ts';

let running: RunningConsole;
beforeEach(async () => {
  running = await startConsole();
});
afterEach(() => running.close());

const codeOf = async (response: Response): Promise<unknown> =>
  ((await response.json()) as { error?: { code?: string } }).error?.code;

async function setupToken(): Promise<string> {
  const link = await running.console.setupLink(running.url);
  return link!.split('#')[1]!;
}

describe('the setup link', () => {
  it('makes the first administrator once and signs in', async () => {
    const token = await setupToken();
    const first = await running.post('/setup', { token, username: 'Ada', password });
    expect(first.status).toBe(200);
    const session = await running.request('/api/session', { cookie: readCookie(first) });
    expect(await session.json()).toEqual({
      user: { username: 'ada', permissions: ['*'] },
      setupRequired: false,
      version: '0.0.0-test',
    });
    const second = await running.post('/setup', { token, username: 'eve', password });
    expect(second.status).toBe(403);
    expect(await codeOf(second)).toBe('setup-link-void');
    expect(await running.console.setupLink(running.url)).toBeUndefined();
  });

  it('makes one administrator of two requests at the same moment', async () => {
    const token = await setupToken();
    const answers = await Promise.all(
      ['ada', 'eve'].map((name) => running.post('/setup', { token, username: name, password })),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 403]);
  });

  it('is void as soon as a newer one was given out', async () => {
    const old = await setupToken();
    const newer = await setupToken();
    expect((await running.post('/setup', { token: old, username, password })).status).toBe(403);
    expect((await running.post('/setup', { token: newer, username, password })).status).toBe(200);
  });

  it.each([
    ['a short password', { username: 'ada', password: 'elevenchars' }, 'password-length'],
    ['a long password', { username: 'ada', password: 'x'.repeat(257) }, 'password-length'],
    ['no password', { username: 'ada' }, 'password-length'],
    ['a name with a space', { username: 'a b', password }, 'username-invalid'],
    ['no name', { password }, 'username-invalid'],
  ])('stays valid after %s', async (_what, given, code) => {
    const token = await setupToken();
    const refused = await running.post('/setup', { token, ...given });
    expect(refused.status).toBe(400);
    expect(await codeOf(refused)).toBe(code);
    expect((await running.post('/setup', { token, username, password })).status).toBe(200);
  });

  it('is needed: no password signs in before an administrator exists', async () => {
    const answer = await running.post('/login', { username: 'admin', password: 'admin' });
    expect(answer.status).toBe(401);
    const session = await running.request('/api/session');
    expect(await session.json()).toEqual({ user: null, setupRequired: true });
  });
});

describe('the login', () => {
  it('answers a wrong name and a wrong password alike', async () => {
    await running.setUp();
    const wrongName = await running.post('/login', { username: 'nobody', password });
    const wrongPassword = await running.post('/login', { username, password: 'wrong' });
    expect([wrongName.status, wrongPassword.status]).toEqual([401, 401]);
    expect(await wrongName.text()).toBe(await wrongPassword.text());
  });

  it('sets a cookie that scripts cannot read and other sites cannot send', async () => {
    await running.setUp();
    const answer = await running.post('/login', { username, password });
    const cookie = answer.headers.get('set-cookie');
    expect(cookie).toMatch(/^hilum_sid=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/);
    const secure = await running.post(
      '/login',
      { username, password },
      { 'x-forwarded-proto': 'https' },
    );
    expect(secure.headers.get('set-cookie')).toMatch(/; Secure$/);
  });

  it('gives a new session at every sign-in and ends the one before', async () => {
    const first = await running.setUp();
    const second = readCookie(
      await running.post('/login', { username, password }, { cookie: first }),
    );
    expect(second).not.toBe(first);
    expect(await running.console.authenticate(first)).toBeNull();
    expect(await running.console.authenticate(second)).toEqual({ username, permissions: ['*'] });
  });

  it('refuses after five wrong passwords, the right one too, until ten minutes have gone', async () => {
    await running.setUp();
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const answer = await running.post('/login', { username, password: 'wrong' });
      expect(answer.status).toBe(401);
    }
    const refused = await running.post('/login', { username, password });
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(590);
    running.advance(10 * 60_000 + 1000);
    expect((await running.post('/login', { username, password })).status).toBe(200);
  });

  it.each([['{"username":'], ['"text"'], ['{"username":1,"password":2}']])(
    'answers 400 to the body %s',
    async (body) => {
      const headers = { 'content-type': 'application/json' };
      const answer = await running.request('/login', { method: 'POST', headers, body });
      expect(answer.status).toBe(400);
      expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    },
  );

  it('answers 413 to a body beyond ten kilobytes', async () => {
    const answer = await running.post('/login', { username, password: 'x'.repeat(20_000) });
    expect(answer.status).toBe(413);
  });
});

describe('a session', () => {
  it('ends an hour after its last use', async () => {
    const cookie = await running.setUp();
    running.advance(59 * 60_000);
    expect((await running.request('/api/queues', { cookie })).status).toBe(200);
    running.advance(59 * 60_000);
    expect((await running.request('/api/queues', { cookie })).status).toBe(200);
    running.advance(61 * 60_000);
    expect((await running.request('/api/queues', { cookie })).status).toBe(401);
  });

  it('ends after twelve hours however much it is used', async () => {
    const cookie = await running.setUp();
    for (let halfHours = 0; halfHours < 24; halfHours += 1) {
      running.advance(30 * 60_000 - 1000);
      expect(await running.console.authenticate(cookie)).not.toBeNull();
    }
    running.advance(60_000);
    expect(await running.console.authenticate(cookie)).toBeNull();
  });

  it('ends at logout, and its cookie is taken back', async () => {
    const cookie = await running.setUp();
    const answer = await running.post('/logout', {}, { cookie });
    expect(answer.status).toBe(204);
    expect(answer.headers.get('set-cookie')).toMatch(/^hilum_sid=;.*Max-Age=0/);
    expect(await running.console.authenticate(cookie)).toBeNull();
  });

  it('ends by the link of the editor, never by a link on a foreign page', async () => {
    const cookie = await running.setUp();
    await running.request('/logout', { cookie, headers: { 'sec-fetch-site': 'cross-site' } });
    expect(await running.console.authenticate(cookie)).not.toBeNull();
    const answer = await running.request('/logout', {
      cookie,
      headers: { 'sec-fetch-site': 'same-origin' },
    });
    expect(answer.headers.get('location')).toBe('/login');
    expect(await running.console.authenticate(cookie)).toBeNull();
  });
});
