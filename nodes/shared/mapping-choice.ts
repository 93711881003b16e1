import { findFailure, HilumError } from '../../core/errors.ts';
import type { Issue } from '../../core/issue.ts';
import type { InstalledMappings } from './installed-mappings.ts';

/** What a node has chosen of the mappings. */
export interface MappingChoice {
  readonly layers: readonly string[];
  /** `ORU^R01`; undefined: each message's own type, whichever maps there are. */
  readonly messageType?: string | undefined;
  /** The node maps what is FHIR: by the map to FHIR of this id; empty: to HL7 v2. */
  readonly fhirMap?: string | undefined;
  /** The message that is made of FHIR: `ORU^R01`; undefined: as the resources say. */
  readonly event?: string | undefined;
  /** The version that the map must have: what has changed since is looked at before it maps. */
  readonly pin?: string | undefined;
  /** The id of a table. */
  readonly table?: string | undefined;
}

/** What is wrong with a choice: what is not there, or is not the pinned one. */
export function findChoiceIssues(
  choice: MappingChoice,
  mappings: InstalledMappings,
): readonly Issue[] {
  try {
    const unknown = findUnknown(choice, mappings);
    return unknown.length > 0 ? unknown : findOtherVersion(choice, mappings);
  } catch (error) {
    const issues = findFailure(error)?.issues;
    if (issues === undefined) throw error;
    return issues;
  }
}

/** Throws a HilumError with what is wrong with a choice. */
export function requireChoice(choice: MappingChoice, mappings: InstalledMappings): void {
  const issues = findChoiceIssues(choice, mappings);
  if (issues.length === 0) return;
  // Another version is there to be looked at: the messages wait for whoever does.
  const isPin = issues.every(({ code }) => code === 'mapping-version-differs');
  throw new HilumError(isPin ? 'transient' : 'permanent', issues);
}

function findUnknown(choice: MappingChoice, mappings: InstalledMappings): readonly Issue[] {
  const { layers, messageType, event, fhirMap, table } = choice;
  const { names } = mappings;
  const unknown = layers.filter((layer) => !names.layers.includes(layer));
  if (unknown.length > 0) {
    const known = names.layers.join(', ') || 'none';
    return unknown.map((layer) =>
      refuse(
        'layer-unknown',
        `layers: expected layers that are there (${known}), found "${layer}"`,
      ),
    );
  }
  if (messageType !== undefined && mappings.version(messageType, layers) === undefined) {
    const text = `mapping: expected a message type that has a map, found ${messageType}; see hilum mapping list`;
    return [refuse('mapping-unknown', text)];
  }
  if (event !== undefined && !mappings.reverse(layers).events.includes(event)) {
    const known = mappings.reverse(layers).events.join(', ');
    const text = `event: expected a message that is made of FHIR (${known}), found ${event}`;
    return [refuse('mapping-unknown', text)];
  }
  if (fhirMap && findFhirVersion(fhirMap, choice.layers, mappings) === undefined) {
    const known = mappings.fromFhir(layers).maps.map(({ id }) => id);
    const text = `map: expected a map from FHIR to FHIR (${known.join(', ')}), found ${fhirMap}`;
    return [refuse('mapping-unknown', text)];
  }
  if (table !== undefined && mappings.table(table, layers) === undefined) {
    const text = `table: expected the id of a table, found "${table}"; a file tables/${table}.csv would be one`;
    return [refuse('table-unknown', text)];
  }
  return [];
}

function findOtherVersion(
  { layers, messageType, fhirMap, pin }: MappingChoice,
  mappings: InstalledMappings,
): readonly Issue[] {
  if (pin === undefined) return [];
  const found =
    fhirMap === undefined
      ? mappings.version(messageType, layers)
      : findFhirVersion(fhirMap, layers, mappings);
  if (found === pin) return [];
  const what = fhirMap
    ? `the map ${fhirMap}`
    : messageType
      ? `the map for ${messageType}`
      : 'the maps';
  const text =
    `pin: expected ${what} in the version ${pin}, found ${found ?? 'none'}: a rule or a code has changed. ` +
    'Look at what (hilum mapping diff), then pin the version of now';
  return [refuse('mapping-version-differs', text)];
}

/** Of the map to FHIR, or where the id is empty of those to HL7 v2. */
function findFhirVersion(
  id: string,
  layers: readonly string[],
  mappings: InstalledMappings,
): string | undefined {
  const { maps, version } = mappings.fromFhir(layers);
  return id === '' ? version : maps.find((map) => map.id === id)?.version;
}

const refuse = (code: string, message: string): Issue => ({ code, severity: 'error', message });
