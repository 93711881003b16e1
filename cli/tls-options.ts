import type { Command } from 'commander';
import { createTlsClient, type TlsClient } from '../connectors/mllp/tls-client.ts';
import type { CertificateFiles, ListenerTls } from '../core/interface.ts';
import type { Logger } from '../core/ports/logger.ts';

/** What is said of TLS on the command line: paths of PEM files. */
export interface IdentityOptions {
  readonly certificate?: string;
  readonly key?: string;
  readonly passphraseFile?: string;
  readonly authorities?: string;
}

export interface ClientTlsOptions extends IdentityOptions {
  readonly tls?: boolean;
  readonly serverName?: string;
}

/** For a command that connects. */
export function addClientTlsOptions(command: Command): Command {
  return addIdentityOptions(
    command.option('--tls', 'speak TLS; any of the options below does too'),
    'who may have issued their certificate (PEM file); default: the authorities that Node trusts',
  ).option('--server-name <name>', 'the name that their certificate has; default: the host');
}

/** For a command that is connected to. */
export function addServerTlsOptions(command: Command): Command {
  return addIdentityOptions(
    command,
    'who may have issued the certificate that a peer then has to show (PEM file)',
  );
}

function addIdentityOptions(command: Command, authorities: string): Command {
  return command
    .option('--certificate <file>', 'our certificate with its chain (PEM file), for TLS')
    .option('--key <file>', 'its key (PEM file)')
    .option('--passphrase-file <file>', 'a file whose first line opens the key')
    .option('--authorities <file>', authorities);
}

/** How to connect; undefined: plain TCP. Throws with words for people where an option lacks its counterpart. */
export function toTlsClient(given: ClientTlsOptions, logger: Logger): TlsClient | undefined {
  const { tls = false, authorities, serverName } = given;
  const identity = toIdentity(given);
  if (!tls && [identity, authorities, serverName].every((each) => each === undefined)) {
    return undefined;
  }
  const known = {
    ...(identity === undefined ? {} : { identity }),
    ...(authorities === undefined ? {} : { authorities }),
    ...(serverName === undefined ? {} : { serverName }),
  };
  return createTlsClient(known, { logger, about: {} });
}

/** How to be connected to; undefined: plain TCP. Throws as {@link toTlsClient} does. */
export function toListenerTls(given: IdentityOptions): ListenerTls | undefined {
  const { authorities } = given;
  const identity = toIdentity(given);
  if (identity === undefined && authorities !== undefined) {
    throw new Error('--authorities: expected --certificate and --key beside it.');
  }
  return (
    identity && {
      identity,
      ...(authorities === undefined
        ? { clientCertificates: 'off' }
        : { clientCertificates: 'required', authorities }),
    }
  );
}

function toIdentity(given: IdentityOptions): CertificateFiles | undefined {
  const { certificate, key, passphraseFile } = given;
  if (certificate === undefined && key === undefined && passphraseFile === undefined) {
    return undefined;
  }
  if (certificate === undefined || key === undefined) {
    throw new Error('Expected --certificate and --key together.');
  }
  return { certificate, key, ...(passphraseFile === undefined ? {} : { passphraseFile }) };
}
