/** A character set as MSH-18 names it, and how to read it: by ourselves or by iconv-lite's name. */
export interface Charset {
  readonly name: string;
  readonly codec: string;
}

/**
 * HL7 table 0211, and the names that sites write instead, in capitals without spaces and punctuation.
 * ISO IR87, IR14 and IR159 (ISO 2022) are missing: their bytes are kept, see decodeMessage.
 */
const charsets: readonly (Charset & { readonly also?: readonly string[] })[] = [
  { name: 'ASCII', codec: 'ascii', also: ['USASCII', 'ISOIR6', 'ISO646'] },
  { name: '8859/1', codec: 'latin1', also: ['ISO88591', 'LATIN1', 'ISOIR100'] },
  ...[2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16].map((part) => ({
    name: `8859/${part}`,
    codec: `iso-8859-${part}`,
    also: [`ISO8859${part}`],
  })),
  { name: 'UNICODE UTF-8', codec: 'utf8', also: ['UTF8', 'UNICODE'] },
  { name: 'UNICODE UTF-16', codec: 'utf-16be', also: ['UTF16'] },
  { name: 'UTF-16LE', codec: 'utf-16le' },
  { name: 'UTF-16BE', codec: 'utf-16be' },
  { name: 'GB 18030-2000', codec: 'gb18030', also: ['GB18030'] },
  { name: 'GB 2312', codec: 'gbk', also: ['GBK', 'CP936'] },
  { name: 'BIG-5', codec: 'big5' },
  { name: 'KS X 1001', codec: 'euc-kr', also: ['EUCKR', 'CP949'] },
  { name: 'SHIFT_JIS', codec: 'shift_jis', also: ['SJIS', 'CP932', 'WINDOWS31J'] },
  { name: 'EUC-JP', codec: 'euc-jp' },
  { name: 'KOI8-R', codec: 'koi8-r' },
  ...[437, 850, 852, 858, 1250, 1251, 1252, 1253, 1254, 1255, 1256, 1257, 1258].map((page) => ({
    name: `WINDOWS-${page}`,
    codec: `cp${page}`,
    also: [`CP${page}`, `IBM${page}`, `CP${page}`, `ANSI${page}`],
  })),
];

const byName = new Map(
  charsets.flatMap((charset) =>
    [charset.name, ...(charset.also ?? [])].map((name) => [simplify(name), charset] as const),
  ),
);

/** The character set of that name; undefined for one that we cannot read. */
export function findCharset(name: string): Charset | undefined {
  return byName.get(simplify(name));
}

function simplify(name: string): string {
  return name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '');
}
