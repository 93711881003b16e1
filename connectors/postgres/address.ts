import { readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import type { ConnectionOptions } from 'node:tls';

/** Where a PostgreSQL ledger is, and how it is reached. */
export interface LedgerAddress {
  /** Of one cluster of servers: tried in turn until one is written to. */
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  readonly user: string;
  /** Undefined: none, or from {@link passwordFile}. */
  readonly password: string | undefined;
  readonly passwordFile: string | undefined;
  readonly database: string;
  readonly tls: TlsChoice | undefined;
  readonly connectTimeoutMs: number;
  /** How long the server may work on one statement. */
  readonly statementTimeoutMs: number;
  /** How many connections a process has for questions, beside the one that it writes with. */
  readonly poolSize: number;
}

interface TlsChoice {
  readonly mode: 'require' | 'verify-ca' | 'verify-full';
  /** PEM files, read again for each connection. */
  readonly ca: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
}

const modes = ['disable', 'require', 'verify-ca', 'verify-full'] as const;
const parameters: ReadonlySet<string> = new Set([
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'passfile',
  'target_session_attrs',
  'connect_timeout',
  'statement_timeout',
  'pool',
]);

/**
 * Reads `postgres://user:password@host:5432,host2:5432/database?…`; what is wrong is a line each, without the URL, which
 * holds a password. Parameters: `sslmode`, `sslrootcert`, `sslcert`, `sslkey`, `passfile` (a file with the password),
 * `connect_timeout` (s), `statement_timeout` (s), `pool` (connections for questions), `target_session_attrs`
 * (`read-write`, which is what it always is).
 */
export function parseAddress(
  text: string,
):
  | { readonly ok: true; readonly address: LedgerAddress }
  | { readonly ok: false; readonly problems: readonly string[] } {
  const match = /^postgres(?:ql)?:\/\/(?:([^/?]*)@)?([^/?@]*)\/([^/?]+)(?:\?(.*))?$/.exec(text);
  const [, login = '', hostList = '', database = '', query = ''] = match ?? [];
  const hosts = hostList.split(',').map(readHost);
  if (match === null || hosts.includes(undefined)) {
    return {
      ok: false,
      problems: ['expected postgres://user@host/database, found something else'],
    };
  }
  const problems: string[] = [];
  const given = new URLSearchParams(query);
  for (const name of given.keys()) {
    if (!parameters.has(name)) problems.push(`no parameter is called ${name}`);
  }
  const number = (name: string, otherwise: number, most: number): number => {
    const value = given.get(name);
    if (value === null) return otherwise;
    if (/^[1-9]\d{0,5}$/.test(value) && Number(value) <= most) return Number(value);
    problems.push(`${name}: expected a whole number from 1 to ${most}`);
    return otherwise;
  };
  const sessions = given.get('target_session_attrs') ?? 'read-write';
  if (sessions !== 'read-write' && sessions !== 'primary') {
    problems.push('target_session_attrs: expected read-write: the ledger is written to');
  }
  const [user = '', ...password] = login.split(':');
  const address: LedgerAddress = {
    hosts: hosts.flatMap((host) => (host === undefined ? [] : [host])),
    user: decode(user, problems),
    password: password.length === 0 ? undefined : decode(password.join(':'), problems),
    passwordFile: given.get('passfile') ?? undefined,
    database: decode(database, problems),
    tls: readTls(given, problems),
    connectTimeoutMs: number('connect_timeout', 5, 120) * 1_000,
    statementTimeoutMs: number('statement_timeout', 30, 3_600) * 1_000,
    poolSize: number('pool', 3, 100),
  };
  if (address.user === '') problems.push('expected a user in front of the host, found none');
  for (const file of [address.passwordFile, ...Object.values(filesOf(address.tls))]) {
    if (file !== undefined && !canRead(file)) problems.push(`the file ${file} cannot be read`);
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, address };
}

/** Hosts and database: what a message may say about an address. */
export function toPlace({ hosts, database }: LedgerAddress): string {
  return `${hosts.map(({ host, port }) => `${host}:${port}`).join(',')}/${database}`;
}

/** What TLS connects by; false without it. Throws where a file cannot be read. */
export function buildTls({ tls }: LedgerAddress, host: string): ConnectionOptions | false {
  if (tls === undefined) return false;
  const files = Object.entries(filesOf(tls)).flatMap(([name, file]) =>
    file === undefined ? [] : [[name, readFileSync(file)] as const],
  );
  return {
    ...Object.fromEntries(files),
    rejectUnauthorized: tls.mode !== 'require',
    servername: host,
    // Whoever the certificate is for, as long as we trust who has signed it.
    ...(tls.mode === 'verify-ca' ? { checkServerIdentity: () => undefined } : {}),
  };
}

function readTls(given: URLSearchParams, problems: string[]): TlsChoice | undefined {
  const text = given.get('sslmode') ?? 'disable';
  const mode = modes.find((each) => each === text);
  if (mode === undefined) problems.push(`sslmode: expected ${modes.join(', ')}`);
  const choice = {
    ca: given.get('sslrootcert') ?? undefined,
    certificate: given.get('sslcert') ?? undefined,
    key: given.get('sslkey') ?? undefined,
  };
  if (mode === undefined || mode === 'disable') {
    if (Object.values(choice).some((file) => file !== undefined)) {
      problems.push('sslmode: expected verify-full where certificates are given');
    }
    return undefined;
  }
  if (mode === 'verify-ca' && choice.ca === undefined) {
    problems.push('sslrootcert: expected with sslmode=verify-ca, found none');
  }
  if ((choice.certificate === undefined) !== (choice.key === undefined)) {
    problems.push('sslcert and sslkey: expected both or none, found one');
  }
  return { mode, ...choice };
}

function filesOf(tls: TlsChoice | undefined): Record<'ca' | 'cert' | 'key', string | undefined> {
  return { ca: tls?.ca, cert: tls?.certificate, key: tls?.key };
}

function readHost(text: string): LedgerAddress['hosts'][number] | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text);
  const [, ipv6, name, port = '5432'] = match ?? [];
  const host = ipv6 ?? name;
  if (host === undefined || (ipv6 !== undefined && !isIPv6(ipv6))) return undefined;
  return Number(port) > 0 && Number(port) < 65_536 ? { host, port: Number(port) } : undefined;
}

function decode(text: string, problems: string[]): string {
  try {
    return decodeURIComponent(text);
  } catch {
    problems.push('expected %25 for each % in user, password and database');
    return text;
  }
}

function canRead(file: string): boolean {
  try {
    readFileSync(file);
    return true;
  } catch {
    return false;
  }
}
