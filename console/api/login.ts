import { Router, json, type Request, type Response } from 'express';
import { HttpError, handle, isSameOrigin, isSecure } from './http.ts';
import { hashPassword, isPassword } from './password.ts';
import { buildCookie, findSessionId, type Sessions } from './sessions.ts';
import type { SetupToken } from './setup.ts';
import { Throttle } from './throttle.ts';
import type { UserRecord, UserStore } from './user-store.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { passwordLength, type SessionView, type UserView } from './views.ts';

export interface LoginOptions {
  readonly users: UserStore;
  readonly sessions: Sessions;
  readonly token: SetupToken;
  readonly clock: () => number;
  readonly logger: Logger;
  readonly version: string;
  readonly authenticate: (cookieHeader: string | undefined) => Promise<UserView | null>;
}

/**
 * `GET /api/session`, `POST /login`, `POST /setup`, and `/logout` as POST or, for the editor's menu, GET.
 * A wrong name and a wrong password get the same answer after the same time.
 */
export function buildLoginRouter(options: LoginOptions): Router {
  const { users, sessions, token, clock, logger, authenticate } = options;
  const throttle = new Throttle(clock);
  const router = Router();
  router.use(['/login', '/setup', '/logout', '/api'], (_request, response, next) => {
    response.set('Cache-Control', 'no-store');
    next();
  });

  router.get(
    '/api/session',
    handle(async (request, response) => {
      const user = await authenticate(request.headers.cookie);
      const view: SessionView = {
        user,
        setupRequired: await users.isEmpty(),
        ...(user === null ? {} : { version: options.version }),
      };
      response.json(view);
    }),
  );

  router.post(
    '/login',
    json({ limit: '10kb' }),
    handle(async (request, response) => {
      const { username, password } = readCredentials(request.body);
      const address = request.ip ?? 'unknown';
      const waitMs = throttle.attempt(username, address);
      if (waitMs > 0) throw tooManyAttempts(waitMs);
      const user = await users.find(username);
      if (!(await isPassword(password, user?.passwordHash)) || user === undefined) {
        logger.warn({ address }, 'sign-in refused');
        throw new HttpError(401, 'sign-in-refused', 'User name or password is wrong.');
      }
      throttle.succeed(username, address);
      signIn(request, response, user);
    }),
  );

  router.post(
    '/setup',
    json({ limit: '10kb' }),
    handle(async (request, response) => {
      const given = (request.body as Record<string, unknown> | undefined)?.['token'];
      const text = typeof given === 'string' ? given : '';
      const address = request.ip ?? 'unknown';
      const waitMs = throttle.attempt('(setup)', address);
      if (waitMs > 0) throw tooManyAttempts(waitMs);
      if (!token.isValid(text)) throw setupRefused();
      throttle.succeed('(setup)', address);
      const { username, password } = readNewCredentials(request.body);
      // Taken before anything is awaited: of two requests with one link, one makes the administrator.
      if (!token.redeem(text)) throw setupRefused();
      const user = await addAdministrator(username, password).catch((error: unknown) => {
        token.restore(text);
        throw error;
      });
      logger.info({ username }, 'first administrator made');
      signIn(request, response, user);
    }),
  );

  router.post(
    '/logout',
    handle((request, response) => {
      signOut(request, response);
      response.status(204).end();
    }),
  );
  router.get(
    '/logout',
    handle((request, response) => {
      // The editor's menu leads here by a link; a link on a foreign page signs nobody out.
      if (isSameOrigin(request)) signOut(request, response);
      response.redirect('/login');
    }),
  );
  return router;

  async function addAdministrator(username: string, password: string): Promise<UserRecord> {
    if (!(await users.isEmpty())) throw setupRefused();
    const user: UserRecord = {
      username,
      passwordHash: await hashPassword(password),
      permissions: ['*'],
      createdAt: new Date(clock()).toISOString(),
    };
    await users.add(user);
    return user;
  }

  function signIn(request: Request, response: Response, user: UserRecord): void {
    sessions.end(findSessionId(request.headers.cookie));
    const id = sessions.start(user.username);
    const view: UserView = { username: user.username, permissions: user.permissions };
    response.set('Set-Cookie', buildCookie(id, { secure: isSecure(request) })).json(view);
  }

  function signOut(request: Request, response: Response): void {
    sessions.end(findSessionId(request.headers.cookie));
    response.set('Set-Cookie', buildCookie(undefined, { secure: isSecure(request) }));
  }
}

interface Credentials {
  readonly username: string;
  readonly password: string;
}

function readCredentials(body: unknown): Credentials {
  const { username, password } = (body ?? {}) as Record<string, unknown>;
  if (typeof username !== 'string' || typeof password !== 'string') {
    throw new HttpError(
      400,
      'credentials-missing',
      'Expected a JSON object with username and password, found something else.',
    );
  }
  if (username.length > passwordLength.max || password.length > passwordLength.max) {
    throw new HttpError(401, 'sign-in-refused', 'User name or password is wrong.');
  }
  return { username: username.trim().toLowerCase(), password };
}

function readNewCredentials(body: unknown): Credentials {
  const { username, password } = (body ?? {}) as Record<string, unknown>;
  const name = typeof username === 'string' ? username.trim().toLowerCase() : '';
  if (!/^[a-z0-9][a-z0-9._@-]{0,63}$/.test(name)) {
    throw new HttpError(
      400,
      'username-invalid',
      'Expected a user name of 1 to 64 letters (a to z), digits and . _ @ -, starting with a letter or digit.',
    );
  }
  const length = typeof password === 'string' ? Array.from(password).length : 0;
  if (typeof password !== 'string' || length < passwordLength.min || length > passwordLength.max) {
    throw new HttpError(
      400,
      'password-length',
      `Expected a password of ${passwordLength.min} to ${passwordLength.max} characters, found ${length}.`,
    );
  }
  return { username: name, password };
}

function tooManyAttempts(waitMs: number): HttpError {
  const seconds = Math.ceil(waitMs / 1000);
  return new HttpError(
    429,
    'too-many-attempts',
    `Too many wrong attempts; try again in ${Math.ceil(seconds / 60)} minutes.`,
    { 'Retry-After': String(seconds) },
  );
}

function setupRefused(): HttpError {
  return new HttpError(
    403,
    'setup-link-void',
    'Expected a valid setup link, found one that was used or replaced; restart Hilum to get a new one, or sign in if an administrator exists.',
  );
}
