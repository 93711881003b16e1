import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { credentials } from 'amqplib';

/** How RabbitMQ is reached beyond its URL. Files are read again for each connection, so that they may be replaced. */
export interface RabbitAccess {
  /** PEM files: whom we trust, and who we are. Absent: whom Node trusts, and nobody. */
  readonly ca?: string | undefined;
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
  /** The name that the server's certificate is to have, where that is not the host of the URL. */
  readonly serverName?: string | undefined;
  /** A file with the password of the URL's user. */
  readonly passwordFile?: string | undefined;
}

// A dead network shows after two of these.
const heartbeatSeconds = 15;

/** The URLs of a list with commas in between. Throws where one is none of amqp: or amqps:. */
export function parseUrls(list: string): readonly URL[] {
  const urls = list.split(',').map((text) => new URL(text.trim()));
  if (!urls.every(({ protocol }) => protocol === 'amqp:' || protocol === 'amqps:')) {
    throw new TypeError('amqp: or amqps: was expected.');
  }
  return urls;
}

/** Host, port and virtual host: what a message may say about a URL that holds a password. */
export function toPlace({ hostname, port, pathname, protocol }: URL): string {
  const standard = protocol === 'amqps:' ? '5671' : '5672';
  return `${hostname}:${port === '' ? standard : port}${pathname === '/' ? '' : pathname}`;
}

/** What amqplib connects by. Rejects where a file cannot be read. */
export async function buildConnect(
  url: URL,
  access: RabbitAccess,
): Promise<readonly [url: string, options: object]> {
  const target = new URL(url);
  if (!target.searchParams.has('heartbeat')) {
    target.searchParams.set('heartbeat', String(heartbeatSeconds));
  }
  const options: Record<string, unknown> = {};
  if (access.passwordFile !== undefined) {
    const password = (await readFile(access.passwordFile, 'utf8')).replace(/\r?\n$/, '');
    options['credentials'] = credentials.plain(decodeURIComponent(url.username), password);
  }
  if (url.protocol === 'amqps:') {
    const read = (file: string | undefined): Promise<Buffer> | undefined =>
      file === undefined ? undefined : readFile(file);
    options['ca'] = await read(access.ca);
    options['cert'] = await read(access.certificate);
    options['key'] = await read(access.key);
    if (access.serverName !== undefined) options['servername'] = access.serverName;
    // The certificate says who we are where nothing else does.
    if (access.certificate !== undefined && url.username === '') {
      options['credentials'] = credentials.external();
    }
  }
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return [target.href, Object.fromEntries(given)];
}

/** What is wrong with the files, a line each, named as `names` says; they are read. */
export function findAccessProblems(
  access: RabbitAccess,
  names: Readonly<Record<keyof RabbitAccess, string>>,
): readonly string[] {
  const problems: string[] = [];
  const read = <Read>(name: keyof RabbitAccess, what: string, parse: (text: string) => Read) => {
    const file = access[name];
    if (file === undefined) return undefined;
    try {
      return parse(readFileSync(file, 'utf8'));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const why = code === 'ENOENT' || code === 'EACCES' || code === 'EISDIR' ? code : 'not that';
      problems.push(`${names[name]}: expected a file with ${what}, found ${why} at ${file}.`);
      return undefined;
    }
  };
  read('ca', 'certificates in PEM', (text) => new X509Certificate(text));
  const certificate = read(
    'certificate',
    'a certificate in PEM',
    (text) => new X509Certificate(text),
  );
  const key = read('key', 'a private key in PEM without a passphrase', createPrivateKey);
  read('passwordFile', 'a password', (text) => {
    if (text.trim() === '') throw new Error('empty');
  });
  if ((access.certificate === undefined) !== (access.key === undefined)) {
    problems.push(`${names.certificate} and ${names.key}: expected both or none, found one.`);
  } else if (certificate !== undefined && key !== undefined && !certificate.checkPrivateKey(key)) {
    problems.push(
      `${names.key}: expected the key of the certificate ${names.certificate}, found another.`,
    );
  }
  return problems;
}
