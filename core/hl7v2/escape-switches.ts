import { buildCodeExtension, findCharset } from './charset-names.ts';
import { decodeExactly, encodeExactly } from './codec.ts';
import type { TextToken } from './escape-tokens.ts';
import { findDesignated, type CodeSet } from './iso-2022-sets.ts';

/**
 * Tokens with what follows `\C..\` and `\M..\` read in the set that those switch to, until the next one or
 * the value's end: its characters stand for the bytes that the message has for them. A switch to a set that
 * we do not know, and one whose text its set has not, stays with its text as it is.
 */
export function decodeSwitches(
  tokens: readonly TextToken[],
  charset: string | undefined,
): readonly TextToken[] {
  if (!tokens.some((token) => token.kind === 'switch')) return tokens;
  const decoded: TextToken[] = [];
  let current: Switched | undefined;
  for (const token of tokens) {
    if (token.kind === 'text') {
      if (current === undefined) decoded.push(token);
      else current.text += token.text;
      continue;
    }
    if (current !== undefined) decoded.push(...readSwitched(current, charset));
    const set =
      token.kind === 'switch' ? findDesignated(`\u001b${token.designation}`, 0) : undefined;
    if (token.kind === 'switch') current = { set, raw: token.raw, text: '' };
    else {
      // What a highlighted run interrupts goes on in the same set.
      if (current !== undefined) current = { ...current, raw: '', text: '' };
      decoded.push(token);
    }
  }
  if (current !== undefined) decoded.push(...readSwitched(current, charset));
  return decoded;
}

interface Switched {
  readonly set: CodeSet | undefined;
  /** The sequence itself; `''` where it stands earlier. */
  readonly raw: string;
  text: string;
}

function readSwitched(
  { set, raw, text }: Switched,
  charset: string | undefined,
): readonly TextToken[] {
  const asIs: readonly TextToken[] = [
    ...(raw === '' ? [] : [{ kind: 'other', raw } as const]),
    ...(text === '' ? [] : [{ kind: 'text', text } as const]),
  ];
  if (set === undefined) return asIs;
  const bytes = encodeExactly(text, findCharset(charset ?? '') ?? latin1);
  if (bytes === undefined) return asIs;
  const escape = Buffer.from(`\u001b${set.designation}`, 'latin1');
  const ascii = findDesignated('\u001b(B', 0);
  const sets = ascii === undefined || set === ascii ? [set] : [ascii, set];
  const read = decodeExactly(Buffer.concat([escape, bytes]), buildCodeExtension(sets));
  if (read === undefined) return asIs;
  // The sequence stays in the text where nothing behind it needs it.
  const known = `\u001b${set.designation}`;
  return [{ kind: 'text', text: read.startsWith(known) ? read.slice(known.length) : read }];
}

const latin1 = { name: '8859/1', codec: 'latin1' };
