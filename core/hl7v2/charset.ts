import { isAscii } from 'node:buffer';
import { HilumError } from '../errors.ts';
import type { Issue } from '../issue.ts';
import {
  buildCodeExtension,
  findCharset,
  findCodeSets,
  isAsciiBased,
  type Charset,
} from './charset-names.ts';
import { buildMismatch, buildUndeclared, buildUnreadable } from './charset-issues.ts';
import { decodeExactly, decodeMarked, encodeExactly, toBuffer } from './codec.ts';
import { listDesignated } from './iso-2022.ts';

/** A message's text with what is needed to write it as the same bytes again. */
export interface DecodedMessage {
  /** Everything of it, a byte order mark included; bytes that the set has not as the marks of byte-marks.ts. */
  readonly text: string;
  /**
   * What the text was read as: hand it to {@link encodeMessage}. Named as in MSH-18, UTF-16 with its byte
   * order, the sets of ISO 2022 with `~` between them.
   */
  readonly charset: string;
  /** Where the bytes are not what MSH-18 says. */
  readonly issues: readonly Issue[];
}

const fallbackName = '8859/1';
const utf8Name = 'UNICODE UTF-8';
const none: readonly Issue[] = [];

/**
 * Decodes by MSH-18, or by `override` where a site knows better. The first repetition is the message's set;
 * with alternates, or where MSH-20 says so, escape sequences of ISO 2022 switch between sets. Without a
 * declaration: as UTF-8 where the bytes are valid UTF-8, else as ISO 8859-1.
 *
 * Bytes that the declared set has not are reported (`charset-mismatch`) and kept: where they are valid
 * UTF-8 the message is read as that; where the set has other characters of the message beyond ASCII, it is
 * read as declared, with marks for the bytes; else as ISO 8859-1, which gives every byte a character.
 * Encoding with `charset` always gives the same bytes.
 */
export function decodeMessage(bytes: Uint8Array, override?: string): DecodedMessage {
  const order = override === undefined ? findByteOrder(bytes) : undefined;
  const declared =
    override === undefined && order === undefined
      ? readDeclared(bytes)
      : { names: override ?? order ?? '', scheme: '' };
  if (declared.names === '') return decodeUndeclared(bytes);
  const charset = chooseCharset(declared, bytes);
  if (charset === undefined) {
    const decoded = decodeUndeclared(bytes);
    return { ...decoded, issues: [buildUnreadable(declared.names, decoded.charset)] };
  }
  // A header that reads as ASCII is not of a set with wide units, whatever it says.
  const isWide = override === undefined && order === undefined && !isAsciiBased(charset);
  const text = isWide ? undefined : decodeExactly(bytes, charset);
  return text === undefined
    ? recover(bytes, charset)
    : { text, charset: charset.name, issues: none };
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
  const found = findCharset(charset);
  // Below 0x80 all sets of table 0211 agree; UTF-16 messages too write `\X0D\` for a carriage return.
  const isSwitched = found?.codec === 'iso-2022' && bytes.includes(0x1b);
  if (isAscii(bytes) && !isSwitched) return toBuffer(bytes).toString('latin1');
  if (found !== undefined) return decodeExactly(bytes, found);
  return decodeAs(bytes, utf8Name) ?? toBuffer(bytes).toString('latin1');
}

interface Declared {
  /** MSH-18 with `~` between its repetitions, `''` where it is empty. */
  readonly names: string;
  /** MSH-20. */
  readonly scheme: string;
}

/** What MSH says, the bytes of every set read as ASCII in their header. */
function readDeclared(bytes: Uint8Array): Declared {
  const header = findHeader(bytes);
  if (header === undefined) return { names: '', scheme: '' };
  const separator = header.charAt(0);
  const repetition = header.charAt(2);
  // Counting from MSH-1, which is the separator itself, MSH-18 is the 17th part behind it.
  const fields = header.split(separator, 20);
  const field = fields[17] ?? '';
  const scheme = (fields[19] ?? '').trim();
  if (repetition === separator || !field.includes(repetition))
    return { names: field.trim(), scheme };
  const names = field.split(repetition).map((name) => name.trim());
  const count = names.findLastIndex((name) => name !== '') + 1;
  return { names: names.slice(0, count).join('~'), scheme };
}

