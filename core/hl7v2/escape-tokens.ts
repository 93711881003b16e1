import { decodeBytes } from './charset.ts';
import type { Delimiters } from './message.ts';

/** Decoding may not grow a text without bound: at most this many lines or spaces from one sequence. */
export const maxRepeat = 200;

/** Formatting commands of FT, TX and CF: `\.br\`, `\.in+4\`. */
type LayoutName = 'br' | 'sp' | 'fi' | 'nf' | 'in' | 'ti' | 'sk' | 'ce';

/** A piece of a raw value: text as it is or decoded, or an escape sequence that is more than text. */
export type TextToken =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'highlight'; readonly on: boolean; readonly raw: string }
  | {
      readonly kind: 'layout';
      readonly name: LayoutName;
      /** `+4`, `-4`, `4`, or `''` where the sender gave none. */
      readonly number: string;
      readonly raw: string;
    }
  /** `\C2842\`, `\M2442\`: `designation` is what ISO 2022 has behind ESC. */
  | { readonly kind: 'switch'; readonly designation: string; readonly raw: string }
  /** Local (`\Z..\`) and unknown sequences. */
  | { readonly kind: 'other'; readonly raw: string };

/**
 * A raw value divided at its escape sequences. An escape character that starts none, or that nothing ends,
 * is text. `\X..\` that follow one another are one run of bytes of `charset`: a character may be spread over
 * them. HL7 v2 chapter 2, use of escape sequences in text fields.
 */
export function readTokens(
  raw: string,
  delimiters: Delimiters,
  charset?: string,
): readonly TextToken[] {
  const mark = delimiters.escape;
  const tokens: TextToken[] = [];
  let at = mark === '' ? -1 : raw.indexOf(mark);
  let done = 0;
  while (at !== -1) {
    const end = raw.indexOf(mark, at + 1);
    if (end === -1) break;
    const body = raw.slice(at + 1, end);
    const hex = readHex(body);
    const token =
      hex === undefined ? readSequence(body, raw.slice(at, end + 1), delimiters) : undefined;
    if (hex === undefined && token === undefined) {
      // A stray escape character (`C:\temp`): the next one may start a sequence.
      at = end;
      continue;
    }
    if (at > done) tokens.push({ kind: 'text', text: raw.slice(done, at) });
    done = end + 1;
    if (token !== undefined) tokens.push(token);
    else done = readBytes({ raw, mark, from: at, charset }, tokens);
    at = raw.indexOf(mark, done);
  }
  if (done < raw.length) tokens.push({ kind: 'text', text: raw.slice(done) });
  return tokens;
}

function readSequence(body: string, raw: string, delimiters: Delimiters): TextToken | undefined {
  const text = findDelimiter(body, delimiters);
  if (text !== undefined) return { kind: 'text', text };
  if (body === 'H' || body === 'N') return { kind: 'highlight', on: body === 'H', raw };
  const layout = /^\.(br|sp|fi|nf|in|ti|sk|ce) *([-+]?\d{0,4}) *$/.exec(body);
  if (layout !== null) {
    const [, name = '', number = ''] = layout;
    return { kind: 'layout', name: name as LayoutName, number, raw };
  }
  if (/^(?:C[0-9A-Fa-f]{4}|M(?:[0-9A-Fa-f]{2}){2,3})$/.test(body)) {
    const designation = Buffer.from(body.slice(1), 'hex').toString('latin1');
    return { kind: 'switch', designation, raw };
  }
  // Something that HL7 or a site may have meant as a sequence.
  const isOther = /^(?:[A-Z]|[CMXZ][0-9A-Za-z]+|\.[a-z]{2}[-+ 0-9]*)$/.test(body);
  return isOther ? { kind: 'other', raw } : undefined;
}

function findDelimiter(body: string, delimiters: Delimiters): string | undefined {
  switch (body) {
    case 'F':
      return delimiters.field;
    case 'S':
      return delimiters.component;
    case 'T':
      return delimiters.subcomponent;
    case 'R':
      return delimiters.repetition;
    case 'E':
      return delimiters.escape;
    case 'P':
      return delimiters.truncation;
    default:
      return undefined;
  }
}

/** The digits of `\X..\`, an even number of them; undefined for another sequence. */
function readHex(body: string): string | undefined {
  return body.startsWith('X') && /^X(?:[0-9A-Fa-f]{2})+$/.test(body) ? body.slice(1) : undefined;
}

interface HexRun {
  readonly raw: string;
  readonly mark: string;
  readonly from: number;
  readonly charset: string | undefined;
}

/** Adds the text of all `\X..\` from there on, one by one where they are no text together; returns where they end. */
function readBytes({ raw, mark, from, charset }: HexRun, tokens: TextToken[]): number {
  const sequences: string[] = [];
  let at = from;
  while (raw.charAt(at) === mark) {
    const end = raw.indexOf(mark, at + 1);
    const hex = end === -1 ? undefined : readHex(raw.slice(at + 1, end));
    if (hex === undefined) break;
    sequences.push(hex);
    at = end + 1;
  }
  const whole = decodeHex(sequences.join(''), charset);
  if (whole !== undefined) {
    tokens.push({ kind: 'text', text: whole });
    return at;
  }
  for (const hex of sequences) {
    const text = decodeHex(hex, charset);
    const kept = `${mark}X${hex}${mark}`;
    tokens.push(text === undefined ? { kind: 'other', raw: kept } : { kind: 'text', text });
  }
  return at;
}

function decodeHex(digits: string, charset: string | undefined): string | undefined {
  return decodeBytes(Buffer.from(digits, 'hex'), charset);
}

/** How many lines or spaces a command means: one where it says nothing, undefined where it says too many. */
export function toCount(number: string): number | undefined {
  const count = number === '' ? 1 : Number(number);
  return count >= 0 && count <= maxRepeat ? count : undefined;
}
