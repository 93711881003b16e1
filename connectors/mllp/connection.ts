import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { buildError } from '../../core/errors.ts';
import type { HilumError } from '../../core/errors.ts';
import { commitBlocks } from './commit.ts';
import { buildFrame, createFrameDecoder } from './frame.ts';
import { describeTlsError, isRefusalOfCertificate, type TlsClient } from './tls-client.ts';

/** Where to connect to. */
export interface ConnectOptions {
  readonly host: string;
  readonly port: number;
  /** Default 10 s. */
  readonly connectTimeoutMs?: number;
  /** An answer beyond it breaks the connection. Default 16 MiB. */
  readonly maxFrameBytes?: number;
  readonly signal?: AbortSignal;
  /** Default: plain TCP. */
  readonly tls?: TlsClient;
}

/** How a connection ended. */
interface ConnectionEnd {
  /** In words, as far as it is known. */
  readonly reason: string;
  /** Whether the partner can have read nothing of what was sent: it refused the connection itself. */
  readonly isUnread: boolean;
}

/** An open MLLP connection to a partner's server, from the sender's side. */
export interface MllpConnection {
  /** Sends the message in its frame. Safe to call again before anything was answered. */
  write(bytes: Uint8Array): void;
  /** Tells the partner that its message is taken, by a commit block of release 2. */
  commit(): void;
  /** Called for every message that the partner sends. One listener at a time. */
  onMessage: ((bytes: Uint8Array) => void) | undefined;
  /** Called once when the connection is gone. */
  onClose: ((end: ConnectionEnd) => void) | undefined;
  /** False from the moment in which it is known to be gone, or is ended from here. */
  readonly isOpen: boolean;
  /** Sends what is still to be sent, then closes. */
  end(): void;
  /** Closes at once. */
  destroy(): void;
}

const maxGarbageBytes = 65_536;

/**
 * Connects, and shakes hands where TLS is spoken. Rejects with HilumError `connection-failed`, whose
 * message says what was expected there and what to do, or `tls-certificate-unreadable` (both transient).
 */
export async function openMllpConnection(options: ConnectOptions): Promise<MllpConnection> {
  if (options.tls === undefined) return openSocket(options);
  return openSocket(options, await options.tls.options(options.host));
}

function openSocket(options: ConnectOptions, tls?: ConnectionOptions): Promise<MllpConnection> {
  const { promise, resolve, reject } = Promise.withResolvers<MllpConnection>();
  const to = { host: options.host, port: options.port, noDelay: true };
  const socket = tls === undefined ? connect(to) : connectTls({ ...to, ...tls });
  const giveUp = (found: string, cause?: unknown) => {
    clearTimeout(patience);
    options.signal?.removeEventListener('abort', abort);
    const isHandshake =
      tls !== undefined && !socket.connecting && describeTlsError(codeOf(cause)) === undefined;
    const hint = isHandshake ? ' during the TLS handshake: it may not speak TLS on this port' : '';
    socket.destroy();
    reject(toConnectError(options, `${found}${hint}`, cause));
  };
  const connectTimeoutMs = options.connectTimeoutMs ?? 10_000;
  const patience = setTimeout(
    () => giveUp(`no answer within ${connectTimeoutMs} ms`),
    connectTimeoutMs,
  );
  const abort = () => giveUp('stopped while connecting');
  options.signal?.addEventListener('abort', abort);
  // Stays for the whole life of the socket: an error after connecting is told by its `close`.
  socket.on('error', (error: NodeJS.ErrnoException) => giveUp(describe(error), error));
  socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
    clearTimeout(patience);
    options.signal?.removeEventListener('abort', abort);
    resolve(wrap(socket, options));
  });
  if (options.signal?.aborted === true) abort();
  return promise;
}

function wrap(socket: Socket, options: ConnectOptions): MllpConnection {
  const maxFrameBytes = options.maxFrameBytes ?? 16 * 1024 * 1024;
  const decoder = createFrameDecoder({ maxFrameBytes, maxGarbageBytes });
  let reason = 'the partner closed the connection';
  let isUnread = false;
  let isOpen = true;
  const connection: MllpConnection = {
    write: (bytes) => void socket.write(buildFrame(bytes)),
    commit: () => void socket.write(commitBlocks.committed),
    onMessage: undefined,
    onClose: undefined,
    get isOpen() {
      return isOpen;
    },
    end: () => {
      isOpen = false;
      socket.end();
    },
    destroy: () => {
      isOpen = false;
      socket.destroy();
    },
  };
  socket.on('data', (chunk: Buffer) => {
    decoder.write(chunk);
    for (let event = decoder.next(); event !== undefined; event = decoder.next()) {
      if (event.kind === 'message') connection.onMessage?.(event.bytes);
      else if (decoder.progress.state === 'failed') {
        reason = `the partner sent what is no MLLP answer (${event.code})`;
        socket.destroy();
      }
    }
    if (isTlsAlert(decoder.garbageStart())) {
      reason = 'the partner answered with TLS: it expects TLS on this port. Switch it on here';
      isUnread = true;
      socket.destroy();
    }
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    reason = describe(error);
    isUnread = isRefusalOfCertificate(error.code ?? '');
  });
  // The partner's end of stream already: what is sent after it would be answered by nobody.
  socket.on('end', () => {
    isOpen = false;
  });
  socket.on('close', () => {
    isOpen = false;
    connection.onClose?.({ reason, isUnread });
  });
  return connection;
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException | undefined)?.code ?? '';
}

/** What a TLS server says to a client that begins with MLLP: a record of type alert. */
function isTlsAlert(start: Uint8Array): boolean {
  return start[0] === 0x15 && start[1] === 0x03;
}

function describe(error: NodeJS.ErrnoException): string {
  const known: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'the connection was refused',
    ECONNRESET: 'the partner reset the connection',
    EPIPE: 'the partner closed the connection',
    ETIMEDOUT: 'the connection timed out',
    ENOTFOUND: 'the name is not known',
    EAI_AGAIN: 'the name could not be resolved now',
    EHOSTUNREACH: 'there is no route to the host',
    ENETUNREACH: 'there is no route to the network',
  };
  const { code = '' } = error;
  return known[code] ?? describeTlsError(code) ?? `the connection failed (${code || 'unknown'})`;
}

function toConnectError(options: ConnectOptions, found: string, cause?: unknown): HilumError {
  const where = `${options.host}:${options.port}`;
  return buildError(
    'transient',
    'connection-failed',
    `Expected an MLLP receiver at ${where}, but ${found}. Check that it runs and that host and port are right.`,
    cause,
  );
}
