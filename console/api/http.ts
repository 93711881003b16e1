import type { IncomingMessage } from 'node:http';
import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express';
import { HilumError } from '../../core/errors.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { ErrorView } from './views.ts';

/** What a caller got wrong or may not do: thrown in a handler, answered as {@link ErrorView}. */
export class HttpError extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    message: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.name = 'HttpError';
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** A handler that may wait: its rejection goes to the error handler, which Express 4 does not do. */
export function handle(
  handler: (request: Request, response: Response) => Promise<void> | void,
): RequestHandler {
  return (request, response, next) => {
    Promise.resolve()
      .then(() => handler(request, response))
      .catch(next);
  };
}

/** Whether it was asked on the local socket, where patient data may be shown to whoever can open it. */
export function isLocal(response: Response): boolean {
  return response.locals['isLocal'] === true;
}

/** Sends an error as the API writes all errors. */
export function sendError(response: Response, error: HttpError): void {
  const body: ErrorView = { error: { code: error.code, message: error.message } };
  response.status(error.status).set(error.headers).json(body);
}

/** The last handler: every error becomes JSON; what is our own fault goes to the log under an id. */
export function handleErrors(options: {
  readonly logger: Logger;
  readonly newId: () => string;
}): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    if (response.headersSent) next(error);
    else sendError(response, toHttpError(error, request, options));
  };
}

function toHttpError(
  error: unknown,
  request: Request,
  { logger, newId }: { readonly logger: Logger; readonly newId: () => string },
): HttpError {
  if (error instanceof HttpError) return error;
  const status = (error as { status?: unknown } | null)?.status;
  if (status === 413) return new HttpError(413, 'too-large', 'Expected a shorter body.');
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new HttpError(400, 'not-json', 'Expected a JSON object as body, found something else.');
  }
  const id = newId();
  // Only the route, never the URL: a control id may stand in it.
  const route = (request.route as { path?: string } | undefined)?.path;
  logger.error({ err: error, requestId: id, route }, 'console request failed');
  if (error instanceof HilumError && error.errorClass !== 'permanent') {
    return new HttpError(
      503,
      error.issues[0]?.code ?? 'unavailable',
      `${error.message}; try again.`,
    );
  }
  return new HttpError(500, 'internal', `The console failed; the log has the cause under ${id}.`);
}

/** What a query or a JSON object holds, by name. */
export type Fields = Readonly<Record<string, unknown>>;

/** The JSON object of a request; nothing where it has none. */
export function bodyOf(request: Request): Fields {
  const body: unknown = request.body;
  return typeof body === 'object' && body !== null ? (body as Fields) : {};
}

/** Who asks: the name of the user, or `cli`. */
export function userOf(response: Response): string {
  return String(response.locals['user']);
}

/** Turns what the engine refuses for good into an answer that says why. */
export async function asConflict<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof HilumError) || error.errorClass !== 'permanent') throw error;
    const [issue] = error.issues;
    throw new HttpError(409, issue?.code ?? 'refused', issue?.message ?? error.message);
  }
}

/** Whether the browser came over HTTPS, also where a proxy ends TLS and says so. */
export function isSecure(request: Request): boolean {
  return request.secure || request.get('x-forwarded-proto')?.split(',')[0]?.trim() === 'https';
}

/**
 * Whether a browser says that the request comes from a page of this very address. Cookies ignore ports, so
 * SameSite alone lets another program of the same host write. What is no browser sends neither header.
 */
export function isSameOrigin(request: Pick<IncomingMessage, 'headers'>): boolean {
  const { origin, host, 'sec-fetch-site': site } = request.headers;
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false;
  if (origin === undefined) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}
