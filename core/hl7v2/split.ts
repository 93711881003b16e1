import type { Issue } from '../issue.ts';
import { decodeMessage, encodeMessage, findByteOrder } from './charset.ts';
import { findStart, forEachLine } from './scan.ts';

/**
 * A slice of a text: a whole message, the envelope of a batch (FHS, BHS, BTS, FTS), or text in front of
 * them that is neither. Empty lines belong to the piece that they follow.
 */
export interface Piece {
  readonly kind: 'message' | 'batch' | 'other';
  readonly text: string;
  /** Which line of the whole text it starts on, 1-based. */
  readonly line: number;
}

/** A text divided: the pieces one after the other are the text again. */
export interface SplitText {
  readonly pieces: readonly Piece[];
  /** `content-unexpected` at MSH, which was expected there, for each piece that belongs to no message. */
  readonly issues: readonly Issue[];
}

/** One message of a file, with the bytes that it had there. */
export interface PieceOfBytes extends Piece {
  readonly bytes: Uint8Array;
}

/**
 * Divides a text at every line that starts with MSH, and at the lines of a batch's envelope, which it
 * may have or not. Lines behind the first message that are neither belong to the message before them.
 */
export function splitMessages(text: string): SplitText {
  const starts: { readonly kind: Piece['kind']; readonly start: number; readonly line: number }[] =
    [];
  forEachLine(text, 0, (start, end, line) => {
    const last = starts.at(-1)?.kind;
    const own = classify(text, start, end);
    const kind = own ?? (last === 'message' ? last : 'other');
    // What is in front of the first line is part of it: a byte order mark, empty lines, a VT.
    if (last === undefined) starts.push({ kind, start: 0, line: 1 });
    else if (kind !== last || own === 'message') starts.push({ kind, start, line });
  });
  const pieces = starts.map(({ kind, start, line }, index): Piece => {
    const end = starts[index + 1]?.start ?? text.length;
    return { kind, text: text.slice(start, end), line };
  });
  return { pieces, issues: pieces.filter((piece) => piece.kind === 'other').map(buildUnexpected) };
}

/**
 * As {@link splitMessages}, for the bytes of a file: each piece with its own bytes and decoded by its own
 * MSH-18, so that messages in different character sets may share a file.
 */
export function splitBytes(bytes: Uint8Array): {
  readonly pieces: readonly PieceOfBytes[];
  readonly issues: readonly Issue[];
} {
  if (/^UTF-(?:16|32)/.test(findByteOrder(bytes) ?? '')) {
    // Several bytes a character: lines cannot be found among bytes.
    const { charset, text } = decodeMessage(bytes);
    const split = splitMessages(text);
    const pieces = split.pieces.map((piece) => ({
      ...piece,
      bytes: encodeMessage(piece.text, charset),
    }));
    return { pieces, issues: split.issues };
  }
  // One character a byte, so that places in the text are places in the bytes.
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const split = splitMessages(file.toString('latin1'));
  let at = 0;
  const pieces = split.pieces.map((piece) => {
    const own = bytes.subarray(at, at + piece.text.length);
    at += piece.text.length;
    return { ...piece, text: decodeMessage(own).text, bytes: own };
  });
  return { pieces, issues: split.issues };
}

/** What a line starts, behind the framing of MLLP or a byte order mark (also as Latin-1) at most. */
function classify(text: string, start: number, end: number): Piece['kind'] | undefined {
  const at = findNameStart(text, start);
  const name = text.slice(at, Math.min(at + 3, end));
  if (!/^(?:MSH|FHS|BHS|BTS|FTS)$/.test(name)) return undefined;
  if (at + 3 < end && /[A-Za-z0-9]/.test(text.charAt(at + 3))) return undefined;
  return name === 'MSH' ? 'message' : 'batch';
}

function findNameStart(text: string, start: number): number {
  // Nearly every line starts with a capital.
  const code = text.charCodeAt(start);
  if (code >= 0x41 && code <= 0x5a) return start;
  const head = text.slice(start, start + 12);
  return start + (head.startsWith('\u00ef\u00bb\u00bf') ? 3 : findStart(head));
}

function buildUnexpected(piece: Piece): Issue {
  const message = `Expected a message that starts with MSH on line ${piece.line}, found something else`;
  return { code: 'content-unexpected', severity: 'error', location: 'MSH', message };
}
