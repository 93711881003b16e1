import { constants, type X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import type { ListenerTls } from '../../core/interface.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { findObjection, formatSubject } from './certificate.ts';
import { loadTls, pathsOf, readSignature, warnOfExpiry, type LoadedTls } from './tls-files.ts';

/** A peer's connection after the handshake. */
interface SecuredPeer {
  readonly socket: TLSSocket;
  /** The subject of its verified certificate, where it showed one. */
  readonly certificate: string | undefined;
}

/** Turns plain connections into TLS ones, with certificates that can be exchanged while it runs. */
export interface TlsServer {
  /**
   * Shakes hands. Resolves with the reason in words where there is no secured connection: then the socket
   * is closed.
   */
  secure(socket: Socket): Promise<SecuredPeer | string>;
  /**
   * Reads the files again, for new connections; open ones go on as they are. Rejects as `loadTls` does and
   * keeps what it had.
   */
  reload(): Promise<void>;
  /** No more looking after changed files. */
  close(): void;
}

interface TlsServerOptions {
  readonly logger: Logger;
  /** For the log: which listener. */
  readonly about: object;
  readonly handshakeTimeoutMs: number;
  /** How often to look whether a file has changed. */
  readonly reloadCheckMs: number;
}

const dayMs = 86_400_000;

interface Loaded {
  readonly main: LoadedTls;
  readonly byName: ReadonlyMap<string, LoadedTls>;
}

/** Reads the files and is ready to shake hands. Rejects as `loadTls` does. */
export async function openTlsServer(
  tls: ListenerTls,
  options: TlsServerOptions,
): Promise<TlsServer> {
  const { logger, about } = options;
  const paths = [tls, ...(tls.serverNames ?? []).map((identity) => ({ identity }))].flatMap(
    pathsOf,
  );
  const results = new WeakMap<Socket, (result: SecuredPeer | string) => void>();
  let signature = await readSignature(paths);
  let loaded = await load(tls);
  let warnedAtMs = Date.now();
  const warn = () => {
    warnedAtMs = Date.now();
    for (const each of [loaded.main, ...loaded.byName.values()]) {
      warnOfExpiry(each, { logger, about, nowMs: warnedAtMs });
    }
  };
  warn();
  const server = createServer({
    ...toServerOptions(tls, loaded.main),
    handshakeTimeout: options.handshakeTimeoutMs,
    SNICallback: (name, done) => done(null, findContext(loaded, name)),
  });

  async function reload(): Promise<void> {
    const next = await load(tls);
    loaded = next;
    server.setSecureContext(toServerOptions(tls, next.main));
    warn();
  }

  async function lookAfterFiles(): Promise<void> {
    const now = await readSignature(paths);
    if (now !== signature) {
      signature = now;
      try {
        await reload();
        logger.info(about, 'The certificates of an MLLP listener were read again');
      } catch (error) {
        const reason = error instanceof Error ? error.message : 'unknown';
        logger.error(
          { ...about, reason },
          'Changed certificates are not used: the ones before stay',
        );
      }
    } else if (Date.now() - warnedAtMs > dayMs) warn();
  }

  const watch = setInterval(() => void lookAfterFiles(), options.reloadCheckMs);
  watch.unref();

  const settle = (socket: TLSSocket, result: SecuredPeer | string) => {
    const plain = plainSocketOf(socket);
    const resolve = plain === undefined ? undefined : results.get(plain);
    if (typeof result === 'string' || resolve === undefined) socket.destroy();
    resolve?.(result);
  };
  server.on('secureConnection', (socket) => settle(socket, judgeSurely(socket, tls)));
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
    // A certificate that was not accepted closes the connection, which is all that the error tells.
    const { code } = authorizationErrorOf(socket);
    settle(socket, code === undefined ? describeHandshakeError(error) : describeProblem(code));
  });

  return {
    secure(socket) {
      const { promise, resolve } = Promise.withResolvers<SecuredPeer | string>();
      if (socket.destroyed) return Promise.resolve('the connection closed before the handshake');
      results.set(socket, resolve);
      // Behind what the server has to say of it.
      socket.once('close', () =>
        setImmediate(() => resolve('the connection closed during the handshake')),
      );
      server.emit('connection', socket);
      return promise;
    },
    reload,
    close: () => clearInterval(watch),
  };
}

async function load(tls: ListenerTls): Promise<Loaded> {
  const { authorities, minVersion } = tls;
  const rest = {
    ...(authorities === undefined ? {} : { authorities }),
    ...(minVersion === undefined ? {} : { minVersion }),
  };
  const names = tls.serverNames ?? [];
  const [main, ...others] = await Promise.all(
    [tls.identity, ...names].map((identity) => loadTls({ identity, ...rest })),
  );
  if (main === undefined) throw new Error('A listener has a certificate.');
  const byName = new Map<string, LoadedTls>();
  others.forEach((each, index) => byName.set(names[index]?.serverName.toLowerCase() ?? '', each));
  return { main, byName };
}

