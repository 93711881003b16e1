import { BlockList, isIP } from 'node:net';

const mappedDotted = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/;
const mappedHex = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/;

/**
 * An address in the one form that it is compared and shown in: an IPv4 address that a socket for both
 * families gives as `::ffff:10.1.2.3` (also written `::ffff:a01:203`) is `10.1.2.3`, and a link-local one loses its interface (`%eth0`).
 */
export function normalizeAddress(address: string): string {
  const [bare = ''] = address.toLowerCase().split('%', 1);
  const dotted = mappedDotted.exec(bare)?.[1];
  if (dotted !== undefined) return dotted;
  const hex = mappedHex.exec(bare)?.slice(1);
  if (hex === undefined) return bare;
  return hex
    .map((group) => Number.parseInt(group, 16))
    .flatMap((group) => [group >> 8, group & 0xff])
    .join('.');
}

/** The short form of RFC 5952, without an interface. */
export function normalizeIpv6(address: string): string {
  const [bare = ''] = address.split('%', 1);
  return new URL(`http://[${bare}]/`).hostname.slice(1, -1);
}

/** `10.1.2.3:51234`, `[fd00::1]:51234`. */
export function formatEndpoint({ host, port }: Endpoint): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** Addresses and networks, to look up addresses in. */
export interface AddressList {
  includes(address: string): boolean;
}

/**
 * A list of addresses and networks in CIDR notation, of both families. Throws RangeError at what is
 * neither: the definition's parser lets none through.
 */
export function buildAddressList(entries: readonly string[]): AddressList {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = '', prefix] = entry.split('/', 2);
    const host = normalizeAddress(address);
    const family = familyOf(host);
    if (family === undefined) throw new RangeError(`No address or network: "${entry}"`);
    if (prefix === undefined) list.addAddress(host, family);
    else {
      // A network of mapped addresses is a network of IPv4: 96 of its bits are `::ffff:`.
      const isMapped = family === 'ipv4' && address.includes(':');
      list.addSubnet(host, Number(prefix) - (isMapped ? 96 : 0), family);
    }
  }
  return {
    includes(address) {
      const host = normalizeAddress(address);
      const family = familyOf(host);
      return family !== undefined && list.check(host, family);
    },
  };
}

function familyOf(address: string): 'ipv4' | 'ipv6' | undefined {
  const family = isIP(address);
  return family === 0 ? undefined : family === 4 ? 'ipv4' : 'ipv6';
}
