import { decodeMessage } from './charset.ts';
import { readDelimiters } from './delimiters.ts';
import type { Delimiters, Hl7Message } from './message.ts';
import { findMark, findStart } from './scan.ts';

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
  /** MSH-15: AL, NE, ER or SU. */
  readonly acceptAcknowledgment: string;
  /** MSH-16. */
  readonly applicationAcknowledgment: string;
  /** MSH-18 with all its repetitions. */
  readonly characterSet: string;
}

/**
 * Reads the header of a message without parsing the rest: bytes (in the set that MSH-18 names) or text.
 * Undefined where there is no MSH with usable delimiters.
 */
export function readHeader(source: Uint8Array | string): Header | undefined {
  const text = typeof source === 'string' ? source : decodeFirstLine(source);
  const start = findStart(text);
  if (!text.startsWith('MSH', start)) return undefined;
  const end = findMark(text, '\n', start, findMark(text, '\r', start, text.length));
  const read = readDelimiters(text, start, end);
  return read.ok ? readFields(text.slice(start, end), read.delimiters) : undefined;
}

/** PID-3.1 of the first repetition: messages of one patient keep their order. Undefined where empty. */
export function readKey(message: Hl7Message): string | undefined {
  const key = message.get('PID-3.1');
  return key === undefined || key === '' || key === '""' ? undefined : key;
}

function readFields(line: string, delimiters: Delimiters): Header {
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
    acceptAcknowledgment: field(15),
    applicationAcknowledgment: field(16),
    characterSet: field(18),
  };
}

/** The text up to the end of MSH: a large message is not decoded for its header. */
function decodeFirstLine(bytes: Uint8Array): string {
  const start = bytes.findIndex((byte) => byte > 0x20);
  // The zero bytes of UTF-16 make line ends and marks two bytes wide.
  if (start === -1 || bytes.subarray(0, start + 2).includes(0) || isByteOrderMark(bytes)) {
    return decodeMessage(bytes).text;
  }
  const cr = bytes.indexOf(0x0d, start);
  const line = cr === -1 ? bytes.subarray(start) : bytes.subarray(start, cr);
  const lf = line.indexOf(0x0a);
  return decodeMessage(lf === -1 ? line : line.subarray(0, lf)).text;
}

function isByteOrderMark(bytes: Uint8Array): boolean {
  return (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
}
