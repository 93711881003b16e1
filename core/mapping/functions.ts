import { type Timestamp, parseTimestamp, toFhirDate, toFhirDateTime } from '../hl7v2/timestamp.ts';
import { encodeBase64, encodeHex } from './base64.ts';
import { composedFunctions } from './composed.ts';
import { hasTimeUnit, toEndTime, toMinutes, toStartTime } from './duration.ts';
import { comparison, toCode, toFhirTime } from './formats.ts';
import type { Frame } from './run.ts';
import { type SourceValue, takePart, toText } from './source.ts';
import {
  takeUniversalId,
  toAuthorityUri,
  toCodeSystemUri,
  toNamespaceUri,
  toOidSystem,
} from './system-uri.ts';
import { findOwn } from '../own.ts';

/**
 * A named conversion that rules use as `fn`. Pure: the same value of the same message gives the same.
 * Undefined says that the value cannot be converted, which the engine reports; null that there is nothing to
 * write, which it does not. Either way the value counts as unconsumed.
 */
export type MappingFunction = (source: SourceValue, frame: Frame) => unknown;

/** Functions that read all of a value; of the others its first primitive counts as consumed, which is what they read. */
export const wholeConsuming: ReadonlySet<string> = new Set([
  'text',
  'structuredNumber',
  'base64',
  'base64OfText',
  'base64OfHex',
]);

/** Functions that say themselves what they took. */
export const selfConsuming: ReadonlySet<string> = new Set([
  'phoneNumber',
  'authority',
  'entityAuthority',
  'universalUri',
  'mediaType',
  'referenceMediaType',
  ...Object.keys(composedFunctions),
]);

/** All functions that rules may name; docs/mapping.md describes each. */
export const mappingFunctions: Readonly<Record<string, MappingFunction>> = {
  /** The whole value as plain text: components and all, HL7 formatting as line breaks. */
  text: (source) => source.text.trimEnd() || null,
  code: (source) => toCode(toText(source)) || undefined,
  /** FHIR dateTime; without a zone, and with none known, only the day. */
  dateTime: (source, frame) => {
    const timestamp = readTimestamp(source);
    return timestamp && toFhirDateTime(timestamp, findZone(timestamp, frame));
  },
  date: (source) => {
    const timestamp = readTimestamp(source);
    return timestamp && toFhirDate(timestamp);
  },
  /** FHIR instant, which needs a time and a zone: null, which is silent, where they are not known. */
  instant: (source, frame) => {
    const timestamp = readTimestamp(source);
    if (timestamp === undefined) return undefined;
    const text = toFhirDateTime(timestamp, findZone(timestamp, frame));
    return text.includes('T') ? text : null;
  },
  time: (source) => toFhirTime(toText(source)),
  /** The start of what has an end by `endTime`, and of nothing else. */
  startTime: (source, frame) => toStartTime(source, frame),
  /** The end of what starts here and takes as long as its segment says: AIS-4 with AIS-7 and AIS-8. */
  endTime: (source, frame) => toEndTime(source, frame),
  /** An amount and the unit beside it as minutes. */
  amountInMinutes: (source, frame) => toMinutes(source, frame),
  /** An amount of time without its unit: null where the unit beside it is not known, since FHIR has none without. */
  timeAmount: (source, frame) => (hasTimeUnit(source, frame) ? toNumber(toText(source)) : null),
  decimal: (source) => toNumber(toText(source)),
  positiveInt: (source) => {
    const value = toNumber(toText(source));
    return value !== undefined && Number.isInteger(value) && value > 0 ? value : undefined;
  },
  /** HL7 table 0136, Y and N, and the words themselves, which some senders write. */
  boolean: (source) =>
    ({ Y: true, YES: true, N: false, NO: false })[toText(source).trim().toUpperCase()],
  /** The number of a comparison such as `<0.5` that stands in a numeric field. */
  comparedNumber: (source) => toNumber(comparison.exec(toText(source))?.[2] ?? ''),
  comparator: (source) => comparison.exec(toText(source))?.[1],
  authority: (source, frame) => toAuthorityUri(source, frame),
  /** The assigning authority of an EI: its components 2 to 4. */
  entityAuthority: (source, frame) => toAuthorityUri(source, frame, 2),
  phoneNumber: (source) => toPhoneNumber(source),
  universalUri: (source) => takeUniversalId(source),
  namespaceUri: (source) => toNamespaceUri(toText(source)),
  codeSystem: (source, frame) => toCodeSystemUri(toText(source), frame),
  base64: (source) => toBase64(source.raw),
  base64OfText: (source) => encodeBase64(source.text) || undefined,
  base64OfHex: (source) => encodeHex(source.text),
  /** The type of data of an ED. */
  mediaType: (source) => toMediaType(source, 2),
  /** The type of data of an RP. */
  referenceMediaType: (source) => toMediaType(source, 3),
  oid: (source, frame) => toOidSystem(toText(source), frame),
  /** An SN that is neither quantity nor ratio nor range, as the text that it reads as. */
  structuredNumber: (source) =>
    [1, 2, 3, 4]
      .map((n) => toText(source.part(n)).trim())
      .filter(Boolean)
      .join(' ') || undefined,
  /** A whole number that may be 0. */
  unsignedInt: (source) => {
    const value = toNumber(toText(source));
    return value !== undefined && Number.isInteger(value) && value >= 0 ? value : undefined;
  },
  url: (source) => toText(source).replace(/\s+/g, '%20') || undefined,
  ...composedFunctions,
};

