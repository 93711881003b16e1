import { fromFhirDateTime, fromFhirTime } from '../../hl7v2/fhir-timestamp.ts';
import { decodeBase64 } from '../base64.ts';
import { placeSeparator } from '../composed.ts';
import { type Draft, isPlainObject } from '../target.ts';
import type { Node } from './node.ts';
import type { ReverseRun } from './run.ts';
import { codeSystems, identifierSystems, toNamespaceUri } from '../system-uri.ts';
import { findOwn } from '../../own.ts';

/**
 * What a function gives back: a text for the place itself, texts for components below it by number, or one for each
 * of the repetitions from the place on.
 */
export type Given =
  | string
  | readonly (readonly [component: number, text: string])[]
  | { readonly repetitions: readonly string[] };

/**
 * A function of rules, turned round: from an element of FHIR to what stands in HL7 v2. Undefined says that the
 * value cannot be written; null that there is nothing to write, since another rule does.
 */
type Inverse = (text: string, node: Node, run: ReverseRun) => Given | null | undefined;

const same: Inverse = (text) => text;
const dateTime: Inverse = (text) => fromFhirDateTime(text)?.text;

/** The inverses of functions, and those that only the way back has. docs/mapping.md describes each. */
export const inverses: Readonly<Record<string, Inverse>> = {
  text: same,
  code: same,
  decimal: same,
  timeAmount: same,
  positiveInt: same,
  unsignedInt: same,
  url: same,
  base64: same,
  base64OfText: (text) => decodeBase64(text),
  base64OfLines: (text) => toLines(text),
  dateTime,
  date: dateTime,
  instant: dateTime,
  time: (text) => fromFhirTime(text)?.text,
  boolean: (text) => ({ true: 'Y', false: 'N' })[text],
  authority: (text, _, run) => toHd(toAuthority(text, run), 1),
  entityAuthority: (text, _, run) => toHd(toAuthority(text, run), 2),
  universalUri: (text) => toHd(text, 1).filter(([component]) => component > 1),
  namespaceUri: (text) => fromUri(text).name,
  codeSystem: (text, _, run) => toSystemName(text, run),
  oid: (text) => (text.startsWith('urn:oid:') ? text.slice('urn:oid:'.length) : undefined),
  phoneNumber: (text, node, run) => toPhone(text, node, run),
  mediaType: (text, _, { version }) => toMediaType(text, { first: 2, version }),
  referenceMediaType: (text, _, { version }) => toMediaType(text, { first: 3, version }),
  /** A text beside codings; none where it is only the name of one of them. */
  originalText: (text, node) => {
    const concept = node.parent?.value;
    const codings = isPlainObject(concept) ? concept['coding'] : undefined;
    const isName = (coding: unknown): boolean =>
      isPlainObject(coding) && coding['display'] === text;
    return Array.isArray(codings) && codings.some(isName) ? null : text;
  },
  /** The description of a place; none where it is only the names of its parts, which have components of their own. */
  placeDescription: (text, node) => {
    const place = node.parent?.value;
    const name = isPlainObject(place) ? place['name'] : undefined;
    const parts = text.split(placeSeparator);
    return parts.length > 1 && typeof name === 'string' && parts.includes(name) ? null : text;
  },
  /** The day of a time. */
  day: (text) => fromFhirDateTime(text.slice(0, 10))?.text,
  /** The limits of a range as one text. */
  limits: (_, node) => toLimits(node),
};

/** Functions of which several values become one: what comes back says the same, perhaps in other places. */
export const equivalents: ReadonlySet<string> = new Set([
  'authority',
  'entityAuthority',
  'universalUri',
  'namespaceUri',
  'codeSystem',
  'oid',
  'phoneNumber',
  'mediaType',
  'referenceMediaType',
]);

/** Functions that take an element as a whole and not its text. */
export const wholes: ReadonlySet<string> = new Set(['limits']);

function toLines(base64: string): Given | undefined {
  const text = decodeBase64(base64);
  return text === undefined ? undefined : { repetitions: text.split(/\r\n|\n|\r/) };
}

