import { HilumError } from '../errors.ts';
import type { Issue } from '../issue.ts';
import { findCharset } from './charset-names.ts';
import { decodeMessage, encodeMessage } from './charset.ts';
import type { Hl7Message } from './message.ts';
import { parseMessage, type ParseOptions } from './parse.ts';

/** The edited bytes with what was found in the message before, or why there are none. */
export type RewriteResult =
  | { readonly ok: true; readonly bytes: Uint8Array; readonly issues: readonly Issue[] }
  | { readonly ok: false; readonly issues: readonly Issue[] };

/**
 * Reads a message from its bytes, edits it and writes it in its own character set: every byte that was not
 * edited is as it was. Where the edit changes MSH-18, the whole message is written in the new set. What the
 * set does not have is refused (`character-not-in-charset`), and so is whatever the edit refuses.
 */
export function rewriteMessage(
  bytes: Uint8Array,
  edit: (message: Hl7Message) => Hl7Message,
  options: ParseOptions = {},
): RewriteResult {
  const decoded = decodeMessage(bytes, options.charset);
  const parsed = parseMessage(decoded.text, { ...options, charset: decoded.charset });
  if (!parsed.ok) return { ok: false, issues: [...decoded.issues, ...parsed.issues] };
  try {
    const edited = edit(parsed.message);
    const chosen = chooseCharset(decoded, parsed.message, edited);
    // Read with a setting of the site, MSH-18 says nothing.
    const charset = options.charset === undefined ? extend(decoded.text, chosen, edited) : chosen;
    const issues = [...decoded.issues, ...parsed.issues];
    const text = hasByteOrderMark(charset) ? edited.text : edited.text.replace(/^\ufeff/, '');
    return { ok: true, bytes: encodeMessage(text, charset), issues };
  } catch (error) {
    if (error instanceof HilumError) return { ok: false, issues: error.issues };
    throw error;
  }
}

/**
 * What an edited message is written in: what it was read as, unless the edit says another. Without MSH-18 a
 * message is ASCII (HL7 v2 chapter 2, MSH-18), unless its bytes already are more than that.
 */
function chooseCharset(
  { text, charset }: { readonly text: string; readonly charset: string },
  before: Hl7Message,
  after: Hl7Message,
): string {
  const [declared, wanted] = [readDeclared(before), readDeclared(after)];
  if (declared === wanted) return declared === '' && isAscii(text) ? 'ASCII' : charset;
  if (wanted === '') return 'ASCII';
  // Some sets, UTF-8 among them, are not extended by others.
  return findCharset(wanted) === undefined ? (wanted.split('~')[0] ?? '') : wanted;
}

/** With the alternates of MSH-18, which nothing had switched to before: they are the message's sets too. */
function extend(text: string, charset: string, message: Hl7Message): string {
  const declared = readDeclared(message);
  if (charset.includes('~') || !declared.includes('~')) return charset;
  if (findCharset(declared) === undefined) return charset;
  const [plain, extended] = [charset, declared].map((name) => encodeMessage(text, name));
  return plain !== undefined && extended !== undefined && Buffer.compare(plain, extended) === 0
    ? declared
    : charset;
}

/** MSH-18 with `~` between its repetitions. */
function readDeclared(message: Hl7Message): string {
  return message.all('MSH-18').join('~');
}

/** A byte order mark is of Unicode: it does not come along into another set. */
function hasByteOrderMark(charset: string): boolean {
  return findCharset(charset)?.codec.startsWith('utf') ?? false;
}

function isAscii(text: string): boolean {
  return /^[\0-\x7f]*$/.test(text);
}
