import type { RequestHandler } from 'express';
import { HttpError, isSameOrigin, sendError } from './http.ts';
import type { UserView } from './views.ts';

/** Where the runtime mounts the editor. */
export const editorPath = '/editor';

const reading = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * In front of console and editor: a mutation from a foreign page is refused (403), an editor page without a
 * session goes to the login and comes back after it. Also the headers that suit both.
 */
export function buildGuard(
  authenticate: (cookieHeader: string | undefined) => Promise<UserView | null>,
): RequestHandler {
  return (request, response, next) => {
    response.set({
      'X-Content-Type-Options': 'nosniff',
      'X-Frame-Options': 'SAMEORIGIN',
      'Referrer-Policy': 'same-origin',
    });
    if (!reading.has(request.method)) {
      if (isSameOrigin(request)) next();
      else sendError(response, foreignOrigin());
      return;
    }
    if (request.path !== editorPath && request.path !== `${editorPath}/`) {
      next();
      return;
    }
    authenticate(request.headers.cookie)
      .then((user) => {
        if (user === null) response.redirect(`/login?next=${encodeURIComponent(`${editorPath}/`)}`);
        else next();
      })
      .catch(next);
  };
}

function foreignOrigin(): HttpError {
  return new HttpError(
    403,
    'foreign-origin',
    'Expected a request from a page of this address, found one from elsewhere; open the console at its own address and try there.',
  );
}
