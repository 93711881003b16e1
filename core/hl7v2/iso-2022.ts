import { isMark, markByte, unmarkByte } from './byte-marks.ts';
import { decodeNumber, findDesignated, findNumber, type CodeSet } from './iso-2022-sets.ts';

/**
 * Text with code extension by ISO 2022: escape sequences put other sets into the lower and the upper half
 * of a byte. HL7 v2 chapter 2, MSH-18 and MSH-20.
 *
 * Writing is canonical: a sequence stands only where the next character needs it, and control characters
 * (segment ends among them) stand in the first set. Reading takes such sequences out of the text; one that
 * writing would not put there stays in the text as it is, so that the same bytes are written again.
 */
interface State {
  g0: CodeSet | undefined;
  g1: CodeSet | undefined;
}

/**
 * Text with at most so many marks for bytes that the sets have not; undefined where there would be more, or
 * where it cannot be written as these bytes again.
 */
export function decodeIso2022(
  bytes: Uint8Array,
  sets: readonly CodeSet[],
  maxMarks: number,
): string | undefined {
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  const state = start(sets);
  let text = '';
  let marks = 0;
  for (let at = 0; at < source.length;) {
    const run = findPlainRun(source, at, state);
    text += source.slice(at, run);
    at = run;
    if (at === source.length) break;
    const designated = findDesignated(source, at);
    if (designated === undefined) {
      const unit = readUnit(source, at, state);
      if (unit.isControl && chooseControlSet(state, sets) !== state.g0) return undefined;
      if (isMark(unit.text.charAt(0))) marks += unit.length;
      if (marks > maxMarks) return undefined;
      text += unit.text;
      at += unit.length;
      continue;
    }
    const end = at + 1 + designated.designation.length;
    const before = { ...state };
    designate(state, designated);
    // Left out where writing the next character puts it there by itself.
    if (!isImplied(source, end, { before, state, sets, designated })) text += source.slice(at, end);
    at = end;
  }
  return text;
}

/** The bytes, or undefined where none of the sets has a character. */
export function encodeIso2022(text: string, sets: readonly CodeSet[]): Uint8Array | undefined {
  return createIso2022Encoder(sets)(text);
}

/** As {@link encodeIso2022}, for a text that comes in parts: the sets in force stay so from one to the next. */
export function createIso2022Encoder(
  sets: readonly CodeSet[],
): (part: string) => Uint8Array | undefined {
  const state = start(sets);
  return (part) => encodePart(part, state, sets);
}

function encodePart(text: string, state: State, sets: readonly CodeSet[]): Uint8Array | undefined {
  const parts: string[] = [];
  for (let at = 0; at < text.length;) {
    const run = findPlainRun(text, at, state);
    if (run > at) parts.push(text.slice(at, run));
    at = run;
    if (at === text.length) break;
    const designated = findDesignated(text, at);
    if (designated !== undefined) {
      const end = at + 1 + designated.designation.length;
      parts.push(text.slice(at, end));
      designate(state, designated);
      at = end;
      continue;
    }
    const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
    at += character.length;
    if (isMark(character)) {
      parts.push(String.fromCharCode(unmarkByte(character)));
      continue;
    }
    const set = chooseSet(character, state, sets);
    if (set === undefined) return undefined;
    if (set !== state.g0 && set !== state.g1) {
      parts.push(`\u001b${set.designation}`);
      designate(state, set);
    }
    parts.push(writeUnit(character, set));
  }
  return Buffer.from(parts.join(''), 'latin1');
}

/** The sets that the escape sequences of a message name, in the order of their first use. */
export function listDesignated(bytes: Uint8Array): readonly CodeSet[] {
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  const sets = new Set<CodeSet>();
  for (let at = source.indexOf('\u001b'); at !== -1; at = source.indexOf('\u001b', at + 1)) {
    const set = findDesignated(source, at);
    if (set !== undefined) sets.add(set);
  }
  return [...sets];
}

const ascii = findDesignated('\u001b(B', 0);

function start(sets: readonly CodeSet[]): State {
  const [first] = sets;
  return first?.half === 'G1'
    ? { g0: ascii, g1: first }
    : { g0: first ?? ascii, g1: sets.find((set) => set.half === 'G1' && set.designation === ')I') };
}

