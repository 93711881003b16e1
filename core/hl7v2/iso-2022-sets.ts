import iconv from 'iconv-lite';

/** A set of ISO 2022, which an escape sequence puts into the lower (G0) or the upper (G1) half of a byte. */
export interface CodeSet {
  /** As in MSH-18. */
  readonly name: string;
  /** What stands behind ESC: `(B`, `$B`, `-A`. */
  readonly designation: string;
  readonly half: 'G0' | 'G1';
  /** Bytes a character. */
  readonly width: 1 | 2;
  /** How iconv-lite reads it, with the high bits set; `''` for ASCII as it is. */
  readonly codec: string;
}

/**
 * The sets of HL7 table 0211 that have an escape sequence, by the registry of ISO 2022: those of the
 * escapes `\C..\` and `\M..\` among them.
 */
const codeSets: readonly CodeSet[] = [
  buildSet('ASCII', '(B', ''),
  // JIS X 0201: its yen sign and overline are the bytes of `\` and `~`, which HL7 needs as delimiters.
  buildSet('ISO IR14', '(J', ''),
  buildSet('ISO IR13', ')I', 'shift_jis'),
  buildSet('ISO IR13 in G0', '(I', 'shift_jis'),
  buildSet('ISO IR87', '$B', 'euc-jp'),
  buildSet('ISO IR42', '$@', 'euc-jp'),
  buildSet('ISO IR159', '$(D', 'jis-x-0212'),
  buildSet('8859/1', '-A', 'iso-8859-1'),
  buildSet('8859/2', '-B', 'iso-8859-2'),
  buildSet('8859/3', '-C', 'iso-8859-3'),
  buildSet('8859/4', '-D', 'iso-8859-4'),
  buildSet('8859/5', '-L', 'iso-8859-5'),
  buildSet('8859/6', '-G', 'iso-8859-6'),
  buildSet('8859/7', '-F', 'iso-8859-7'),
  buildSet('8859/8', '-H', 'iso-8859-8'),
  buildSet('8859/9', '-M', 'iso-8859-9'),
  buildSet('8859/10', '-V', 'iso-8859-10'),
  buildSet('8859/11', '-T', 'iso-8859-11'),
  buildSet('8859/13', '-Y', 'iso-8859-13'),
  buildSet('8859/14', '-_', 'iso-8859-14'),
  buildSet('8859/15', '-b', 'iso-8859-15'),
  buildSet('8859/16', '-f', 'iso-8859-16'),
  buildSet('KS X 1001', '$)C', 'euc-kr'),
  buildSet('GB 2312', '$)A', 'gb2312'),
];

function buildSet(name: string, designation: string, codec: string): CodeSet {
  const half = /[)-]/.test(designation) ? 'G1' : 'G0';
  return { name, designation, half, width: designation.startsWith('$') ? 2 : 1, codec };
}

const byDesignation = new Map(codeSets.map((set) => [set.designation, set]));

/** The set that ISO 2022 can switch to, by its name in MSH-18 or its number in the registry: `ISO IR87`. */
export function findCodeSet(name: string): CodeSet | undefined {
  const wanted = simplify(name);
  return codeSets.find((set) => simplify(set.name) === wanted);
}

/** The set whose escape sequence stands at `at` in a text or in bytes read as Latin-1. */
export function findDesignated(text: string, at: number): CodeSet | undefined {
  if (text.charCodeAt(at) !== 0x1b) return undefined;
  for (const length of [2, 3]) {
    const set = byDesignation.get(text.slice(at + 1, at + 1 + length));
    if (set !== undefined) return set;
  }
  return undefined;
}

function simplify(name: string): string {
  return name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '');
}

/** A set's characters by number (the bytes with the high bits off) and the numbers by character. */
interface CodeTable {
  readonly characters: ReadonlyMap<number, string>;
  readonly numbers: ReadonlyMap<string, number>;
}

const tables = new Map<CodeSet, CodeTable>();

/** The character with that number in the set; undefined where there is none, or where another number comes first. */
export function decodeNumber(set: CodeSet, number: number): string | undefined {
  const { characters, numbers } = findTable(set);
  const character = characters.get(number);
  return character !== undefined && numbers.get(character) === number ? character : undefined;
}

/** The number of a character in the set; undefined where it has it not. */
export function findNumber(set: CodeSet, character: string): number | undefined {
  return findTable(set).numbers.get(character);
}

/** Built when a message first needs the set: some milliseconds for the large ones. */
function findTable(set: CodeSet): CodeTable {
  const found = tables.get(set);
  if (found !== undefined) return found;
  const characters = new Map<number, string>();
  const numbers = new Map<string, number>();
  for (const number of listNumbers(set)) {
    const character = decodeUpper(set, number);
    if (character === undefined) continue;
    characters.set(number, character);
    if (!numbers.has(character)) numbers.set(character, number);
  }
  const table = { characters, numbers };
  tables.set(set, table);
  return table;
}

function listNumbers({ width }: CodeSet): readonly number[] {
  const low = Array.from({ length: 0x60 }, (_, at) => at + 0x20);
  if (width === 1) return low;
  const inner = low.filter((byte) => byte > 0x20 && byte < 0x7f);
  return inner.flatMap((first) => inner.map((second) => first * 256 + second));
}

function decodeUpper({ codec, width }: CodeSet, number: number): string | undefined {
  // DEL is a control character in the sets with 94 places, as space is in none.
  if (codec === '') return number === 0x7f ? undefined : String.fromCharCode(number);
  const bytes = width === 1 ? [number | 0x80] : [(number >> 8) | 0x80, (number & 0xff) | 0x80];
  const isSupplement = codec === 'jis-x-0212';
  const buffer = Buffer.from(isSupplement ? [0x8f, ...bytes] : bytes);
  const text = iconv.decode(buffer, isSupplement ? 'euc-jp' : codec);
  return text.includes('\ufffd') || Array.from(text).length !== 1 ? undefined : text;
}
