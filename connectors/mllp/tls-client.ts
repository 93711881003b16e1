import { isIP } from 'node:net';
import { checkServerIdentity, type ConnectionOptions } from 'node:tls';
import type { SenderTls } from '../../core/interface.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { loadTls, pathsOf, readSignature, warnOfExpiry, type LoadedTls } from './tls-files.ts';

/** How to speak TLS to one partner. */
export interface TlsClient {
  /**
   * For the next connection: the files are read again when they have changed. Rejects as `loadTls` does.
   */
  options(host: string): Promise<ConnectionOptions>;
}

const dayMs = 86_400_000;

/** @param options.about for the log: which sender */
export function createTlsClient(
  tls: SenderTls,
  { logger, about }: { readonly logger: Logger; readonly about: object },
): TlsClient {
  let loaded: { readonly signature: string; readonly tls: LoadedTls } | undefined;
  let warnedAtMs = -Infinity;

  async function load(): Promise<LoadedTls> {
    const signature = await readSignature(pathsOf(tls));
    if (loaded?.signature !== signature) {
      loaded = { signature, tls: await loadTls(tls) };
      warnedAtMs = -Infinity;
    }
    const nowMs = Date.now();
    if (nowMs - warnedAtMs > dayMs) {
      warnedAtMs = nowMs;
      warnOfExpiry(loaded.tls, { logger, about, nowMs });
    }
    return loaded.tls;
  }

  return {
    async options(host) {
      const { context } = await load();
      const name = tls.serverName ?? host;
      return {
        secureContext: context,
        // Said outright, or NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment would switch it off.
        rejectUnauthorized: true,
        // An address is no server name (SNI), but it may stand in the certificate all the same.
        ...(isIP(name) === 0 ? { servername: name } : {}),
        checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
      };
    },
  };
}

/** What went wrong between two sides of TLS, in words; undefined where the code is not about TLS. */
export function describeTlsError(code: string): string | undefined {
  const problems: Readonly<Record<string, string>> = {
    ERR_TLS_CERT_ALTNAME_INVALID:
      'its certificate is for another name. Set the server name that the certificate has',
    CERT_HAS_EXPIRED: 'its certificate has expired',
    CERT_NOT_YET_VALID: 'its certificate is not valid yet',
    DEPTH_ZERO_SELF_SIGNED_CERT:
      'its certificate is self-signed. Set that certificate as the authority',
    SELF_SIGNED_CERT_IN_CHAIN: 'its certificate comes from an authority that is not trusted',
    UNABLE_TO_GET_ISSUER_CERT: 'its certificate comes from an authority that is not trusted',
    UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
      'its certificate comes from an authority that is not trusted',
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate comes from an authority that is not trusted',
    ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS on this port',
    ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS on this port',
    ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'it speaks no version of TLS that we do',
    ERR_SSL_UNSUPPORTED_PROTOCOL: 'it speaks only versions of TLS that are too old',
  };
  if (problems[code] !== undefined) return problems[code];
  if (isRefusalOfCertificate(code)) {
    return `it does not accept our certificate, or wants one (${code.replace(/^ERR_SSL_/, '').toLowerCase()})`;
  }
  return code.startsWith('ERR_SSL_') ? `TLS failed (${code})` : undefined;
}

/**
 * Whether the partner refused our certificate. From TLS 1.3 on this is only heard after connecting, when a
 * message may be on its way: it has not been read.
 */
export function isRefusalOfCertificate(code: string): boolean {
  return (
    /^ERR_SSL_(TLSV1|TLSV13|SSLV3)_ALERT_/.test(code) &&
    /(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED|HANDSHAKE_FAILURE)/.test(code)
  );
}
