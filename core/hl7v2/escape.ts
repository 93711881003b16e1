import { decodeBytes } from './charset.ts';
import type { Delimiters } from './message.ts';

/** Decoding may not grow a message without bound: at most this many lines or spaces from one sequence. */
const maxRepeat = 200;

/**
 * The text that a value stands for: delimiter escapes, `\X..\` (bytes of `charset`) and line breaks
 * decoded, highlighting and layout commands dropped. Character set switches (`\C..\`, `\M..\`), local
 * (`\Z..\`) and unknown sequences, and an escape character that starts none, stay as they are.
 * HL7 v2 chapter 2, use of escape sequences in text fields.
 */
export function unescapeText(raw: string, delimiters: Delimiters, charset?: string): string {
  const mark = delimiters.escape;
  let at = mark === '' ? -1 : raw.indexOf(mark);
  if (at === -1) return raw;
  let text = '';
  let done = 0;
  while (at !== -1) {
    const end = raw.indexOf(mark, at + 1);
    if (end === -1) break;
    const body = raw.slice(at + 1, end);
    const decoded = decodeSequence(body, delimiters, charset);
    if (decoded === undefined && !isSequence(body)) {
      // A stray escape character (`C:\temp`): the next one may start a sequence.
      at = end;
      continue;
    }
    text += raw.slice(done, at) + (decoded ?? raw.slice(at, end + 1));
    done = end + 1;
    at = raw.indexOf(mark, done);
  }
  return text + raw.slice(done);
}

/** Something that HL7 or a site may have meant as a sequence, though we do not decode it. */
function isSequence(body: string): boolean {
  return /^(?:[A-Z]|[CMXZ][0-9A-Za-z]+|\.[a-z]{2}[-+ 0-9]*)$/.test(body);
}

function decodeSequence(
  body: string,
  delimiters: Delimiters,
  charset: string | undefined,
): string | undefined {
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
    case 'H':
    case 'N':
      return '';
    default:
      if (body.startsWith('X')) return decodeHex(body.slice(1), charset);
      return body.startsWith('.') ? decodeLayout(body.slice(1)) : undefined;
  }
}

function decodeHex(digits: string, charset: string | undefined): string | undefined {
  if (digits.length === 0 || digits.length % 2 !== 0 || !/^[0-9A-Fa-f]+$/.test(digits)) {
    return undefined;
  }
  return decodeBytes(Buffer.from(digits, 'hex'), charset);
}

/** Formatting commands: what breaks the line or leaves space does so, the rest is layout. */
function decodeLayout(command: string): string | undefined {
  const match = /^([a-z]{2})([-+]?\d{0,4})$/.exec(command.trimEnd());
  if (match === null) return undefined;
  const [, name = '', number = ''] = match;
  const count = number === '' ? 1 : Number(number);
  switch (name) {
    case 'br':
    case 'ce':
      return number === '' ? '\n' : undefined;
    case 'sp':
      return count >= 0 && count <= maxRepeat ? '\n'.repeat(count) : undefined;
    case 'sk':
      return count >= 0 && count <= maxRepeat ? ' '.repeat(count) : undefined;
    case 'fi':
    case 'nf':
      return number === '' ? '' : undefined;
    case 'in':
    case 'ti':
      return '';
    default:
      return undefined;
  }
}

/**
 * A text as one value: delimiters, segment ends and the framing characters of MLLP escaped, line feeds as
 * `\.br\`. Without an escape character in MSH-2 only what needs none can be written: undefined otherwise.
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
    case '\n':
      return '.br';
    case '\r':
      return 'X0D';
    case '\u000b':
      return 'X0B';
    case '\u001c':
      return 'X1C';
    default:
      return undefined;
  }
}