function toNumber(text: string): number | undefined {
  const trimmed = text.trim();
  if (!/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)$/.test(trimmed)) return undefined;
  const value = Number(trimmed);
  return Number.isFinite(value) ? value : undefined;
}

/** Undefined for what is no timestamp; FHIR has no year 0, which some senders write for an unknown one. */
function readTimestamp(source: SourceValue): Timestamp | undefined {
  const timestamp = parseTimestamp(toText(source).trim());
  return timestamp?.year === '0000' ? undefined : timestamp;
}

/** A time without a zone is in the zone of MSH-7, as HL7 has it, else in the zone that was configured. */
function findZone({ hour, offset }: Timestamp, frame: Frame): string | undefined {
  return hour === undefined || offset !== undefined ? undefined : frame.run.zone();
}

/**
 * XTN as one text: the unformatted number, else the parts, else the first component, else the address; of an Internet or
 * X.400 address that. Takes what it makes the text of. HL7 v2 chapter 2A, XTN.
 */
function toPhoneNumber(source: SourceValue): string | undefined {
  const isAddress = /^(internet|x\.400)$/i.test(toText(source.part(3)));
  return (
    (isAddress ? takePart(source, 4) : '') ||
    takePart(source, 12) ||
    toNumberInParts(source) ||
    takePart(source, 1) ||
    takePart(source, 4) ||
    undefined
  );
}

function toNumberInParts(source: SourceValue): string {
  if (toText(source.part(7)).trim() === '') return '';
  const [country = '', area, local, extension] = [5, 6, 7, 8].map((n) => takePart(source, n));
  const parts = [
    country && `+${country.replace(/^\+/, '')}`,
    area,
    local,
    extension && `X${extension}`,
  ];
  return parts.filter(Boolean).join(' ');
}

/** Line breaks dropped, missing padding added. */
function toBase64(raw: string): string | undefined {
  const text = raw.replace(/\\\.br\\|\\X0[AD]\\|\s+/gi, '');
  const padded = text.padEnd(Math.ceil(text.length / 4) * 4, '=');
  return /^[0-9A-Za-z+/]+={0,2}$/.test(padded) ? padded : undefined;
}

/** HL7 table 0291 (subtypes) and 0191 (types) by what they are called in the media type registry. */
function toMediaType(source: SourceValue, first: number): string | undefined {
  const parts = [source.part(first), source.part(first + 1)];
  for (const part of parts) part.isTaken = true;
  const [type, subtype] = parts.map((part) => toText(part).trim().toLowerCase());
  const value = subtype === '' || subtype === undefined ? type : subtype;
  if (value === undefined || value === '') return undefined;
  if (/^[a-z]+\/[a-z0-9.+-]+$/.test(value)) return value;
  const known = findOwn(mediaTypes, value);
  if (known !== undefined) return known;
  const general = type === undefined ? undefined : (findOwn(generalTypes, type) ?? type);
  if (general !== undefined && /^(application|audio|image|text|video)$/.test(general)) {
    return /^[a-z0-9.+-]+$/.test(value) && value !== type ? `${general}/${value}` : undefined;
  }
  return undefined;
}

/** HL7 table 0191 by the types of the media type registry. */
const generalTypes: Readonly<Record<string, string>> = {
  ap: 'application',
  au: 'audio',
  im: 'image',
  ns: 'image',
  sd: 'image',
  si: 'image',
};

const mediaTypes: Readonly<Record<string, string>> = {
  pdf: 'application/pdf',
  rtf: 'text/rtf',
  html: 'text/html',
  'x-hl7-cda-level-one': 'text/xml',
  xml: 'text/xml',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  png: 'image/png',
  gif: 'image/gif',
  tiff: 'image/tiff',
  tif: 'image/tiff',
  pict: 'image/pict',
  dicom: 'application/dicom',
  postscript: 'application/postscript',
  'octet-stream': 'application/octet-stream',
  basic: 'audio/basic',
  plain: 'text/plain',
  text: 'text/plain',
  tx: 'text/plain',
  ft: 'text/plain',
  sgml: 'text/sgml',
};
