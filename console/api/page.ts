import express, { Router, type Response } from 'express';
import { handle } from './http.ts';
import { findNext } from './next.ts';
import type { UserView } from './views.ts';

/** Inline styles are Mantine's; scripts come from files only. `self` may frame it: the editor's tray does. */
const contentSecurityPolicy = [
  "default-src 'self'",
  "img-src 'self' data:",
  "style-src 'self' 'unsafe-inline'",
  "connect-src 'self'",
  "frame-ancestors 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "object-src 'none'",
].join('; ');

/** The built page: `/` for who is signed in, `/login` and `/setup` for who is not yet, and its files. */
export function buildPageRouter(options: {
  readonly webRoot: string;
  readonly authenticate: (cookieHeader: string | undefined) => Promise<UserView | null>;
}): Router {
  const { webRoot, authenticate } = options;
  const router = Router();

  router.get(
    '/',
    handle(async (request, response) => {
      if ((await authenticate(request.headers.cookie)) === null) response.redirect('/login');
      else sendPage(response);
    }),
  );
  router.get(
    '/login',
    handle(async (request, response) => {
      if ((await authenticate(request.headers.cookie)) === null) sendPage(response);
      else response.redirect(findNext(request.query['next']));
    }),
  );
  router.get('/setup', (_request, response) => sendPage(response));
  router.use(
    // The names of these files hold their content's hash: they never change.
    '/assets',
    express.static(`${webRoot}/assets`, { index: false, immutable: true, maxAge: '1y' }),
  );
  router.get('/favicon.svg', (_request, response, next) => {
    response.sendFile('favicon.svg', { root: webRoot, maxAge: '1d' }, (error?: Error) => {
      if (error && !response.headersSent) next();
    });
  });
  return router;

  function sendPage(response: Response): void {
    response.set('Content-Security-Policy', contentSecurityPolicy);
    const headers = { 'Cache-Control': 'no-cache' };
    response.sendFile('index.html', { root: webRoot, headers }, (error?: Error) => {
      if (!error || response.headersSent) return;
      response
        .status(503)
        .type('text/plain')
        .send('The page of the console is not built. Run: npm run build\n');
    });
  }
}
