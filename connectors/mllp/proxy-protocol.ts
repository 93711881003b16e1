import { isIPv4, isIPv6 } from 'node:net';
import { normalizeAddress, normalizeIpv6, type Endpoint } from './peer-address.ts';

/** What the first bytes of a connection are, where a proxy's header is expected. */
export type ProxyHeader =
  | {
      readonly kind: 'header';
      /** Bytes of the header; what follows is the peer's. */
      readonly length: number;
      /** Whom the proxy speaks for; absent where it speaks for itself (LOCAL) or cannot tell (UNKNOWN). */
      readonly source?: Endpoint;
    }
  /** So many bytes are needed before it is worth looking again. */
  | { readonly kind: 'incomplete'; readonly atLeast: number }
  | { readonly kind: 'invalid'; readonly found: string };

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const textStart = Buffer.from('PROXY ', 'latin1');
const fixedBytes = 16;
const longestText = 107;

/**
 * Reads the header of the PROXY protocol, version 1 (text) or 2 (binary), as published by HAProxy ("The
 * PROXY protocol", sections 2.1 and 2.2). Additional values (TLV) of version 2 are passed over.
 */
export function parseProxyHeader(bytes: Buffer): ProxyHeader {
  if (startsLike(bytes, signature)) return parseBinary(bytes);
  if (startsLike(bytes, textStart)) return parseText(bytes);
  return { kind: 'invalid', found: 'something else' };
}

function startsLike(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length);
  return bytes.subarray(0, length).equals(start.subarray(0, length));
}

function parseBinary(bytes: Buffer): ProxyHeader {
  if (bytes.length < fixedBytes) return { kind: 'incomplete', atLeast: fixedBytes };
  const version = bytes.readUInt8(12) >> 4;
  const command = bytes.readUInt8(12) & 0x0f;
  if (version !== 2) return { kind: 'invalid', found: `version ${version}` };
  if (command > 1) return { kind: 'invalid', found: `the unknown command ${command}` };
  const length = fixedBytes + bytes.readUInt16BE(14);
  if (bytes.length < length) return { kind: 'incomplete', atLeast: length };
  const isLocal = command === 0;
  return isLocal ? { kind: 'header', length } : parseAddresses(bytes, length);
}

/** The family and transport of version 2: unspecified, TCP over IPv4, TCP over IPv6, UNIX stream. */
function parseAddresses(bytes: Buffer, length: number): ProxyHeader {
  const family = bytes.readUInt8(13);
  const block = bytes.subarray(fixedBytes, length);
  switch (family) {
    case 0x00:
    case 0x31:
      return { kind: 'header', length };
    case 0x11:
      if (block.length < 12) break;
      return {
        kind: 'header',
        length,
        source: { host: [...block.subarray(0, 4)].join('.'), port: block.readUInt16BE(8) },
      };
    case 0x21: {
      if (block.length < 36) break;
      const groups = Array.from({ length: 8 }, (_, index) => block.readUInt16BE(index * 2));
      return { kind: 'header', length, source: toIpv6Source(groups, block.readUInt16BE(32)) };
    }
    default:
      return { kind: 'invalid', found: `the address family and transport ${family}` };
  }
  return { kind: 'invalid', found: 'addresses that are cut short' };
}

function toIpv6Source(groups: readonly number[], port: number): Endpoint {
  const text = groups.map((group) => group.toString(16)).join(':');
  return { host: normalizeAddress(normalizeIpv6(text)), port };
}

function parseText(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, longestText).indexOf('\r\n');
  if (end === -1) {
    return bytes.length >= longestText
      ? { kind: 'invalid', found: 'a line that does not end' }
      : { kind: 'incomplete', atLeast: bytes.length + 1 };
  }
  const length = end + 2;
  const [, family, host = '', , port = '', destinationPort = '', ...rest] = bytes
    .toString('latin1', 0, end)
    .split(' ');
  if (family === 'UNKNOWN') return { kind: 'header', length };
  const isAddress =
    (family === 'TCP4' && isIPv4(host)) ||
    (family === 'TCP6' && isIPv6(host) && !host.includes('%'));
  if (!isAddress || !isPort(port) || !isPort(destinationPort) || rest.length > 0) {
    return { kind: 'invalid', found: 'a line that cannot be read' };
  }
  return { kind: 'header', length, source: { host: normalizeAddress(host), port: Number(port) } };
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535;
}
