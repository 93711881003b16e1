import { X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { buildError } from '../../core/errors.ts';
import type { CertificateFiles, TlsVersion } from '../../core/interface.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { findExpiry, formatSubject } from './certificate.ts';

/** What a TLS context is made of: paths of PEM files. */
export interface TlsFiles {
  readonly identity?: CertificateFiles;
  readonly authorities?: string;
  readonly minVersion?: TlsVersion;
}

/** A context and what it was made of. */
export interface LoadedTls {
  readonly context: SecureContext;
  readonly options: SecureContextOptions;
  /** Every certificate of the files, in their order. */
  readonly certificates: readonly {
    readonly file: string;
    readonly certificate: X509Certificate;
  }[];
}

const pemCertificate = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/**
 * Reads the files and builds a context of TLS 1.2 or later. Rejects with HilumError
 * `tls-certificate-unreadable` (transient, for a file may be put right while we run), which names the file
 * and says what is wrong with it.
 */
export async function loadTls({ identity, authorities, minVersion }: TlsFiles): Promise<LoadedTls> {
  const certificates: LoadedTls['certificates'][number][] = [];
  const options: SecureContextOptions = { minVersion: `TLSv${minVersion ?? '1.2'}` };
  if (authorities !== undefined) {
    options.ca = await readText(authorities);
    certificates.push(...readCertificates(authorities, options.ca));
  }
  if (identity !== undefined) {
    options.cert = await readText(identity.certificate);
    options.key = await readText(identity.key);
    if (identity.passphraseFile !== undefined) {
      const [passphrase = ''] = (await readText(identity.passphraseFile)).split(/\r?\n/, 1);
      options.passphrase = passphrase;
    }
    certificates.push(...readCertificates(identity.certificate, options.cert));
  }
  try {
    return { context: createSecureContext(options), options, certificates };
  } catch (error) {
    throw buildUnreadable(
      identity?.key ?? authorities ?? '',
      describeKeyProblem(options, error),
      error,
    );
  }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'latin1');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const found: Readonly<Record<string, string>> = {
      ENOENT: 'it does not exist',
      EACCES: 'the user that Hilum runs as may not read it',
      EISDIR: 'it is a folder',
    };
    throw buildUnreadable(file, found[code ?? ''] ?? `reading fails (${code ?? 'unknown'})`, error);
  }
}

function readCertificates(file: string, text: string): LoadedTls['certificates'] {
  const pems = text.match(pemCertificate) ?? [];
  if (pems.length === 0) throw buildUnreadable(file, 'it holds no PEM certificate');
  return pems.map((pem) => {
    try {
      return { file, certificate: new X509Certificate(pem) };
    } catch (error) {
      throw buildUnreadable(file, 'a certificate in it cannot be read', error);
    }
  });
}

function describeKeyProblem({ key, passphrase }: SecureContextOptions, error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH') return 'it is not the key of the certificate';
  if (typeof key !== 'string' || !key.includes('PRIVATE KEY')) return 'it holds no PEM key';
  if (!key.includes('ENCRYPTED')) return `it cannot be used (${code ?? 'unknown'})`;
  return passphrase === undefined
    ? 'it is encrypted, and no passphrase file is set'
    : 'the passphrase does not open it';
}

function buildUnreadable(file: string, found: string, cause?: unknown) {
  return buildError(
    'transient',
    'tls-certificate-unreadable',
    `Expected a PEM file for TLS at ${file}, but ${found}. Correct the file or its path.`,
    cause,
  );
}

/** Logs each certificate that has expired or will within a month. */
export function warnOfExpiry(
  { certificates }: Pick<LoadedTls, 'certificates'>,
  {
    logger,
    nowMs,
    about,
  }: { readonly logger: Logger; readonly nowMs: number; readonly about: object },
): void {
  for (const { file, certificate } of certificates) {
    const expiry = findExpiry(certificate, nowMs);
    if (expiry === undefined) continue;
    const { code, message } = expiry;
    const fields = { ...about, code, file, subject: formatSubject(certificate) };
    logger.warn({ ...fields, validTo: certificate.validToDate.toISOString() }, message);
  }
}

/** Every path in it. */
export function pathsOf({ identity, authorities }: TlsFiles): readonly string[] {
  return [identity?.certificate, identity?.key, identity?.passphraseFile, authorities].filter(
    (path) => path !== undefined,
  );
}

/** Changes whenever one of the files does; a file that is not there counts too. */
export async function readSignature(paths: readonly string[]): Promise<string> {
  const parts = await Promise.all(
    paths.map(async (path) => {
      try {
        // Followed through links: a mounted secret is changed by pointing its link elsewhere.
        const { mtimeMs, size, ino } = await stat(path);
        return `${mtimeMs} ${size} ${ino}`;
      } catch {
        return 'absent';
      }
    }),
  );
  return parts.join('\n');
}
