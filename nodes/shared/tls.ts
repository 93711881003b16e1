import type { CertificateFiles, CommitMode, ListenerTls, SenderTls } from '../../core/interface.ts';
import { filePath, fingerprintList, serverNameList, textList } from './connection-fields.ts';
import type { FieldValues } from './contribution.ts';
import { choice, hostName, optional } from './fields.ts';

const versions = choice('1.2', '1.3');
const offOrOn = optional(choice('off', 'on'), 'off');

/** Commit blocks of MLLP release 2, where a node is told to use them. */
export const commitField = optional(
  choice('off', 'before-acknowledgment', 'instead-of-acknowledgment'),
  'off',
);

export function toCommit(value: 'off' | CommitMode): { readonly commit?: CommitMode } {
  return value === 'off' ? {} : { commit: value };
}

/** What listeners and senders are told alike; paths of PEM files. */
interface TlsConfig {
  readonly tls: 'off' | 'on';
  readonly tlsCertificate: string;
  readonly tlsKey: string;
  /** A file whose first line opens the key. */
  readonly tlsPassphraseFile: string;
  readonly tlsAuthorities: string;
  readonly tlsMinVersion: string;
}

export interface ListenerTlsConfig extends TlsConfig {
  /** Lines of `name: certificate, key`. */
  readonly tlsServerNames: string;
  readonly tlsClients: ListenerTls['clientCertificates'];
  readonly tlsSubjects: string;
  readonly tlsFingerprints: string;
}

export interface SenderTlsConfig extends TlsConfig {
  readonly tlsServerName: string;
}

const tlsDefaults: TlsConfig = {
  tls: 'off',
  tlsCertificate: '',
  tlsKey: '',
  tlsPassphraseFile: '',
  tlsAuthorities: '',
  tlsMinVersion: '1.2',
};

export const listenerTlsDefaults: ListenerTlsConfig = {
  ...tlsDefaults,
  tlsServerNames: '',
  tlsClients: 'off',
  tlsSubjects: '',
  tlsFingerprints: '',
};

export const senderTlsDefaults: SenderTlsConfig = { ...tlsDefaults, tlsServerName: '' };

const tlsFields = {
  tls: offOrOn,
  tlsCertificate: optional(filePath, undefined),
  tlsKey: optional(filePath, undefined),
  tlsPassphraseFile: optional(filePath, undefined),
  tlsAuthorities: optional(filePath, undefined),
  tlsMinVersion: optional(versions, '1.2'),
};

export const listenerTlsFields = {
  ...tlsFields,
  tlsServerNames: optional(serverNameList, undefined),
  tlsClients: optional(choice('off', 'optional', 'required'), 'off'),
  tlsSubjects: optional(textList, undefined),
  tlsFingerprints: optional(fingerprintList, undefined),
};

export const senderTlsFields = { ...tlsFields, tlsServerName: optional(hostName, undefined) };

/** TLS as configured, nothing where it is off, or what is missing, in words. */
type Built<T> = { readonly tls?: T } | { readonly problem: string };

export function buildListenerTls(
  values: FieldValues<typeof listenerTlsFields>,
): Built<ListenerTls> {
  if (values.tls === 'off') return {};
  const identity = readIdentity(values);
  if (identity === undefined) {
    return { problem: 'tlsCertificate, tlsKey: expected both where TLS is on' };
  }
  const { tlsClients, tlsAuthorities, tlsSubjects, tlsFingerprints, tlsServerNames } = values;
  // Without either everybody could make a certificate for himself.
  if (tlsClients !== 'off' && tlsAuthorities === undefined && tlsFingerprints === undefined) {
    return {
      problem:
        'tlsAuthorities: expected the authorities of client certificates, or their fingerprints',
    };
  }
  const restricts = tlsSubjects !== undefined || tlsFingerprints !== undefined;
  if (tlsClients === 'off' && restricts) {
    return {
      problem: 'tlsClients: expected optional or required where subjects or fingerprints are set',
    };
  }
  return {
    tls: {
      identity,
      clientCertificates: tlsClients,
      ...(tlsServerNames === undefined ? {} : { serverNames: tlsServerNames }),
      ...(tlsAuthorities === undefined ? {} : { authorities: tlsAuthorities }),
      ...(tlsSubjects === undefined ? {} : { allowedSubjects: tlsSubjects }),
      ...(tlsFingerprints === undefined ? {} : { allowedFingerprints: tlsFingerprints }),
      minVersion: values.tlsMinVersion,
    },
  };
}

export function buildSenderTls(values: FieldValues<typeof senderTlsFields>): Built<SenderTls> {
  if (values.tls === 'off') return {};
  const identity = readIdentity(values);
  const { tlsCertificate, tlsKey, tlsAuthorities, tlsServerName, tlsMinVersion } = values;
  if (identity === undefined && (tlsCertificate !== undefined || tlsKey !== undefined)) {
    return { problem: 'tlsCertificate, tlsKey: expected both or neither' };
  }
  return {
    tls: {
      ...(identity === undefined ? {} : { identity }),
      ...(tlsAuthorities === undefined ? {} : { authorities: tlsAuthorities }),
      ...(tlsServerName === undefined ? {} : { serverName: tlsServerName }),
      minVersion: tlsMinVersion,
    },
  };
}

function readIdentity(values: FieldValues<typeof tlsFields>): CertificateFiles | undefined {
  const { tlsCertificate, tlsKey, tlsPassphraseFile } = values;
  if (tlsCertificate === undefined || tlsKey === undefined) return undefined;
  const files = { certificate: tlsCertificate, key: tlsKey };
  return tlsPassphraseFile === undefined ? files : { ...files, passphraseFile: tlsPassphraseFile };
}