function designate(state: State, set: CodeSet): void {
  if (set.half === 'G0') state.g0 = set;
  else state.g1 = set;
}

/** The end of what starts at `at` and is the same in bytes and text: most of a message, so not looked at one by one. */
function findPlainRun(text: string, at: number, { g0 }: State): number {
  if (g0?.codec !== '') return at;
  let end = at;
  while (end < text.length && text.charCodeAt(end) < 0x80 && text.charCodeAt(end) !== 0x1b) end++;
  return end;
}

interface Designation {
  readonly before: State;
  readonly state: State;
  readonly sets: readonly CodeSet[];
  readonly designated: CodeSet;
}

function isImplied(source: string, at: number, designation: Designation): boolean {
  const { before, state, sets, designated } = designation;
  if (at >= source.length || findDesignated(source, at) !== undefined) return false;
  const { text } = readUnit(source, at, state);
  if (isMark(text.charAt(0))) return false;
  const chosen = chooseSet(text, before, sets);
  return chosen === designated && chosen !== before.g0 && chosen !== before.g1;
}

interface Unit {
  readonly text: string;
  readonly length: number;
  readonly isControl: boolean;
}

/** One character, or the first byte of what is none as a mark. */
function readUnit(source: string, at: number, state: State): Unit {
  const byte = source.charCodeAt(at);
  if (isControl(byte)) return { text: source.charAt(at), length: 1, isControl: true };
  const set = byte < 0x80 ? state.g0 : state.g1;
  const length = set?.width ?? 1;
  const number = set === undefined ? undefined : readNumber(source, at, set);
  const text = set === undefined || number === undefined ? undefined : decodeNumber(set, number);
  // What the lower half has too is written there: as a mark it stays in the upper.
  const isExact =
    set === state.g0 || state.g0 === undefined || findNumber(state.g0, text ?? '') === undefined;
  if (text !== undefined && isExact) return { text, length, isControl: false };
  const bytes = source.slice(at, at + (number === undefined ? 1 : length));
  const marks = Array.from(bytes, (character) => markByte(character.charCodeAt(0))).join('');
  return { text: marks, length: bytes.length, isControl: false };
}

/** Both bytes of a wide character stand in the same half. */
function readNumber(source: string, at: number, set: CodeSet): number | undefined {
  const high = set.half === 'G1' ? 0x80 : 0;
  const first = source.charCodeAt(at) - high;
  if (set.width === 1) return first;
  const second = source.charCodeAt(at + 1) - high;
  const isWide = first > 0x20 && second > 0x20 && first < 0x7f && second < 0x7f;
  return isWide ? first * 256 + second : undefined;
}

function writeUnit(character: string, set: CodeSet): string {
  const code = character.charCodeAt(0);
  if (isControl(code)) return character;
  const high = set.half === 'G1' ? 0x80 : 0;
  const number = findNumber(set, character) ?? 0;
  const low = String.fromCharCode((number & 0xff) + high);
  return set.width === 1 ? low : String.fromCharCode((number >> 8) + high) + low;
}

/** The set to write a character in: one in force, else the first that has it. */
function chooseSet(character: string, state: State, sets: readonly CodeSet[]): CodeSet | undefined {
  if (isControl(character.charCodeAt(0))) return chooseControlSet(state, sets);
  const { g0, g1 } = state;
  const has = (set: CodeSet | undefined): boolean =>
    set !== undefined && findNumber(set, character) !== undefined;
  if (has(g0)) return g0;
  if (has(g1)) return g1;
  return sets.find(has) ?? (has(ascii) ? ascii : undefined);
}

/** Segments end, and control characters stand, where letters are in the lower half. */
function chooseControlSet({ g0 }: State, sets: readonly CodeSet[]): CodeSet | undefined {
  return g0?.codec === '' ? g0 : (sets.find((set) => set.codec === '') ?? ascii);
}

function isControl(code: number): boolean {
  return code < 0x20 || code === 0x7f || (code >= 0x80 && code < 0xa0);
}