/** The header's line behind its name: nearly always the first, else one near the beginning. */
function findHeader(bytes: Uint8Array): string | undefined {
  const head = toBuffer(bytes.subarray(0, 65_536));
  const first = head.indexOf(0x0d);
  const line = first === -1 ? undefined : head.toString('latin1', 0, first);
  // What every message of every day looks like, without the search below.
  if (line?.startsWith('MSH') === true && line.length > 3 && !line.includes('\n')) {
    return line.slice(3);
  }
  const shape = /(?:^|[\r\n])[^A-Za-z0-9\r\n]*MSH([^\r\n]+)/;
  const found = line === undefined ? null : shape.exec(line);
  return (found ?? shape.exec(head.toString('latin1')))?.[1];
}

/** The declared set; all that ISO 2022 switches between, where MSH allows that and the bytes do so. */
function chooseCharset({ names, scheme }: Declared, bytes: Uint8Array): Charset | undefined {
  const [first = ''] = names.split('~');
  const charset = first === '' ? findCharset('ASCII') : findCharset(first);
  const isExtended =
    charset?.codec === 'iso-2022' || names.includes('~') || scheme.includes('2022');
  if (!isExtended || !bytes.includes(0x1b)) return charset;
  const used = listDesignated(bytes);
  if (used.length === 0) return charset;
  const declared =
    charset?.sets === undefined ? findCodeSets(names) : [...charset.sets, ...findCodeSets(names)];
  // Which of ASCII and ISO IR14 a sender returns to is seen in what it does; they read alike.
  const [initial] = declared.slice(0, 1).map((set) => {
    const letters = used.find((each) => each.codec === '');
    return set.codec === '' ? (letters ?? set) : set;
  });
  if (initial === undefined) return charset;
  const others = [...used, ...declared].filter((set) => set.codec !== '');
  // Found by its name, as it will be for writing: one set alone extends nothing.
  return findCharset(buildCodeExtension([...new Set([initial, ...others])]).name);
}

/** The set that a byte order mark, or the zero bytes of UTF-16 and UTF-32, speak for. */
export function findByteOrder(bytes: Uint8Array): string | undefined {
  const [first, second, third, fourth] = bytes;
  if (first === 0xef && second === 0xbb && third === 0xbf) return utf8Name;
  const isWide = third === 0 && fourth === 0;
  if (first === 0xff && second === 0xfe) return isWide ? 'UTF-32LE' : 'UTF-16LE';
  if (first === 0x4d && second === 0) return isWide ? 'UTF-32LE' : 'UTF-16LE';
  if (first === 0xfe && second === 0xff) return 'UTF-16BE';
  if (first !== 0) return undefined;
  if (second === 0x4d) return 'UTF-16BE';
  const isWideMark = second === 0 && third === 0xfe && fourth === 0xff;
  return isWideMark || (second === 0 && third === 0 && fourth === 0x4d) ? 'UTF-32BE' : undefined;
}

/** Without MSH-18 a message is ASCII; what is not is read as what it most likely is. */
function decodeUndeclared(bytes: Uint8Array): DecodedMessage {
  const text = decodeAs(bytes, utf8Name);
  const charset = text === undefined ? fallbackName : utf8Name;
  return {
    text: text ?? toBuffer(bytes).toString('latin1'),
    charset,
    issues: isAscii(bytes) ? none : [buildUndeclared(bytes, charset)],
  };
}

/** Reads what is not of the declared set. */
function recover(bytes: Uint8Array, declared: Charset): DecodedMessage {
  const marked = decodeMarked(bytes, declared);
  const read = (text: string, charset: string): DecodedMessage => ({
    text,
    charset,
    issues: [buildMismatch({ bytes, declared, read: charset, at: marked?.firstMark })],
  });
  // Bytes below 0x80 are those of ISO 2022 then, and say nothing for UTF-8.
  const utf8 = isAscii(bytes) ? undefined : decodeAs(bytes, utf8Name);
  if (utf8 !== undefined) return read(utf8, utf8Name);
  if (marked?.hasOthers === true) {
    const again = encodeExactly(marked.text, declared);
    if (again !== undefined && toBuffer(bytes).equals(again)) {
      return read(marked.text, declared.name);
    }
  }
  return read(toBuffer(bytes).toString('latin1'), isAscii(bytes) ? utf8Name : fallbackName);
}

function decodeAs(bytes: Uint8Array, name: string): string | undefined {
  const charset = findCharset(name);
  return charset === undefined ? undefined : decodeExactly(bytes, charset);
}

function buildCharsetError(code: string, message: string): HilumError {
  return new HilumError('permanent', [{ code, severity: 'error', location: 'MSH-18', message }]);
}
