// @peculiar/x509 asks whoever uses it to bring this.
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import * as x509 from '@peculiar/x509';

x509.cryptoProvider.set(webcrypto as Crypto);
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const dayMs = 86_400_000;

/** A certificate with its key, as PEM text and as files. */
export interface Issued {
  readonly certificate: string;
  readonly key: string;
  readonly files: { readonly certificate: string; readonly key: string };
  /** SHA-256 in hex. */
  readonly fingerprint: string;
}

export interface Authority {
  /** The authority's own certificate. */
  readonly pem: string;
  readonly file: string;
  /** Valid from a day ago for `days` from now on; negative: expired so long ago. */
  issue(options: {
    /** The common name; empty: a certificate without a subject. */
    readonly name: string;
    readonly dns?: readonly string[];
    readonly days?: number;
    /** The name of the files; default: the common name. */
    readonly as?: string;
  }): Promise<Issued>;
}

/** An authority of the tests' own, its files in the folder. */
export async function makeAuthority(folder: string, name: string): Promise<Authority> {
  const keys = await makeKeys();
  const self = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    keys,
    notBefore: new Date(Date.now() - 400 * dayMs),
    notAfter: new Date(Date.now() + 400 * dayMs),
    signingAlgorithm: algorithm,
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });
  const file = path.join(folder, `${name}.pem`);
  writeFileSync(file, self.toString('pem'));
  return {
    pem: self.toString('pem'),
    file,
    async issue({ name: subject, dns = [], days = 100, as = subject }) {
      const own = await makeKeys();
      const made = await x509.X509CertificateGenerator.create({
        subject: subject === '' ? '' : `CN=${subject},O=Hilum tests`,
        issuer: self.subject,
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        notBefore: new Date(Date.now() - 300 * dayMs),
        notAfter: new Date(Date.now() + days * dayMs),
        signingAlgorithm: algorithm,
        extensions:
          dns.length === 0
            ? []
            : [
                new x509.SubjectAlternativeNameExtension(
                  dns.map((value) => ({
                    type: /^[\d.]+$|:/.test(value) ? ('ip' as const) : ('dns' as const),
                    value,
                  })),
                ),
              ],
      });
      const files = {
        certificate: path.join(folder, `${as}.pem`),
        key: path.join(folder, `${as}.key`),
      };
      const certificate = made.toString('pem');
      const key = await exportKey(own.privateKey);
      writeFileSync(files.certificate, certificate);
      writeFileSync(files.key, key);
      const fingerprint = Buffer.from(await made.getThumbprint('SHA-256')).toString('hex');
      return { certificate, key, files, fingerprint };
    },
  };
}

function makeKeys(): Promise<CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, [
    'sign',
    'verify',
  ]) as Promise<CryptoKeyPair>;
}

async function exportKey(key: CryptoKey): Promise<string> {
  const bytes = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key as webcrypto.CryptoKey));
  const lines = bytes.toString('base64').replace(/(.{64})/g, '$1\n');
  return `-----BEGIN PRIVATE KEY-----\n${lines}\n-----END PRIVATE KEY-----\n`;
}
