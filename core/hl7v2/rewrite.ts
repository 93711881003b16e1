import { HilumError } from '../errors.ts';
import type { Issue } from '../issue.ts';
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
    const charset = chooseCharset(decoded, parsed.message, edited);
    const issues = [...decoded.issues, ...parsed.issues];
    return { ok: true, bytes: encodeMessage(edited.text, charset), issues };
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
  const [declared, wanted] = [before, after].map((message) => message.get('MSH-18') ?? '');
  if (declared !== wanted) return wanted || 'ASCII';

  return declared === '' && /^[\0-\x7f]*$/.test(text) ? 'ASCII' : charset;
}
