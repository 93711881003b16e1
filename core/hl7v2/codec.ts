import { isAscii, isUtf8 } from 'node:buffer';
import iconv from 'iconv-lite';
import { isMark, markByte, marksPattern, maxMarks, unmarkByte } from './byte-marks.ts';
import { isAsciiBased, type Charset } from './charset-names.ts';
import { decodeIso2022, encodeIso2022 } from './iso-2022.ts';

/** The text, or undefined where encoding it would not give the bytes again. */
export function decodeExactly(bytes: Uint8Array, charset: Charset): string | undefined {
  const buffer = toBuffer(bytes);
  if (charset.codec === 'latin1') return buffer.toString('latin1');
  // A copy at the speed of memory, where most messages end.
  if (isPlainAscii(buffer, charset)) return buffer.toString('latin1');
  switch (charset.codec) {
    case 'ascii':
      return undefined;
    case 'utf8':
      return isUtf8(buffer) ? buffer.toString('utf8') : undefined;
    case 'iso-2022': {
      const text = decodeIso2022(buffer, charset.sets ?? [], 0);
      return text !== undefined && isWrittenAs(text, charset, buffer) ? text : undefined;
    }
    default: {
      const text = iconv.decode(buffer, charset.codec, { stripBOM: false });
      return isWrittenAs(text, charset, buffer) ? text : undefined;
    }
  }
}

/** A text in which some bytes are marks, see byte-marks.ts. */
export interface MarkedText {
  readonly text: string;
  /** Where the first byte stands that the set has not, 0-based; undefined where it cannot be told. */
  readonly firstMark: number | undefined;
  /** Whether there are characters beyond ASCII that the set has: then the set is likely the right one. */
  readonly hasOthers: boolean;
}

/**
 * As {@link decodeExactly}, each byte that the set has not as a mark; undefined for sets of wide units. With
 * more marks than make sense there is no text.
 */
export function decodeMarked(bytes: Uint8Array, charset: Charset): MarkedText | undefined {
  const buffer = toBuffer(bytes);
  if (!isAsciiBased(charset)) return undefined;
  if (charset.codec !== 'iso-2022') return decodeUnits(buffer, charset);
  const text = decodeIso2022(buffer, charset.sets ?? [], maxMarks);
  if (text === undefined) return undefined;
  const firstMark = text.search(marksPattern);
  const before = firstMark === -1 ? undefined : encodeExactly(text.slice(0, firstMark), charset);
  const hasOthers = /[^\0-\x7f]/.test(text.replaceAll(marksPattern, ''));
  return { text, firstMark: before?.length, hasOthers };
}

/** The bytes, or undefined where decoding them would not give the text again. */
export function encodeExactly(text: string, charset: Charset): Uint8Array | undefined {
  if (isAsciiBased(charset) && charset.codec !== 'iso-2022' && !text.isWellFormed()) {
    return encodeMarked(text, charset);
  }
  if (charset.codec === 'utf8') return Buffer.from(text, 'utf8');
  if (charset.codec === 'latin1') return isLatin1(text) ? Buffer.from(text, 'latin1') : undefined;
  if (isPlainText(text, charset)) return Buffer.from(text, 'latin1');
  switch (charset.codec) {
    case 'ascii':
      return undefined;
    case 'iso-2022': {
      const bytes = encodeIso2022(text, charset.sets ?? []);
      if (bytes === undefined) return undefined;
      return decodeIso2022(bytes, charset.sets ?? [], maxMarks) === text ? bytes : undefined;
    }
    default: {
      if (isReplaced(text, charset)) return undefined;
      const bytes = iconv.encode(text, charset.codec, { addBOM: false });
      return iconv.decode(bytes, charset.codec, { stripBOM: false }) === text ? bytes : undefined;
    }
  }
}

/** All bytes of a message as the memory that they stand in. */
export function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function isPlainAscii(buffer: Buffer, charset: Charset): boolean {
  if (!isAsciiBased(charset) || !isAscii(buffer)) return false;
  return charset.codec !== 'iso-2022' || !buffer.includes(0x1b);
}

