import type { StructureItem, VersionDefinitions } from '../definitions/definitions.ts';
import { findVersion, isLaterVersion, isWithin, versions } from '../definitions/versions.ts';
import type { Hl7Message } from '../message.ts';
import type { Findings } from './findings.ts';

/** The version whose definitions serve for later and unknown ones: fields are only ever added. */
export const newest = '2.8.2';

/** What MSH says of the message; `''` where it says nothing. */
export interface HeaderValues {
  readonly type: string;
  readonly event: string;
  /** The structure in MSH-9.3. */
  readonly declared: string;
  readonly processingId: string;
  readonly version: string;
}

export function readHeaderValues(message: Hl7Message): HeaderValues {
  const read = (path: string): string => message.get(path) ?? '';
  return {
    type: read('MSH-9.1.1'),
    event: read('MSH-9.2.1'),
    declared: read('MSH-9.3.1'),
    processingId: read('MSH-11.1'),
    version: message.version,
  };
}

/** MSH-12, where it decides by which definitions the message is checked. */
export function checkVersion({ version }: HeaderValues, findings: Findings): void {
  if (version === '' || findVersion(version) !== undefined) return;
  const range = `Expected a version from ${versions[0]} to ${newest}, found`;
  if (isLaterVersion(version)) {
    findings.add({
      code: 'version-later',
      severity: 'warning',
      location: 'MSH-12',
      message: `${range} a later one; checked as ${newest}`,
    });
    return;
  }
  findings.add({
    code: 'version-unknown',
    severity: 'error',
    location: 'MSH-12',
    message: `${range} another; checked as ${newest}`,
  });
}

/** MSH-12, where something else decides. */
export function checkOtherVersion(
  header: HeaderValues,
  { version }: VersionDefinitions,
  findings: Findings,
): void {
  if (header.version === '' || header.version === version) return;
  findings.add({
    code: 'version-differs',
    severity: 'information',
    location: 'MSH-12',
    message: `Expected ${version}, by which the message is checked as asked, found another version`,
  });
}

/** MSH-9 and MSH-11, as far as they are there at all. */
export function checkType(
  { type, event, processingId }: HeaderValues,
  { version }: VersionDefinitions,
  findings: Findings,
): void {
  const isEventRequired = isWithin(version, { from: '2.3' }) && !answers.has(type);
  const missing = (location: string, what: string): void => {
    const text = `Expected the ${what}, found none`;
    findings.add({ code: 'required-field-missing', severity: 'error', location, message: text });
  };
  if (type === '' && event !== '') missing('MSH-9.1', 'message type, such as ORU');
  if (type !== '' && event === '' && isEventRequired) {
    missing('MSH-9.2', 'trigger event, such as R01');
  }
  if (processingId === '' || processingIds.has(processingId)) return;
  findings.add({
    code: 'code-not-in-table',
    severity: 'error',
    location: 'MSH-11',
    message: 'Expected P, T or D (table 0103), found another code',
  });
}

/** The types of general answers, which need no event. */
const answers: ReadonlySet<string> = new Set(['ACK', 'MCF', 'NAK']);

/** HL7 table 0103. */
const processingIds: ReadonlySet<string> = new Set(['P', 'T', 'D']);

/**
 * The structure that the message's event has, else the one that MSH-9.3 names; undefined where neither is
 * known, which is reported, as is an MSH-9.3 that contradicts the event.
 */
export function findStructure(
  { type, event, declared }: HeaderValues,
  definitions: VersionDefinitions,
  findings: Findings,
): StructureItem | undefined {
  if (type === '' || (event === '' && !answers.has(type))) return undefined;
  const expected = findName(definitions, type, event);
  const structure = expected === undefined ? undefined : definitions.findStructure(expected);
  if (structure === undefined) {
    const other = definitions.findStructure(declared);
    if (other === undefined) reportUnknown({ type, event }, definitions, findings);
    return other;
  }
  if (declared !== '' && declared !== expected) {
    findings.add({
      code: 'structure-mismatch',
      severity: 'warning',
      location: 'MSH-9.3',
      message: `Expected ${expected}, the structure of the event in MSH-9.2, found another; checked as ${expected}`,
    });
  }
  return structure;
}

/** Before 2.3 the event of an ADT message may stand in EVN-1 alone. */
export function withEarlyEvent(
  header: HeaderValues,
  message: Hl7Message,
  { version }: VersionDefinitions,
): HeaderValues {
  if (header.event !== '' || !isWithin(version, { from: '2.1', to: '2.2' })) return header;
  return { ...header, event: message.get('EVN-1.1') ?? '' };
}

function findName(
  definitions: VersionDefinitions,
  type: string,
  event: string,
): string | undefined {
  return definitions.findStructureName(type, event) ?? (answers.has(type) ? type : undefined);
}

function reportUnknown(
  { type, event }: { readonly type: string; readonly event: string },
  definitions: VersionDefinitions,
  findings: Findings,
): void {
  const all = [definitions, definitions.newest?.() ?? definitions];
  const end = 'found another; the order of its segments is not checked';
  if (!definitions.isMessageType(type)) {
    const isKnown = isOfSite(type) || all.some((each) => each.isMessageType(type));
    findings.add({
      code: 'message-type-unknown',
      severity: isKnown ? 'warning' : 'error',
      location: 'MSH-9',
      message: `Expected a message type of version ${definitions.version}, ${end}`,
    });
    return;
  }
  const known = definitions.isEvent(event) ? 'that belongs to the message type' : 'of table 0003';
  const isKnown = isOfSite(event) || all.some((each) => each.isEvent(event));
  findings.add({
    code: 'event-unknown',
    severity: isKnown ? 'warning' : 'error',
    location: 'MSH-9.2',
    message: `Expected an event ${known} in version ${definitions.version}, ${end}`,
  });
}

/** HL7 v2 chapter 2: names that begin with Z are a site's own. */
function isOfSite(name: string): boolean {
  return name.startsWith('Z');
}
