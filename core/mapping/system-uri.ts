import { toUrnPart } from './formats.ts';
import type { Frame } from './run.ts';
import { type SourceValue, toText } from './source.ts';

/** HD as the URI of an identifier system: its universal id, else its name space. HL7 v2 chapter 2A, HD. */
export function toAuthorityUri(source: SourceValue): string | undefined {
  const universal = toUniversalId(toText(source.part(2)), toText(source.part(3)));
  return universal ?? toNamespaceUri(toText(source.part(1)));
}

/** The universal id of an HD or EI with its type as a URI. HL7 v2 chapter 2A, HD. */
export function toUniversalId(id: string, type: string): string | undefined {
  const text = id.trim();
  if (text === '') return undefined;
  switch (type.toUpperCase()) {
    case 'ISO':
      return `urn:oid:${toUrnPart(text.replace(/^urn:oid:/i, ''))}`;
    case 'UUID':
    case 'GUID':
      return `urn:uuid:${toUrnPart(text.replace(/^urn:uuid:/i, '').toLowerCase())}`;
    case 'URI':
    case 'URL':
      return text.replace(/\s+/g, '%20');
    default:
      // An OID says what it is, whatever its type says.
      if (/^[0-2](\.\d+){3,}$/.test(text)) return `urn:oid:${text}`;
      return /^[a-z][a-z0-9+.-]*:\S+$/i.test(text) ? text : `urn:id:${toUrnPart(text)}`;
  }
}

/** The name of an authority or a system as a URI: that of the sender's own names. */
export function toNamespaceUri(name: string): string | undefined {
  const text = name.trim();
  if (text === '') return undefined;
  if (/^[0-2](\.\d+){3,}$/.test(text)) return `urn:oid:${text}`;
  return /^(https?|urn):\S+$/i.test(text) ? text : `urn:id:${toUrnPart(text)}`;
}

/** The name of a coding system (HL7 table 0396) as its URI; the tables of HL7 itself by their number. */
export function toCodeSystemUri(name: string, frame: Frame): string | null | undefined {
  const text = name.trim();
  if (text === '') return undefined;
  // The form of a name in table 0396, which some senders write as it stands there: it names no table.
  if (/^HL7(?:n{3,4}|x{3,4})$/i.test(text)) return null;
  const known =
    frame.run.table('HL70396')?.find(text) ?? frame.run.table('HL70396')?.find(text.toUpperCase());
  if (known?.code !== undefined) return known.code;
  const [, table] = /^HL7-?(\d{4})$/i.exec(text) ?? [];
  if (table !== undefined) return `http://terminology.hl7.org/CodeSystem/v2-${table}`;
  return toNamespaceUri(text);
}
