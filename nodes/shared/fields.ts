import { isTimeZone } from '../../core/time-zone.ts';

/**
 * What a node's configuration field may hold. Each parser takes the field's text, trimmed and with its
 * environment variables resolved, and says what it is or why it is none. The editor validates with
 * them and the deploy compiler reads with them, so both agree.
 */
export type FieldParser<T> = (text: string) => Parsed<T>;

export type Parsed<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: FieldProblem };

/** What each problem says to people; the editor shows the text of the same name from its catalog. */
export const fieldProblems = {
  'field-required': 'expected a value, found none',
  'port-invalid': 'expected a port number from 1 to 65535 or ${NAME}',
  'host-invalid': 'expected a host name or an IP address, without port or path',
  'url-invalid': 'expected an address that starts with http:// or https://, without ? or #',
  'number-invalid': 'expected a number within the range that the field names',
  'choice-invalid': 'expected one of the choices that the field offers',
  'topic-invalid': 'expected words joined by dots, such as lab.result',
  'pattern-invalid':
    'expected words joined by dots, where * stands for one word and # for the rest',
  'code-invalid': 'expected small letters and digits joined by dashes, such as wrong-facility',
  'message-type-invalid': 'expected a message type such as ORU^R01',
  'peers-invalid':
    'expected IP addresses or networks such as 10.0.0.0/8, separated by commas or lines',
  'path-invalid': 'expected the path of a file, from the root on',
  'fingerprints-invalid': 'expected SHA-256 fingerprints, 64 hex digits each',
  'server-names-invalid': 'expected lines such as lab.example.org: /path/cert.pem, /path/key.pem',
  'entries-invalid': 'expected entries separated by commas, each as the help shows it',
  'key-paths-invalid':
    'expected paths to a value such as PID-3.1 or MSH-4, without groups, separated by commas',
  'layers-invalid': 'expected names of layers, separated by commas',
  'profiles-invalid': 'expected URLs or ids of profiles, separated by commas',
  'pin-invalid': 'expected a version of 16 hex digits, as hilum mapping list shows it',
  'zone-invalid': 'expected a zone such as Europe/Berlin or +01:00',
  'map-invalid': 'expected the id of a map, such as acme-patient',
  'table-invalid': 'expected the id of a table, such as administrative-gender',
  'designator-invalid': 'expected a name such as LAB, or with its identifier LAB^1.2.3^ISO',
  'placeholder-unset': 'refers to an environment variable that is not set',
} as const;

type FieldProblem = keyof typeof fieldProblems;

export const accepted = <T>(value: T): Parsed<T> => ({ ok: true, value });
export const refused = (problem: FieldProblem): Parsed<never> => ({ ok: false, problem });

/** Text that must not be empty. */
export const requiredText: FieldParser<string> = (text) =>
  text === '' ? refused('field-required') : accepted(text);

/** A TCP port to connect to. */
export const portNumber: FieldParser<number> = (text) => {
  if (text === '') return refused('field-required');
  const port = Number(text);
  return /^\d{1,5}$/.test(text) && port >= 1 && port <= 65_535
    ? accepted(port)
    : refused('port-invalid');
};

/** A TCP port to listen on: 0 lets the system choose one. */
export const listenPort: FieldParser<number> = (text) =>
  text === '0' ? accepted(0) : portNumber(text);

/** A host name, an IPv4 address, or an IPv6 address with or without brackets (given without). */
export const hostName: FieldParser<string> = (text) => {
  if (text === '') return refused('field-required');
  const bare = text.replace(/^\[(.*)\]$/, '$1');
  return /^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?$/.test(bare) || isIpv6(bare)
    ? accepted(bare)
    : refused('host-invalid');
};

export function isIpv6(text: string): boolean {
  return text.includes(':') && /^[0-9A-Fa-f:.]+$/.test(text) && URL.canParse(`http://[${text}]/`);
}

/** An http or https address to build others upon; its slashes at the end are taken off. */
export const baseUrl: FieldParser<string> = (text) => {
  if (text === '') return refused('field-required');
  const usable =
    /^https?:\/\//i.test(text) && URL.canParse(text) && !/[\s?#]/.test(text) && !/[{}]/.test(text);
  return usable ? accepted(text.replace(/\/+$/, '')) : refused('url-invalid');
};

