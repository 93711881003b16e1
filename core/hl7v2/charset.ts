import iconv from 'iconv-lite';
import { HilumError } from '../errors.ts';
import type { Issue } from '../issue.ts';
import { findCharset, type Charset } from './charset-names.ts';

/** A message's text with what is needed to write it as the same bytes again. */
export interface DecodedMessage {
  /** Everything of it, a byte order mark included. */
  readonly text: string;
  /** What the text was read as: hand it to {@link encodeMessage}. Named as in MSH-18, UTF-16 with its byte order. */
  readonly charset: string;
  /** Where the bytes are not what MSH-18 says. */
  readonly issues: readonly Issue[];
}

const fallbackName = '8859/1';
const utf8Name = 'UNICODE UTF-8';
const none: readonly Issue[] = [];

/**
 * Decodes by the first repetition of MSH-18, or by `override` where a site knows better; without either as
 * UTF-8 where the bytes are valid UTF-8, else as ISO 8859-1. Bytes that the declared set cannot hold, or a
 * set that we do not know, are reported and read by that same rule: ISO 8859-1 gives every byte a character,
 * so encoding with `charset` always gives the same bytes.
 */
export function decodeMessage(bytes: Uint8Array, override?: string): DecodedMessage {
  const mark = findByteOrder(bytes);
  const declared = override ?? (mark === undefined ? readDeclared(bytes) : '');
  if (mark !== undefined && override === undefined) {
    const text = decodeAs(bytes, mark);
    return text === undefined ? guess(bytes, mark) : { text, charset: mark, issues: none };
  }
  if (declared === '') return guess(bytes, undefined);
  const charset = findCharset(declared);
  const text = charset === undefined ? undefined : decodeExactly(bytes, charset);
  if (charset === undefined || text === undefined) return guess(bytes, declared);
  return { text, charset: charset.name, issues: none };
}

/**
 * The bytes of a text in a character set, named as in MSH-18. Throws a permanent HilumError,
 * `character-not-in-charset` or `charset-unknown`: never a replacement character.
 */
export function encodeMessage(text: string, charset: string): Uint8Array {
  const found = findCharset(charset);
  if (found === undefined) {
    const message =
      'Expected a character set of table 0211, such as UNICODE UTF-8, found another name';
    throw buildCharsetError('charset-unknown', message);
  }
  const bytes = encodeExactly(text, found);
  if (bytes === undefined) {
    const message = `Expected characters that ${found.name} has, found one that it has not; send UNICODE UTF-8`;
    throw buildCharsetError('character-not-in-charset', message);
  }
  return bytes;
}

/** The text of a few bytes, such as those of `\X..\`; undefined where the set does not have them. */
export function decodeBytes(bytes: Uint8Array, charset = ''): string | undefined {
  // Below 0x80 all sets of table 0211 agree; UTF-16 messages too write `\X0D\` for a carriage return.
  if (bytes.every((byte) => byte < 0x80)) return toBuffer(bytes).toString('latin1');
  const found = findCharset(charset);
  if (found !== undefined) return decodeExactly(bytes, found);
  return decodeUtf8(bytes) ?? toBuffer(bytes).toString('latin1');
}

/** What MSH-18 says, first repetition, or `''`; the bytes of every other set read as ASCII in their header. */
function readDeclared(bytes: Uint8Array): string {
  const head = toBuffer(bytes.subarray(0, 65_536)).toString('latin1');
  const match = /(?:^|[\r\n])[^A-Za-z0-9\r\n]*MSH([^\r\n]+)/.exec(head);
  if (match?.[1] === undefined) return '';
  const separator = match[1].charAt(0);
  const repetition = match[1].charAt(2);
  // Counting from MSH-1, which is the separator itself, MSH-18 is the 17th part behind it.
  const field = match[1].split(separator, 18)[17] ?? '';
  return (repetition === separator ? field : (field.split(repetition, 1)[0] ?? '')).trim();
}

/** The set that a byte order mark, or the zero bytes of UTF-16, speak for. */
function findByteOrder(bytes: Uint8Array): string | undefined {
  const [first, second, third] = bytes;
  if (first === 0xef && second === 0xbb && third === 0xbf) return utf8Name;
  if ((first === 0xff && second === 0xfe) || (first === 0x4d && second === 0)) return 'UTF-16LE';
  if ((first === 0xfe && second === 0xff) || (first === 0 && second === 0x4d)) return 'UTF-16BE';
  return undefined;
}

function guess(bytes: Uint8Array, declared: string | undefined): DecodedMessage {
  const text = decodeUtf8(bytes);
  const charset = text === undefined ? fallbackName : utf8Name;
  return {
    text: text ?? toBuffer(bytes).toString('latin1'),
    charset,
    issues: declared === undefined ? none : [buildMismatch(declared, charset)],
  };
}

function buildMismatch(declared: string, read: string): Issue {
  const known = findCharset(declared);
  const rest = `read as ${read}, its bytes are kept; correct MSH-18 or set the sender's character set`;
  return {
    code: known === undefined ? 'charset-unknown' : 'charset-mismatch',
    severity: 'warning',
    location: 'MSH-18',
    message:
      known === undefined
        ? `Expected a character set of table 0211, found another name; ${rest}`
        : `Expected bytes of ${known.name} as MSH-18 says, found others; ${rest}`,
  };
}

function buildCharsetError(code: string, message: string): HilumError {
  return new HilumError('permanent', [{ code, severity: 'error', location: 'MSH-18', message }]);
}

function decodeAs(bytes: Uint8Array, name: string): string | undefined {
  const charset = findCharset(name);
  return charset === undefined ? undefined : decodeExactly(bytes, charset);
}

/** The text, or undefined where encoding it would not give the bytes again. */
function decodeExactly(bytes: Uint8Array, charset: Charset): string | undefined {
  switch (charset.codec) {
    case 'ascii': {
      const text = toBuffer(bytes).toString('latin1');
      return isAscii(text) ? text : undefined;
    }
    case 'latin1':
      return toBuffer(bytes).toString('latin1');
    case 'utf8':
      return decodeUtf8(bytes);
    default: {
      const text = iconv.decode(toBuffer(bytes), charset.codec, { stripBOM: false });
      const again = iconv.encode(text, charset.codec, { addBOM: false });
      return again.equals(bytes) ? text : undefined;
    }
  }
}

/** The bytes, or undefined where decoding them would not give the text again. */
function encodeExactly(text: string, charset: Charset): Uint8Array | undefined {
  switch (charset.codec) {
    case 'ascii':
      return isAscii(text) ? Buffer.from(text, 'latin1') : undefined;
    case 'latin1':
      return isLatin1(text) ? Buffer.from(text, 'latin1') : undefined;
    case 'utf8':
      return text.isWellFormed() ? Buffer.from(text, 'utf8') : undefined;
    default: {
      const bytes = iconv.encode(text, charset.codec, { addBOM: false });
      return iconv.decode(bytes, charset.codec, { stripBOM: false }) === text ? bytes : undefined;
    }
  }
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return undefined;
  }
}

function isAscii(text: string): boolean {
  return !/[^\0-\x7f]/.test(text);
}

function isLatin1(text: string): boolean {
  return !/[^\0-\xff]/.test(text);
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
