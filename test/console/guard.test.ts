import { startConsole, type RunningConsole } from './console-server.ts';

let running: RunningConsole;
let cookie: string;
beforeAll(async () => {
  running = await startConsole();
  cookie = await running.setUp();
});
afterAll(() => running.close());

describe('a session', () => {
  it.each([
    [undefined],
    [''],
    ['hilum_sid='],
    ['hilum_sid=short'],
    [`hilum_sid=${'x'.repeat(43)}`],
  ])('is not found for the cookie %p', async (header) => {
    expect(await running.console.authenticate(header)).toBeNull();
  });

  it('is found among other cookies', async () => {
    expect(await running.console.authenticate(`a=b; ${cookie}; c=d`)).not.toBeNull();
  });
});

describe('the guard', () => {
  it.each([
    ['another site', { 'sec-fetch-site': 'cross-site' }],
    ['another port of this host', { 'sec-fetch-site': 'same-site' }],
    ['another origin', { origin: 'http://elsewhere.example' }],
    ['a page without origin', { origin: 'null' }],
  ])('refuses a mutation from %s, in console and editor', async (_what, headers) => {
    for (const path of ['/api/messages/x/replay', '/editor/flows', '/logout']) {
      const answer = await running.post(path, {}, { ...headers, cookie });
      expect(answer.status).toBe(403);
      expect(await answer.json()).toMatchObject({ error: { code: 'foreign-origin' } });
    }
    expect(await running.console.authenticate(cookie)).not.toBeNull();
  });

  it('lets the pages of this address and programs without a browser through', async () => {
    const same = { origin: running.url, 'sec-fetch-site': 'same-origin', cookie };
    expect((await running.post('/editor/flows', {}, same)).status).toBe(204);
    expect((await running.post('/editor/flows', {}, { cookie })).status).toBe(204);
  });

  it('sends a stranger from the editor to the login, and lets a user in', async () => {
    for (const path of ['/editor', '/editor/']) {
      const answer = await running.request(path);
      expect(answer.headers.get('location')).toBe('/login?next=%2Feditor%2F');
    }
    const answer = await running.request('/editor/', { cookie });
    expect(await answer.text()).toBe('the editor');
    expect(answer.headers.get('content-security-policy')).toBeNull();
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  });
});

describe('the page', () => {
  it('is served to a user, with a policy that runs no foreign script', async () => {
    const answer = await running.request('/', { cookie });
    expect(await answer.text()).toContain('<title>Hilum</title>');
    const policy = answer.headers.get('content-security-policy');
    expect(policy).toContain("default-src 'self'");
    expect(policy).toContain("frame-ancestors 'self'");
    expect(policy).not.toContain("script-src 'unsafe-inline'");
  });

  it('sends a stranger to the login', async () => {
    expect((await running.request('/')).headers.get('location')).toBe('/login');
    expect((await running.request('/login')).status).toBe(200);
  });

  it.each([
    ['/editor/', '/editor/'],
    ['/?message=1', '/?message=1'],
    ['//elsewhere.example', '/'],
    ['/\\elsewhere.example', '/'],
    ['https://elsewhere.example', '/'],
    ['/a\r\nb', '/'],
  ])('goes on to %j after the login as %j', async (next, expected) => {
    const answer = await running.request(`/login?next=${encodeURIComponent(next)}`, { cookie });
    expect(answer.headers.get('location')).toBe(expected);
  });
});