/** A number between two bounds, both included. */
export function numberBetween(least: number, most: number): FieldParser<number> {
  return (text) => {
    const number = Number(text);
    return text !== '' && number >= least && number <= most
      ? accepted(number)
      : refused('number-invalid');
  };
}

/** A whole number between two bounds, both included. */
export function integerBetween(least: number, most: number): FieldParser<number> {
  const between = numberBetween(least, most);
  return (text) => (/^\d+$/.test(text) ? between(text) : refused('number-invalid'));
}

/** One of the words given. */
export function choice<const T extends string>(...words: readonly T[]): FieldParser<T> {
  return (text) => {
    const word = words.find((candidate) => candidate === text);
    return word === undefined ? refused('choice-invalid') : accepted(word);
  };
}

/** The topic of an event, such as `lab.result`: words joined by dots, no wildcards. */
export const topicName: FieldParser<string> = (text) => {
  if (text === '') return refused('field-required');
  return text.length <= 200 && /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/.test(text)
    ? accepted(text)
    : refused('topic-invalid');
};

/** Topics to subscribe to: as {@link topicName}, where `*` is any one word and `#` any number of them. */
export const topicPattern: FieldParser<string> = (text) => {
  if (text === '') return refused('field-required');
  return text.length <= 200 && /^([A-Za-z0-9_-]+|\*|#)(\.([A-Za-z0-9_-]+|\*|#))*$/.test(text)
    ? accepted(text)
    : refused('pattern-invalid');
};

/** The parser, but an empty field means `fallback`. */
export function optional<T, const U>(parser: FieldParser<T>, fallback: U): FieldParser<T | U> {
  return (text) => (text === '' ? accepted(fallback) : parser(text));
}

/** A message type: `ORU^R01`, or `ACK` with whatever trigger. */
export const messageType: FieldParser<string> = (text) =>
  /^[A-Z0-9]{3}(\^[A-Z0-9]{3})?$/.test(text) ? accepted(text) : refused('message-type-invalid');

/** Names of mapping layers in their order, separated by commas; none where it is empty. */
export const layerNames: FieldParser<readonly string[]> = (text) => {
  const names = text.split(',').map((name) => name.trim());
  if (text === '') return accepted([]);
  return names.every((name) => /^[A-Za-z0-9._@-]+$/.test(name))
    ? accepted(names)
    : refused('layers-invalid');
};

/** Profiles of FHIR by URL or id, separated by commas; none where it is empty. */
export const profileNames: FieldParser<readonly string[]> = (text) => {
  if (text === '') return accepted([]);
  const names = text.split(',').map((name) => name.trim());
  return names.every((name) => /^[\w:/.|#-]+$/.test(name))
    ? accepted(names)
    : refused('profiles-invalid');
};

/** Who an application or a facility is, as HL7 writes it: `LAB`, or `LAB^1.2.3^ISO`. */
export const hierarchicDesignator: FieldParser<string> = (text) =>
  /^[^|^~\\&\r\n]+(\^[^|^~\\&\r\n]*){0,2}$/.test(text)
    ? accepted(text)
    : refused('designator-invalid');

/** A version of the mappings, 16 hex digits. */
export const mappingVersion: FieldParser<string> = (text) =>
  /^[0-9a-f]{16}$/.test(text) ? accepted(text) : refused('pin-invalid');

/** The id of a map. */
export const mapId: FieldParser<string> = (text) =>
  /^[A-Za-z0-9._@-]+$/.test(text) ? accepted(text) : refused('map-invalid');

/** The id of a code table. */
export const tableId: FieldParser<string> = (text) => {
  if (text === '') return refused('field-required');
  return /^[A-Za-z0-9._@-]+$/.test(text) ? accepted(text) : refused('table-invalid');
};

/** A time zone by its name, or as an offset from UTC. */
export const timeZone: FieldParser<string> = (text) =>
  isTimeZone(text) ? accepted(text) : refused('zone-invalid');