/** The exact name first, then the one with `*` for its first label; undefined: the listener's own. */
function findContext({ byName }: Loaded, name: string) {
  const asked = name.toLowerCase();
  const wild = asked.replace(/^[^.]+/, '*');
  return (byName.get(asked) ?? byName.get(wild))?.context;
}

function toServerOptions(tls: ListenerTls, { options }: LoadedTls) {
  const asks = tls.clientCertificates !== 'off';
  return {
    ...options,
    requestCert: asks,
    // Where it is required the handshake itself fails, with an alert that tells the client why. Without
    // authorities there is nothing to check it against but the fingerprint, which `judge` does.
    rejectUnauthorized: tls.clientCertificates === 'required' && tls.authorities !== undefined,
    // A resumed session would skip the client's certificate.
    ...(asks ? { secureOptions: constants.SSL_OP_NO_TICKET } : {}),
  };
}

/** A certificate is the client's to choose: what cannot be read in it must end nothing but its connection. */
function judgeSurely(socket: TLSSocket, tls: ListenerTls): SecuredPeer | string {
  try {
    return judge(socket, tls);
  } catch {
    return "the client's certificate cannot be read";
  }
}

/** Whether the client behind a finished handshake may stay. */
function judge(socket: TLSSocket, tls: ListenerTls): SecuredPeer | string {
  if (tls.clientCertificates === 'off') return { socket, certificate: undefined };
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) {
    return tls.clientCertificates === 'optional'
      ? { socket, certificate: undefined }
      : describeProblem('ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE');
  }
  const problem = findCertificateProblem(socket, certificate, tls);
  if (problem !== undefined) return problem;
  return { socket, certificate: formatSubject(certificate) };
}

function findCertificateProblem(
  socket: TLSSocket,
  certificate: X509Certificate,
  tls: ListenerTls,
): string | undefined {
  const subject = formatSubject(certificate);
  if (tls.authorities !== undefined && !socket.authorized) {
    return `${describeProblem(authorizationErrorOf(socket).code ?? '')} (${subject})`;
  }
  const now = Date.now();
  const { validFromDate, validToDate } = certificate;
  if (now < validFromDate.getTime() || now > validToDate.getTime()) {
    return `${describeProblem('CERT_HAS_EXPIRED')} (${subject})`;
  }
  const objection = findObjection(certificate, tls);
  return objection === undefined
    ? undefined
    : `the client's certificate is not allowed here: ${objection} (${subject})`;
}

/** `_parent` is the socket that Node's TLS server was handed; nothing public leads back to it. */
function plainSocketOf(socket: TLSSocket): Socket | undefined {
  return (socket as TLSSocket & { readonly _parent?: Socket })._parent;
}

/** Node's types promise an error, Node gives its code. */
function authorizationErrorOf(socket: TLSSocket): { readonly code: string | undefined } {
  const error: unknown = socket.authorizationError;
  return { code: typeof error === 'string' ? error : undefined };
}

function describeProblem(code: string): string {
  const problems: Readonly<Record<string, string>> = {
    ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: 'the client showed no certificate',
    CERT_HAS_EXPIRED: "the client's certificate is not valid at this time",
    CERT_NOT_YET_VALID: "the client's certificate is not valid at this time",
    DEPTH_ZERO_SELF_SIGNED_CERT: "the client's certificate is self-signed and no authority of ours",
    SELF_SIGNED_CERT_IN_CHAIN:
      "the client's certificate comes from an authority that is none of ours",
    UNABLE_TO_GET_ISSUER_CERT:
      "the client's certificate comes from an authority that is none of ours",
    UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
      "the client's certificate comes from an authority that is none of ours",
    UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      "the client's certificate comes from an authority that is none of ours",
    INVALID_PURPOSE: "the client's certificate was not issued for clients",
  };
  return problems[code] ?? `the client's certificate cannot be verified (${code})`;
}

function describeHandshakeError(error: NodeJS.ErrnoException): string {
  const { code = '' } = error;
  const problems: Readonly<Record<string, string>> = {
    ERR_SSL_UNSUPPORTED_PROTOCOL: 'the client speaks only versions of TLS that are too old',
    ERR_SSL_NO_SHARED_CIPHER: 'the client has no cipher in common with us',
    ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'the client does not trust our certificate',
    ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: 'the client does not accept our certificate',
    ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: 'for the client our certificate has expired',
    ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: 'the client does not accept our certificate',
    ERR_TLS_HANDSHAKE_TIMEOUT: 'the handshake was not finished in time',
    ECONNRESET: 'the client closed the connection during the handshake',
  };
  const isCertificate = code.startsWith('ERR_SSL_PEER_') || !code.startsWith('ERR_');
  return (
    problems[code] ?? (isCertificate ? describeProblem(code) : `the handshake failed (${code})`)
  );
}
