/**
 * SHA-1 of a text's UTF-8 bytes, as 20 bytes. FIPS 180-4. Here for the UUIDs of RFC 9562 version 5 only:
 * equal content must give equal ids, and different content different ones. It protects nothing.
 */
export function toSha1(text: string): Uint8Array {
  const length = writePadded(text);
  state.set(initial);
  for (let offset = 0; offset < length; offset += wordsPerBlock) addBlock(offset);
  const digest = new Uint8Array(20);
  for (let at = 0; at < 20; at += 1) {
    digest[at] = (state[at >> 2] ?? 0) >>> (24 - 8 * (at & 3));
  }
  return digest;
}

const wordsPerBlock = 16;
const initial = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0];

// Used anew by each call, which ends before the next begins: making them took longer than hashing a short name.
const state = new Int32Array(5);
const schedule = new Int32Array(80);
let padded = new Int32Array(8 * wordsPerBlock);

/** Writes the text's bytes to `padded` as big-endian words, with the end that SHA-1 has behind them; gives how many words. */
function writePadded(text: string): number {
  const ascii = isAscii(text);
  const bytes = ascii ? undefined : new TextEncoder().encode(text);
  const size = bytes?.length ?? text.length;
  const length = (((size + 8) >> 6) + 1) * wordsPerBlock;
  if (padded.length < length) padded = new Int32Array(length);
  else padded.fill(0, 0, length);
  for (let at = 0; at < size; at += 1) {
    const byte = bytes === undefined ? text.charCodeAt(at) : (bytes[at] ?? 0);
    padded[at >> 2] = (padded[at >> 2] ?? 0) | (byte << (24 - 8 * (at & 3)));
  }
  padded[size >> 2] = (padded[size >> 2] ?? 0) | (0x80 << (24 - 8 * (size & 3)));
  padded[length - 2] = Math.floor(size / 0x20000000);
  padded[length - 1] = size << 3;
  return length;
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) if (text.charCodeAt(at) > 0x7f) return false;
  return true;
}

function addBlock(offset: number): void {
  for (let i = 0; i < 16; i += 1) schedule[i] = padded[offset + i] ?? 0;
  for (let i = 16; i < 80; i += 1) {
    const word = at(i - 3) ^ at(i - 8) ^ at(i - 14) ^ at(i - 16);
    schedule[i] = (word << 1) | (word >>> 31);
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0] = state;
  for (let i = 0; i < 80; i += 1) {
    const next = (((a << 5) | (a >>> 27)) + mix(i, b, c, d) + e + at(i)) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  add(0, a);
  add(1, b);
  add(2, c);
  add(3, d);
  add(4, e);
}

function at(word: number): number {
  return schedule[word] ?? 0;
}

function add(word: number, more: number): void {
  state[word] = ((state[word] ?? 0) + more) | 0;
}

function mix(round: number, b: number, c: number, d: number): number {
  if (round < 20) return (((b & c) | (~b & d)) + 0x5a827999) | 0;
  if (round < 40) return ((b ^ c ^ d) + 0x6ed9eba1) | 0;
  if (round < 60) return (((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc) | 0;
  return ((b ^ c ^ d) + 0xca62c1d6) | 0;
}

/** Hilum's name space for version 5 UUIDs: itself the version 5 UUID of `urn:hilum` in the URL name space. */
const nameSpace = 'urn:hilum:';

/** A UUID of the version 5 form (RFC 9562 §5.5) from a name: the same name always gives the same. */
export function toUuid(name: string): string {
  const bytes = toSha1(nameSpace + name);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  let text = '';
  for (let i = 0; i < 16; i++) {
    if (i === 4 || i === 6 || i === 8 || i === 10) text += '-';
    text += hex[bytes[i] ?? 0] ?? '';
  }
  return text;
}

const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
