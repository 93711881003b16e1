import type { Issue } from '../../issue.ts';
import type { Definitions, StructureItem, VersionDefinitions } from '../definitions/definitions.ts';
import { findVersion } from '../definitions/versions.ts';
import { applyProfile } from './apply-profile.ts';
import { formatProfile, type ProfileContent } from './flatten-profile.ts';
import { ImportLosses, importFields } from './import-fields.ts';
import { importStructure } from './import-structure.ts';
import { parseProfile } from './parse-profile.ts';
import { readXml, type XmlElement } from './read-xml.ts';

export interface ImportedProfile {
  /** The profile's file; undefined where the XML is no conformance profile that can be read. */
  readonly yaml: string | undefined;
  /** What could not be expressed, and what was left out. */
  readonly issues: readonly Issue[];
}

interface ImportOptions {
  readonly definitions: Definitions;
  /** The name of the new profile. */
  readonly name: string;
}

/**
 * An HL7 v2 conformance profile (`HL7v2xConformanceProfile`, as Messaging Workbench exports it; HL7 v2 chapter
 * 2B) as a profile of Hilum: what is different from the version. What cannot be said there is an issue each:
 * `profile-import-incomplete` (a warning: a rule is lost), `profile-import-omitted` (only for people), and
 * `profile-xml-unsupported` where there is no result.
 */
export function importProfileXml(xml: string, options: ImportOptions): ImportedProfile {
  const read = readXml(xml);
  if (!read.ok) return refuse(read.message);
  const found = findStaticDefinition(read.root);
  if (typeof found === 'string') return refuse(found);
  const base = findBase(found, options.definitions);
  if (typeof base === 'string') return refuse(base);
  const losses = new ImportLosses();
  const content = toContent(found, base, { name: options.name, losses });
  const yaml = formatProfile(content);
  return { yaml, issues: [...losses.toIssues(), ...check(yaml, base.definitions)] };
}

function refuse(message: string): ImportedProfile {
  return {
    yaml: undefined,
    issues: [{ code: 'profile-xml-unsupported', severity: 'error', message }],
  };
}

interface StaticDefinition {
  readonly element: XmlElement;
  readonly version: string;
  readonly title: string | undefined;
}

function findStaticDefinition(root: XmlElement): StaticDefinition | string {
  if (root.name === 'ConformanceProfile') {
    return 'This is the XML of NIST IGAMT, which is not supported; expected HL7v2xConformanceProfile, as Messaging Workbench exports it';
  }
  const element =
    root.name === 'HL7v2xStaticDef'
      ? root
      : root.children.find(({ name }) => name === 'HL7v2xStaticDef');
  if (element === undefined) {
    return `Expected HL7v2xConformanceProfile with HL7v2xStaticDef in it, found ${root.name}`;
  }
  const version = root.attributes['HL7Version'] ?? element.attributes['HL7Version'] ?? '';
  const titles = [element, root].map(
    ({ children }) => children.find(({ name }) => name === 'MetaData')?.attributes['Name'] ?? '',
  );
  return { element, version, title: titles.find((title) => title !== '') };
}

interface Base {
  readonly definitions: VersionDefinitions;
  readonly structure: StructureItem;
  readonly message: string;
}

function findBase({ element, version }: StaticDefinition, all: Definitions): Base | string {
  const known = findVersion(version);
  if (known === undefined)
    return `HL7Version: expected a version such as 2.5.1, found "${version}"`;
  const definitions = all.of(known);
  const { MsgType: type = '', EventType: event = '' } = element.attributes;
  const message = `${type}^${event}`;
  const name = definitions.findStructureName(type, event);
  const structure = definitions.findStructure(name ?? '');
  return structure === undefined
    ? `HL7 ${version} has no structure for ${message} (MsgType, EventType)`
    : { definitions, structure, message };
}

function toContent(
  { element, title }: StaticDefinition,
  { definitions, structure, message }: Base,
  { name, losses }: { readonly name: string; readonly losses: ImportLosses },
): ProfileContent {
  const { segments, places } = importStructure(element, structure, losses);
  const fields = importFields(places, definitions, losses);
  return {
    profile: name.replaceAll(/[^A-Za-z0-9._-]+/g, '-').replace(/^[^A-Za-z0-9]+/, '') || 'imported',
    ...(title === undefined ? {} : { title }),
    version: definitions.version,
    messages: [message],
    segments,
    fields,
  };
}

/** What was written has to be a profile that fits its version; where it does not, its reader says why. */
function check(yaml: string, definitions: VersionDefinitions): readonly Issue[] {
  const files = { find: () => undefined, readCodes: () => undefined };
  const parsed = parseProfile({ path: 'imported', text: yaml }, files);
  if (!parsed.ok) return parsed.issues;
  const applied = applyProfile(definitions, parsed.profile);
  return applied.ok ? [] : applied.issues;
}