/** ASCII alone, a byte a character in nearly every set. */
function isPlainText(text: string, charset: Charset): boolean {
  if (!isAsciiBased(charset) || Buffer.byteLength(text, 'utf8') !== text.length) return false;
  return charset.codec !== 'iso-2022' || !text.includes('\u001b');
}

function isLatin1(text: string): boolean {
  return !/[^\0-\xff]/.test(text);
}

/** iconv-lite reads bytes that a set has not as U+FFFD, and writes that as the last of them. */
function isReplaced(text: string, { codec }: Charset): boolean {
  return text.includes('\ufffd') && !/^(?:utf|gb18030)/.test(codec);
}

function isWrittenAs(text: string, charset: Charset, bytes: Buffer): boolean {
  if (isReplaced(text, charset)) return false;
  const again =
    charset.codec === 'iso-2022'
      ? encodeIso2022(text, charset.sets ?? [])
      : iconv.encode(text, charset.codec, { addBOM: false });
  return again !== undefined && bytes.equals(again);
}

/** One character after the other, outside of ASCII. */
function decodeUnits(buffer: Buffer, charset: Charset): MarkedText {
  const known = new Map<number, string | undefined>();
  let text = '';
  let firstMark: number | undefined;
  let marks = 0;
  let hasOthers = false;
  let done = 0;
  for (let at = 0; at < buffer.length;) {
    if ((buffer[at] ?? 0) < 0x80) {
      at++;
      continue;
    }
    text += buffer.toString('latin1', done, at);
    const length = findUnitLength(buffer, at, { charset, known });
    if (length === undefined) {
      firstMark ??= at;
      if (++marks > maxMarks) return { text: '', firstMark, hasOthers: false };
      text += markByte(buffer[at] ?? 0);
    } else {
      hasOthers = true;
      text += known.get(buffer.readUIntBE(at, length)) ?? '';
    }
    at += length ?? 1;
    done = at;
  }
  return { text: text + buffer.toString('latin1', done), firstMark, hasOthers };
}

interface Units {
  readonly charset: Charset;
  /** What was read before, by its bytes as a number: the same few thousand come again and again. */
  readonly known: Map<number, string | undefined>;
}

/** How many bytes the character has that starts there; undefined where none does. */
function findUnitLength(buffer: Buffer, at: number, { charset, known }: Units): number | undefined {
  return unitLengths(charset.codec, buffer.subarray(at, at + 2)).find((length) => {
    if (at + length > buffer.length) return false;
    const number = buffer.readUIntBE(at, length);
    if (!known.has(number)) {
      const text = decodeExactly(buffer.subarray(at, at + length), charset);
      known.set(number, text !== undefined && Array.from(text).length === 1 ? text : undefined);
    }
    return known.get(number) !== undefined;
  });
}

const oneOrTwo = [1, 2];

/** How many bytes a character can have that starts with these two. */
function unitLengths(codec: string, [first = 0, second = 0]: Uint8Array): readonly number[] {
  if (codec === 'utf8') return first < 0xe0 ? [2] : first < 0xf0 ? [3] : [4];
  if (codec === 'gb18030' && second >= 0x30 && second <= 0x39) return [4];
  return codec === 'euc-jp' && first === 0x8f ? [3] : oneOrTwo;
}

/** Marks as the bytes that they stand for; only where reading would make the same marks again. */
function encodeMarked(text: string, charset: Charset): Uint8Array | undefined {
  const parts: Uint8Array[] = [];
  let done = 0;
  const marks = [...text.matchAll(marksPattern)];
  for (const { index, 0: run } of [...marks, { index: text.length, 0: '' }]) {
    const between = text.slice(done, index);
    const bytes = between.isWellFormed() ? encodeExactly(between, charset) : undefined;
    if (bytes === undefined || !Array.from(run).every(isMark)) return undefined;
    parts.push(bytes, Buffer.from(Array.from(run, unmarkByte)));
    done = index + run.length;
  }
  const bytes = Buffer.concat(parts);
  return decodeMarked(bytes, charset)?.text === text ? bytes : undefined;
}