/** HL7 v2 chapter 7, OBX-7: `3.5-5.0`, `>3.5`, `<5.0`. */
function toLimits({ value }: Node): string | null {
  const [low, high] = ['low', 'high'].map((name) => {
    const limit = isPlainObject(value) ? value[name] : undefined;
    return isPlainObject(limit) && typeof limit['value'] === 'number' ? limit['value'] : undefined;
  });
  if (low !== undefined && high !== undefined) return `${low}-${high}`;
  if (low !== undefined) return `>${low}`;
  return high === undefined ? null : `<${high}`;
}

interface UriParts {
  readonly name: string;
  readonly type: 'ISO' | 'UUID' | 'URI' | undefined;
}

function fromUri(uri: string): UriParts {
  const [, kind, rest = ''] = /^urn:(oid|uuid|id):(.+)$/.exec(uri) ?? [];
  if (kind === 'oid') return { name: rest, type: 'ISO' };
  if (kind === 'uuid') return { name: rest, type: 'UUID' };
  if (kind === 'id') return { name: decode(rest), type: undefined };
  return { name: uri, type: 'URI' };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** An authority as HD, whose components are counted from `first`. HL7 v2 chapter 2A, HD. */
function toHd(uri: string, first: number): readonly (readonly [number, string])[] {
  const { name, type } = fromUri(uri);
  if (type === undefined) return [[first, name]];
  return [
    [first + 1, name],
    [first + 2, type],
  ];
}

/** The OID of an identifier system that FHIR or the site has a URI for, or its name as that of an authority. */
function toAuthority(uri: string, run: ReverseRun): string {
  const known = run.table(identifierSystems)?.findSource(uri);
  if (known === undefined) return uri;
  return toNamespaceUri(known) ?? uri;
}

/** A system as the name that HL7 table 0396 has for it; the tables of HL7 themselves by their number. */
function toSystemName(uri: string, run: ReverseRun): string {
  const known = run.table(codeSystems)?.findSource(uri);
  if (known !== undefined) return known;
  const [, table] = /^http:\/\/terminology\.hl7\.org\/CodeSystem\/v2-(\d{4})$/.exec(uri) ?? [];
  if (table !== undefined) return `HL7${table}`;
  return fromUri(uri).name;
}

/**
 * An address, or a number: where its parts are known one by one, which other rules write, it is made of them. From 2.7
 * on XTN.1 is gone. HL7 v2 chapter 2A, XTN.
 */
function toPhone(text: string, { parent }: Node, { version }: ReverseRun): Given {
  const point = isPlainObject(parent?.value) ? parent.value : {};
  const isAddress =
    point['system'] === 'email' || (point['system'] === undefined && text.includes('@'));
  if (isAddress) return [[4, text]];
  if (version >= '2.7') return [[12, text]];
  const [area, local] = ['area', 'local'].map((part) => findPart(point, part));
  return [[1, local === undefined ? text : `${area === undefined ? '' : `(${area})`}${local}`]];
}

function findPart(point: Draft, part: string): string | undefined {
  const list = Array.isArray(point['extension']) ? (point['extension'] as unknown[]) : [];
  const url = `http://hl7.org/fhir/StructureDefinition/contactpoint-${part}`;
  const found = list.find((one) => isPlainObject(one) && one['url'] === url);
  return isPlainObject(found) && typeof found['valueString'] === 'string'
    ? found['valueString']
    : undefined;
}

/** Up to 2.5.1 the type is a code of table 0191; from 2.6 on that of the media type itself. */
function toMediaType(
  text: string,
  { first, version }: { readonly first: number; readonly version: string },
): Given | undefined {
  const [, type, subtype] = /^([a-z]+)\/([a-z0-9.+-]+)$/.exec(text.toLowerCase()) ?? [];
  if (type === undefined || subtype === undefined) return undefined;
  const early: Readonly<Record<string, string>> = {
    application: 'AP',
    audio: 'AU',
    image: 'IM',
    text: 'TEXT',
  };
  return [
    [first, version < '2.6' ? (findOwn(early, type) ?? type) : type],
    [first + 1, subtype],
  ];
}
