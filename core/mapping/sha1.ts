import { hash } from 'node:crypto';

/**
 * SHA-1 of a text's UTF-8 bytes, as 20 bytes. FIPS 180-4. Here for the UUIDs of RFC 9562 version 5 and for short marks only:
 * equal content must give equal ids, and different content different ones. It protects nothing.
 */
export function toSha1(text: string): Uint8Array {
  return hash('sha1', text, 'buffer');
}

/** Hilum's name space for version 5 UUIDs: itself the version 5 UUID of `urn:hilum` in the URL name space. */
const nameSpace = 'urn:hilum:';

/** A UUID of the version 5 form (RFC 9562 §5.5) from a name: the same name always gives the same. */
export function toUuid(name: string): string {
  const digits = hash('sha1', nameSpace + name, 'hex');
  const variant = '89ab'.charAt(Number.parseInt(digits.charAt(16), 16) & 3);
  return (
    `${digits.slice(0, 8)}-${digits.slice(8, 12)}-5${digits.slice(13, 16)}-` +
    `${variant}${digits.slice(17, 20)}-${digits.slice(20, 32)}`
  );
}
