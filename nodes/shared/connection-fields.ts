import { accepted, hostName, isIpv6, refused, type FieldParser } from './fields.ts';

/** The path of a file, from the root on: a relative one would depend on where Hilum was started. */
export const filePath: FieldParser<string> = (text) => {
  if (text === '') return refused('field-required');
  return /^(\/|[A-Za-z]:[\\/])[^\0\n]*$/.test(text) ? accepted(text) : refused('path-invalid');
};

/** Entries separated by commas or line ends, without the empty ones. */
export const textList: FieldParser<readonly string[]> = (text) => {
  const entries = text
    .split(/[,\n]/)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  return entries.length === 0 ? refused('field-required') : accepted(entries);
};

/** Addresses and networks of both families: `10.1.2.3, 192.168.0.0/16, fd00::/8`. */
export const peerList: FieldParser<readonly string[]> = (text) => {
  const entries = textList(text);
  if (!entries.ok) return entries;
  return entries.value.every(isPeer) ? entries : refused('peers-invalid');
};

function isPeer(entry: string): boolean {
  const [address = '', prefix = '0', ...rest] = entry.split('/');
  const bits = isIpv4(address) ? 32 : isIpv6(address) ? 128 : -1;
  // A network of IPv4 written in IPv6 has the 96 bits of `::ffff:` at least.
  const least = /^::ffff:/i.test(address) && entry.includes('/') ? 96 : 0;
  const length = Number(prefix);
  return rest.length === 0 && /^\d{1,3}$/.test(prefix) && length >= least && length <= bits;
}

function isIpv4(text: string): boolean {
  const parts = text.split('.');
  return (
    parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && +part < 256)
  );
}

/** SHA-256 fingerprints of certificates, with or without colons. */
export const fingerprintList: FieldParser<readonly string[]> = (text) => {
  const entries = textList(text);
  if (!entries.ok) return entries;
  const areAll = entries.value.every((entry) =>
    /^[0-9A-Fa-f]{64}$/.test(entry.replaceAll(':', '')),
  );
  return areAll ? entries : refused('fingerprints-invalid');
};

/** Lines of `lab.example.org: /path/cert.pem, /path/key.pem`; `*.example.org` stands for one label. */
export const serverNameList: FieldParser<readonly ServerNameFiles[]> = (text) => {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const found = lines.map((line) => {
    const [, serverName = '', files = ''] = /^\s*([^:\s]+):(.*)$/.exec(line) ?? [];
    const [certificate = '', key = '', ...rest] = files.split(',').map((file) => file.trim());
    const isName = hostName(serverName.replace(/^\*\./, '')).ok;
    const arePaths = filePath(certificate).ok && filePath(key).ok && rest.length === 0;
    return isName && arePaths ? { serverName, certificate, key } : undefined;
  });
  const usable = found.filter((each) => each !== undefined);
  if (lines.length === 0) return refused('field-required');
  return usable.length === lines.length ? accepted(usable) : refused('server-names-invalid');
};

interface ServerNameFiles {
  readonly serverName: string;
  readonly certificate: string;
  readonly key: string;
}
