import { decodeMessage } from './charset.ts';
import { readDelimiters } from './delimiters.ts';
import type { Issue } from '../issue.ts';
import type { Delimiters, Hl7Message } from './message.ts';
import { buildNoHeader } from './no-header.ts';
import { findLineEnd, findStart } from './scan.ts';

/**
 * The fields of MSH that decide what happens to a message before anybody parses it. Raw, as the sender
 * wrote them, `''` where empty or absent.
 */
export interface Header {
  readonly delimiters: Delimiters;
  /** MSH-3. */
  readonly sendingApplication: string;
  /** MSH-4. */
  readonly sendingFacility: string;
  /** MSH-5. */
  readonly receivingApplication: string;
  /** MSH-6. */
  readonly receivingFacility: string;
  /** MSH-7. */
  readonly timestamp: string;
  /** MSH-9 with the usual `^` between its components, whatever the sender's is: `ORU^R01^ORU_R01`. */
  readonly messageType: string;
  /** MSH-10. */
  readonly controlId: string;
  /** MSH-11. */
  readonly processingId: string;
  /** MSH-12. */
  readonly version: string;
  /** MSH-13. */
  readonly sequenceNumber: string;
  /** MSH-15: AL, NE, ER or SU. */
  readonly acceptAcknowledgment: string;
  /** MSH-16. */
  readonly applicationAcknowledgment: string;
  /** MSH-18, its first repetition. */
  readonly charset: string;
  /** MSH-18 with all its repetitions. */
  readonly charsets: string;
  /** What the header was read as: `encodeMessage` writes an answer made from it with this. */
  readonly encoding: string;
}

/** A header, or the reasons why there is none: `message-empty`, `header-missing` and those of the delimiters. */
export type HeaderResult =
  | { readonly ok: true; readonly header: Header }
  | { readonly ok: false; readonly issues: readonly Issue[] };

/** Reads the header of a message without parsing the rest: bytes (in the set that MSH-18 names) or text. */
export function readHeader(source: Uint8Array | string): HeaderResult {
  const { text, charset } =
    typeof source === 'string'
      ? { text: source, charset: 'UNICODE UTF-8' }
      : decodeMessage(findFirstLine(source));
  const start = findStart(text);
  if (!text.startsWith('MSH', start)) return { ok: false, issues: [buildNoHeader(text, start)] };
  const end = findLineEnd(text, start);
  const read = readDelimiters(text, start, end);
  if (!read.ok) return { ok: false, issues: read.issues };
  return { ok: true, header: readFields(text.slice(start, end), read.delimiters, charset) };
}

/** The patient: PID-3.1 of the first repetition. */
const usualKeyPaths: readonly string[] = ['PID-3.1'];

/**
 * What messages share that keep their order among themselves: the value at the first of these paths that has
 * one. Undefined where none has. Throws as {@link Hl7Message.get} does.
 */
export function readKey(
  message: Hl7Message,
  paths: readonly string[] = usualKeyPaths,
): string | undefined {
  for (const path of paths) {
    const key = message.get(path);
    if (key !== undefined && key !== '' && key !== '""') return key;
  }
  return undefined;
}

function readFields(line: string, delimiters: Delimiters, encoding: string): Header {
  // Behind `MSH|` the parts count from MSH-2.
  const fields = line.slice(4).split(delimiters.field, 17);
  const field = (position: number): string => fields[position - 2] ?? '';
  const type = field(9);
  return {
    delimiters,
    sendingApplication: field(3),
    sendingFacility: field(4),
    receivingApplication: field(5),
    receivingFacility: field(6),
    timestamp: field(7),
    messageType: delimiters.component === '^' ? type : type.replaceAll(delimiters.component, '^'),
    controlId: field(10),
    processingId: field(11),
    version: field(12),
    sequenceNumber: field(13),
    acceptAcknowledgment: field(15),
    applicationAcknowledgment: field(16),
    charset: (field(18).split(delimiters.repetition, 1)[0] ?? '').trim(),
    charsets: field(18),
    encoding,
  };
}

/** The bytes up to the end of MSH: a large message is not decoded for its header. */
function findFirstLine(bytes: Uint8Array): Uint8Array {
  const start = bytes.findIndex((byte) => byte > 0x20);
  // The zero bytes of UTF-16 make line ends and marks two bytes wide.
  if (start === -1 || bytes.subarray(0, start + 2).includes(0) || isByteOrderMark(bytes)) {
    return bytes;
  }
  const cr = bytes.indexOf(0x0d, start);
  const line = cr === -1 ? bytes.subarray(start) : bytes.subarray(start, cr);
  const lf = line.indexOf(0x0a);
  return lf === -1 ? line : line.subarray(0, lf);
}

function isByteOrderMark(bytes: Uint8Array): boolean {
  return (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
}
