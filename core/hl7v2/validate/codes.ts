import type {
  CodeSet,
  ElementDefinition,
  TableDefinition,
  VersionDefinitions,
} from '../definitions/definitions.ts';

/**
 * Tables that are not compared with a version's list: those of MSH-9, 11, 12 and 18 and of OBX-2 and 11
 * have rules of their own, the others are kept outside of the versions (types of media, countries) or name
 * what a site makes up.
 */
const otherTables: ReadonlySet<string> = new Set([
  '0003',
  '0076',
  '0085',
  '0103',
  '0104',
  '0125',
  '0211',
  '0291',
  '0354',
  '0396',
  '0399',
  '0834',
]);

/** Types whose codes of HL7's tables are the only ones. CWE and CE may carry a site's own codes. */
const strictTypes: ReadonlySet<string> = new Set(['ID', 'CNE']);

/** Other types with a table, such as a sequence number, have it by mistake or for orientation. */
const boundTypes: ReadonlySet<string> = new Set(['ID', 'IS', 'CE', 'CF', 'CNE', 'CWE', 'CSU']);

/** The codes that an element may have: a profile's, else those of its table; undefined where any will do. */
export function findCodes(
  element: ElementDefinition,
  definitions: VersionDefinitions,
): CodeSet | undefined {
  if (element.codes !== undefined) return element.codes;
  const { table: id, datatype } = element;
  if (id === undefined || otherTables.has(id) || !boundTypes.has(datatype)) return undefined;
  const table = definitions.findTable(id);
  if (table === undefined || !isEnumerable(table)) return undefined;
  return {
    name: `table ${id}`,
    has: (code) => table.codes.has(code) || isOfRow(id, code),
    isClosed: table.kind === 'hl7' && strictTypes.has(datatype),
  };
}

/** Codes that a table prints together in one row, or in another spelling than is usual. */
const rows: Readonly<Record<string, RegExp>> = {
  // NNxxx: a national identifier with the country's three letters.
  '0203': /^NN[A-Z]{3}$/,
  // L,M,N: coding schemes of a site. EUI64: the devices of IHE write EUI-64.
  '0301': /^(?:[LMN]|EUI-64)$/,
  // The ranks of diagnoses and procedures go on behind 2.
  '0359': /^\d+$/,
  '0418': /^\d+$/,
};

function isOfRow(table: string, code: string): boolean {
  return Object.hasOwn(rows, table) && rows[table]?.test(code) === true;
}

/** Whether the list is the table: `...`, `Q<integer>D` and `ISOnnnn` stand for codes that are not listed. */
function isEnumerable({ codes }: TableDefinition): boolean {
  if (codes.size === 0) return false;
  for (const code of codes) if (/\.\.|…|<\w+#?>|nnn|zzz/.test(code)) return false;
  return true;
}
