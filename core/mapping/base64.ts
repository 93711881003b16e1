const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** The text in UTF-8 that base64 stands for; undefined where it is none. */
export function decodeBase64(text: string): string | undefined {
  if (!/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(text)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(text, 'base64'));
  } catch {
    return undefined;
  }
}

/** A text in UTF-8 as base64; `''` for none. */
export function encodeBase64(text: string): string {
  return encodeBytes(new TextEncoder().encode(text));
}

/** The bytes that pairs of hexadecimal digits stand for, as base64; undefined where they are none. */
export function encodeHex(text: string): string | undefined {
  const hex = text.replaceAll(/\s+/g, '');
  if (hex.length % 2 === 1 || !/^[0-9A-Fa-f]+$/.test(hex)) return undefined;
  return encodeBytes(Buffer.from(hex, 'hex'));
}

function encodeBytes(bytes: Uint8Array): string {
  let out = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const word = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    out += digits.charAt(word >> 18) + digits.charAt((word >> 12) & 63);
    out += left > 1 ? digits.charAt((word >> 6) & 63) : '=';
    out += left > 2 ? digits.charAt(word & 63) : '=';
  }
  return out;
}
