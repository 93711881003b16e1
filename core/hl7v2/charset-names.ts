import { findCodeSet, type CodeSet } from './iso-2022-sets.ts';

/** A character set as MSH-18 names it, and how to read it: by ourselves or by iconv-lite's name. */
export interface Charset {
  readonly name: string;
  readonly codec: string;
  /** With the codec `iso-2022`: what escape sequences switch between, first what a message starts in. */
  readonly sets?: readonly CodeSet[];
}

/**
 * HL7 table 0211 of all versions, and the names that sites write instead. A `~` stands between the
 * repetitions of MSH-18. CNS 11643-1992 is missing: nothing that we have can read it.
 */
const charsets: readonly (Charset & { readonly also?: readonly string[] })[] = [
  { name: 'ASCII', codec: 'ascii', also: ['USASCII', 'ISOIR6', 'ISO646'] },
  { name: '8859/1', codec: 'latin1', also: ['ISO88591', 'LATIN1', 'ISOIR100'] },
  ...[
    [2, 101],
    [3, 109],
    [4, 110],
    [5, 144],
    [6, 127],
    [7, 126],
    [8, 138],
    [9, 148],
    [10, 157],
    [11, 166],
    [13, 179],
    [14, 199],
    [15, 203],
    [16, 226],
  ].map(([part, registration]) => ({
    name: `8859/${part}`,
    codec: `iso-8859-${part}`,
    also: [`ISO8859${part}`, `ISOIR${registration}`],
  })),
  { name: 'UNICODE UTF-8', codec: 'utf8', also: ['UTF8', 'UNICODE', 'ISOIR192'] },
  { name: 'UNICODE UTF-16', codec: 'utf-16be', also: ['UTF16'] },
  { name: 'UTF-16LE', codec: 'utf-16le', also: ['UNICODE UTF-16LE'] },
  { name: 'UTF-16BE', codec: 'utf-16be', also: ['UNICODE UTF-16BE'] },
  { name: 'UNICODE UTF-32', codec: 'utf-32be', also: ['UTF32'] },
  { name: 'UTF-32LE', codec: 'utf-32le', also: ['UNICODE UTF-32LE'] },
  { name: 'UTF-32BE', codec: 'utf-32be', also: ['UNICODE UTF-32BE'] },
  { name: 'GB 18030-2000', codec: 'gb18030', also: ['GB18030', 'GB180302005'] },
  { name: 'GB 2312', codec: 'gbk', also: ['GBK', 'CP936'] },
  { name: 'BIG-5', codec: 'big5' },
  { name: 'KS X 1001', codec: 'euc-kr', also: ['EUCKR', 'CP949', 'KSC5601', 'ISOIR149'] },
  { name: 'SHIFT_JIS', codec: 'shift_jis', also: ['SJIS', 'CP932', 'WINDOWS31J', 'MSKANJI'] },
  { name: 'EUC-JP', codec: 'euc-jp' },
  { name: 'KOI8-R', codec: 'koi8-r' },
  ...[437, 850, 852, 858, 1250, 1251, 1252, 1253, 1254, 1255, 1256, 1257, 1258].map((page) => ({
    name: `WINDOWS-${page}`,
    codec: `cp${page}`,
    also: [`CP${page}`, `IBM${page}`, `ANSI${page}`],
  })),
  // The Japanese of table 0211: each alone stands for the family, which its escape sequences tell apart.
  ...[
    ['ASCII~ISO IR87', 'ISOIR87', 'ISOIR159', 'JISX0202', 'JAS2020', 'ISO2022JP', 'ISO2022JP1'],
    ['ASCII~ISO IR42', 'ISOIR42'],
    ['ISO IR14~ISO IR13~ISO IR87', 'ISOIR14', 'ISOIR13'],
  ].map(([name = '', ...also]) => ({ name, codec: 'iso-2022', sets: findCodeSets(name), also })),
];

const byName = new Map(
  charsets.flatMap((charset) =>
    [charset.name, ...(charset.also ?? [])].map((name) => [simplify(name), charset] as const),
  ),
);

/** As the names stand in table 0211: nearly always they are written like that. */
const byExactName = new Map(
  charsets
    .filter(({ name }) => !name.includes('~'))
    .map((charset) => [charset.name, charset] as const),
);

/**
 * The character set of that name, or of several names with `~` between them, which ISO 2022 switches
 * between by escape sequences; undefined for one that we cannot read.
 */
export function findCharset(name: string): Charset | undefined {
  const exact = byExactName.get(name);
  if (exact !== undefined) return exact;
  if (!name.includes('~')) return byName.get(simplify(name));
  const sets = findCodeSets(name);
  return sets.length > 1 ? buildCodeExtension(sets) : undefined;
}

/** The set that begins in the first of these and switches between them by escape sequences. */
export function buildCodeExtension(sets: readonly CodeSet[]): Charset {
  return { name: sets.map((set) => set.name).join('~'), codec: 'iso-2022', sets };
}

/** Those of the names (with `~` between them) that ISO 2022 has an escape sequence for; ASCII where the first is empty. */
export function findCodeSets(names: string): readonly CodeSet[] {
  return names
    .split('~')
    .map((name, index) => findCodeSet(name.trim() === '' && index === 0 ? 'ASCII' : name))
    .filter((set) => set !== undefined);
}

/** Whether the bytes below 0x80 are ASCII in it, outside of escape sequences. */
export function isAsciiBased(charset: Charset): boolean {
  return !/^utf-(?:16|32)/.test(charset.codec);
}

function simplify(name: string): string {
  return name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '');
}
