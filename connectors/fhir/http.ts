import { request as requestHttp } from 'node:http';
import type { Agent, IncomingMessage, RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { TLSSocket } from 'node:tls';

export interface HttpRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** From connecting to the last byte of the answer. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly agent: Agent;
}

export type HttpResult =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly contentType: string;
      readonly body: Uint8Array;
      /** The headers Retry-After and Date as they came. */
      readonly retryAfter?: string;
      readonly date?: string;
    }
  /** `sent`: the connection was there, so the server may have the request. */
  | { readonly kind: 'failed'; readonly sent: boolean; readonly found: string };

const maxAnswerBytes = 64 * 1024 * 1024;

/** One HTTP request with its whole answer; never rejects, and knows whether anything can have arrived. */
export function sendHttp(request: HttpRequest): Promise<HttpResult> {
  const { url, method, headers, body, agent, signal, timeoutMs } = request;
  const { promise, resolve } = Promise.withResolvers<HttpResult>();
  let sent = false;
  const options: RequestOptions = {
    method,
    agent,
    headers: { ...headers, 'content-length': `${body.length}` },
  };
  const start = url.protocol === 'https:' ? requestHttps : requestHttp;
  const outgoing = start(url, options);
  const fail = (found: string) => {
    resolve({ kind: 'failed', sent, found });
    outgoing.destroy();
  };
  const patience = setTimeout(() => fail(`no answer came within ${timeoutMs} ms`), timeoutMs);
  const abort = () => fail('the sender was stopped');
  signal.addEventListener('abort', abort, { once: true });
  outgoing.on('socket', (socket) => {
    const isReady = !socket.connecting && !(url.protocol === 'https:' && !isSecure(socket));
    if (isReady) sent = true;
    else socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', () => (sent = true));
  });
  outgoing.on('error', (error: NodeJS.ErrnoException) => fail(describe(error)));
  outgoing.on('response', (response) => {
    collect(response).then(
      (bytes) =>
        resolve({
          kind: 'answered',
          status: response.statusCode ?? 0,
          contentType: response.headers['content-type'] ?? 'application/octet-stream',
          body: bytes,
          ...toTimes(response),
        }),
      (error: unknown) => fail(describe(error as NodeJS.ErrnoException)),
    );
  });
  if (signal.aborted) abort();
  else outgoing.end(body);
  return promise.finally(() => {
    clearTimeout(patience);
    signal.removeEventListener('abort', abort);
  });
}

function toTimes({ headers }: IncomingMessage): { retryAfter?: string; date?: string } {
  const { 'retry-after': retryAfter, date } = headers;
  return {
    ...(retryAfter === undefined ? {} : { retryAfter }),
    ...(date === undefined ? {} : { date }),
  };
}

function isSecure(socket: object): boolean {
  return (socket as Partial<TLSSocket>).getProtocol?.() != null;
}

async function collect(response: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxAnswerBytes) throw new Error('the answer is over 64 MiB');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function describe(error: NodeJS.ErrnoException): string {
  const known: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'the connection was refused',
    ECONNRESET: 'the connection was reset',
    EPIPE: 'the server closed the connection',
    ENOTFOUND: 'the name is not known',
    EAI_AGAIN: 'the name could not be resolved now',
    EHOSTUNREACH: 'there is no route to the host',
    ETIMEDOUT: 'the connection timed out',
    ERR_STREAM_PREMATURE_CLOSE: 'the answer ended too early',
  };
  const code = error.code ?? '';
  if (Object.hasOwn(known, code)) return known[code] ?? code;
  return `the request failed (${code === '' ? error.message : code})`;
}
