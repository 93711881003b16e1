import { HilumError } from '../errors.ts';
import { encodeMessage } from './charset.ts';
import { usualDelimiters } from './delimiters.ts';
import { escapeText } from './escape.ts';
import { readHeader } from './header.ts';
import type { Delimiters } from './message.ts';
import { findStart } from './scan.ts';
import { splitMessages } from './split.ts';

/** How a batch or a file of batches is written. */
export interface BatchOptions {
  /** Of the header and trailer; without them those of the first message, or `|^~\&`. */
  readonly delimiters?: Delimiters | undefined;
  /** Fields of BHS (FHS) from the third on, by position, raw: `{ 3: 'LAB', 7: '20260102', 11: 'B1' }`. */
  readonly header?: Readonly<Record<number, string>>;
  /** BTS-2 (FTS-2), as text. */
  readonly comment?: string;
  /** BTS-3, raw, one a repetition; what is summed up is agreed between sites. */
  readonly totals?: readonly string[];
}

/**
 * A batch of messages: BHS, each message as it is (its own delimiters stand in its MSH), and BTS with their
 * number. What frames a message (MLLP, a byte order mark) is left out, and a segment end added where its
 * last is missing. Throws a permanent HilumError: `batch-message-invalid` (not one message),
 * `batch-field-invalid` (a field with a separator or line end in it).
 */
export function buildBatch(messages: readonly string[], options: BatchOptions = {}): string {
  const closed = messages.map(closeMessage);
  const { head, tail } = buildEnvelope(closed, options);
  return `${head}${closed.join('')}${tail}`;
}

/** As {@link buildBatch}, for messages as bytes, each in its own character set; header and trailer are in `charset`. */
export function buildBatchBytes(
  messages: readonly Uint8Array[],
  { charset = 'UNICODE UTF-8', ...options }: BatchOptions & { readonly charset?: string } = {},
): Uint8Array {
  // One character a byte: no message is decoded, so none can change.
  const closed = messages.map((bytes, index) =>
    closeMessage(Buffer.from(bytes).toString('latin1'), index),
  );
  const { head, tail } = buildEnvelope(closed, options);
  const parts = closed.map((text) => Buffer.from(text, 'latin1'));
  return Buffer.concat([encodeMessage(head, charset), ...parts, encodeMessage(tail, charset)]);
}

/**
 * A file of batches, each as {@link buildBatch} makes it: FHS, the batches, and FTS with their number.
 * Throws as that does.
 */
export function buildBatchFile(
  batches: readonly string[],
  { delimiters = usualDelimiters, header = {}, comment = '' }: Omit<BatchOptions, 'totals'> = {},
): string {
  const head = buildHeader('FHS', delimiters, header);
  const tail = buildTrailer('FTS', delimiters, [
    String(batches.length),
    escape(comment, delimiters),
  ]);
  return `${head}${batches.map(endLine).join('')}${tail}`;
}

function buildEnvelope(
  messages: readonly string[],
  { delimiters, header = {}, comment = '', totals = [] }: BatchOptions,
): { readonly head: string; readonly tail: string } {
  const own = delimiters ?? findDelimiters(messages[0]) ?? usualDelimiters;
  return {
    head: buildHeader('BHS', own, header),
    tail: buildTrailer('BTS', own, [
      String(messages.length),
      escape(comment, own),
      totals.map((total) => checkField('BTS-3', total, own)).join(own.repetition),
    ]),
  };
}

function findDelimiters(message: string | undefined): Delimiters | undefined {
  const read = message === undefined ? undefined : readHeader(message);
  return read?.ok === true ? read.header.delimiters : undefined;
}

/** One message from its MSH to the end of its last segment. */
function closeMessage(text: string, index: number): string {
  const hasLatinMark = text.startsWith('\u00ef\u00bb\u00bf');
  const start = hasLatinMark ? 3 : findStart(text);
  const frame = text.lastIndexOf('\u001c');
  const isFramed = frame !== -1 && /^[\r\n]*$/.test(text.slice(frame + 1));
  const own = text.slice(start, isFramed ? frame : text.length);
  const { pieces } = splitMessages(own);
  if (pieces.length !== 1 || pieces[0]?.kind !== 'message') {
    const message = `Expected one message as number ${index + 1} of the batch, found something else; split it first`;
    throw refuse('batch-message-invalid', 'MSH', message);
  }
  return endLine(own);
}

function endLine(text: string): string {
  return /[\r\n]$/.test(text) ? text : `${text}\r`;
}

function buildHeader(
  name: 'FHS' | 'BHS',
  delimiters: Delimiters,
  header: Readonly<Record<number, string>>,
): string {
  const { field, component, repetition, escape: mark, subcomponent, truncation = '' } = delimiters;
  const positions = Object.keys(header).map(Number);
  const fields = Array.from({ length: Math.max(2, ...positions) - 2 }, (_, at) =>
    checkField(`${name}-${at + 3}`, header[at + 3] ?? '', delimiters),
  );
  const encoding = component + repetition + mark + subcomponent + truncation;
  return `${[name, encoding, ...fields].join(field)}\r`;
}

function buildTrailer(
  name: 'BTS' | 'FTS',
  { field }: Delimiters,
  fields: readonly string[],
): string {
  const count = fields.findLastIndex((value) => value !== '') + 1;
  return `${[name, ...fields.slice(0, count)].join(field)}\r`;
}

function checkField(location: string, raw: string, { field }: Delimiters): string {
  if (raw.includes(field) || /[\r\n]/.test(raw)) {
    const message = 'Expected one field, found a field separator or a line end in it; escape it';
    throw refuse('batch-field-invalid', location, message);
  }
  return raw;
}

function escape(text: string, delimiters: Delimiters): string {
  const escaped = escapeText(text, delimiters);
  if (escaped !== undefined) return escaped;
  const message =
    'Expected a comment without delimiters, as there is no escape character, found some';
  throw refuse('batch-field-invalid', 'BTS-2', message);
}

function refuse(code: string, location: string, message: string): HilumError {
  return new HilumError('permanent', [{ code, severity: 'error', location, message }]);
}
