import { toUrnPart } from './formats.ts';
import type { Frame } from './run.ts';
import { type SourceValue, takePart, toText } from './source.ts';

/** The table of authorities whose identifiers have a URI of FHIR's registry or of the site's own, by OID or by name. */
export const identifierSystems = 'identifier-systems';

/** The table of coding systems by their names (HL7 table 0396) and OIDs. */
export const codeSystems = 'HL70396';

const oidPrefix = 'urn:oid:';

/**
 * HD, or what stands from `first` on in an EI, as the URI of an identifier system: its universal id, else its name space.
 * Takes what it makes the URI of. HL7 v2 chapter 2A, HD.
 */
export function toAuthorityUri(source: SourceValue, frame: Frame, first = 1): string | undefined {
  const universal = takeUniversalId(source, first);
  const uri = universal ?? toNamespaceUri(takePart(source, first));
  if (uri === undefined) return undefined;
  // FHIR wants the URI that its registry has for a system, and not the OID.
  const key = uri.startsWith(oidPrefix)
    ? uri.slice(oidPrefix.length)
    : toText(source.part(universal === undefined ? first : first + 1)).trim();
  return frame.run.table(identifierSystems)?.find(key)?.code ?? uri;
}

/** The universal id of an HD, or of what stands from `first` on in an EI, as a URI; it and its type count as consumed. */
export function takeUniversalId(source: SourceValue, first = 1): string | undefined {
  if (toText(source.part(first + 1)).trim() === '') return undefined;
  return toUniversalId(takePart(source, first + 1), takePart(source, first + 2));
}

/** A universal id with its type (HL7 table 0301) as a URI. HL7 v2 chapter 2A, HD. */
function toUniversalId(id: string, type: string): string | undefined {
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
  const systems = frame.run.table(codeSystems);
  const known = systems?.find(text) ?? systems?.find(text.toUpperCase());
  if (known?.code !== undefined) return known.code;
  const [, table] = /^HL7-?(\d{4})$/i.exec(text) ?? [];
  if (table !== undefined) return `http://terminology.hl7.org/CodeSystem/v2-${table}`;
  return toNamespaceUri(text);
}

/** The OID of a coding system as its URI: that of the system where it is known, and of the tables of HL7 by number. */
export function toOidSystem(oid: string, frame: Frame): string | undefined {
  const text = oid.trim();
  const known = frame.run.table(codeSystems)?.find(text)?.code;
  if (known !== undefined) return known;
  const [, table] = /^2\.16\.840\.1\.113883\.12\.(\d{1,4})$/.exec(text) ?? [];
  if (table !== undefined) {
    return `http://terminology.hl7.org/CodeSystem/v2-${table.padStart(4, '0')}`;
  }
  return toUniversalId(text, 'ISO');
}
