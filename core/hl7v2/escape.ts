import { readTokens, toCount, type TextToken } from './escape-tokens.ts';
import { decodeSwitches } from './escape-switches.ts';
import type { Delimiters } from './message.ts';

/** What becomes of escape sequences. */
export interface UnescapeOptions {
  /** The message's character set, for the bytes of `\X..\`; named as in MSH-18. */
  readonly charset?: string | undefined;
  /**
   * Highlighting (`\H\ \N\`) and formatting commands (`\.br\`, `\.in+4\`): `plain` (the default) makes line
   * breaks and spaces of those that mean such and drops the others, `keep` leaves all as they stand. For
   * lines with indents and highlighted runs see renderText.
   */
  readonly formatting?: 'plain' | 'keep';
  /** Character set switches (`\C2842\`, `\M2442\`): `keep` (the default), or `decode` what follows them. */
  readonly switches?: 'keep' | 'decode';
}

/**
 * The text that a value stands for: delimiter escapes and `\X..\` decoded, the rest as the options say;
 * a character set alone stands for options. Local (`\Z..\`) and unknown sequences, and an escape character
 * that starts none, stay as they are. HL7 v2 chapter 2, use of escape sequences in text fields.
 */
export function unescapeText(
  raw: string,
  delimiters: Delimiters,
  options: string | UnescapeOptions = {},
): string {
  if (delimiters.escape === '' || !raw.includes(delimiters.escape)) return raw;
  const { charset, formatting, switches } =
    typeof options === 'string' ? { charset: options } : options;
  const tokens = readTokens(raw, delimiters, charset);
  const decoded = switches === 'decode' ? decodeSwitches(tokens, charset) : tokens;
  let text = '';
  for (const token of decoded) {
    if (token.kind === 'text') text += token.text;
    else text += formatting === 'keep' ? token.raw : toPlain(token);
  }
  return text;
}

/** Formatting commands: what breaks the line or leaves space does so, the rest is layout. */
function toPlain(token: Exclude<TextToken, { readonly kind: 'text' }>): string {
  if (token.kind === 'highlight') return '';
  if (token.kind !== 'layout') return token.raw;
  const { name, number, raw } = token;
  const count = toCount(number);
  switch (name) {
    case 'in':
    case 'ti':
      return '';
    case 'sp':
      return count === undefined ? raw : '\n'.repeat(count);
    case 'sk':
      return count === undefined ? raw : ' '.repeat(count);
    case 'br':
    case 'ce':
      return number === '' ? '\n' : raw;
    default:
      return number === '' ? '' : raw;
  }
}

/**
 * Whether a value was cut by its sender: it ends with the truncation character of MSH-2, which a value
 * that ends so by itself has as `\P\`. `raw` is the value before decoding. HL7 v2.7 chapter 2, truncation.
 */
export function isTruncated(raw: string, { truncation }: Delimiters): boolean {
  return truncation !== undefined && raw.endsWith(truncation);
}

/**
 * A text as one value, which unescapeText reads as exactly that text: delimiters and control characters
 * other than tab escaped (segment ends and the framing of MLLP among them), line feeds as `\.br\`. Without
 * an escape character in MSH-2 only what needs none can be written: undefined otherwise.
 */
export function escapeText(text: string, delimiters: Delimiters): string | undefined {
  let escaped = '';
  let done = 0;
  for (let at = 0; at < text.length; at++) {
    const body = findSequence(text.charAt(at), delimiters);
    if (body === undefined) continue;
    if (delimiters.escape === '') return undefined;
    escaped += text.slice(done, at) + delimiters.escape + body + delimiters.escape;
    done = at + 1;
  }
  return done === 0 ? text : escaped + text.slice(done);
}

function findSequence(character: string, delimiters: Delimiters): string | undefined {
  switch (character) {
    case delimiters.field:
      return 'F';
    case delimiters.component:
      return 'S';
    case delimiters.subcomponent:
      return 'T';
    case delimiters.repetition:
      return 'R';
    case delimiters.escape:
      return 'E';
    case delimiters.truncation:
      return 'P';
    case '\t':
      return undefined;
    case '\n':
      // A dot that is itself a delimiter would divide the command.
      return Object.values(delimiters).includes('.') ? 'X0A' : '.br';
    default: {
      const code = character.charCodeAt(0);
      return code < 0x20 ? `X${code.toString(16).toUpperCase().padStart(2, '0')}` : undefined;
    }
  }
}
