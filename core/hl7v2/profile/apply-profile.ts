import type { Issue } from '../../issue.ts';
import type {
  SegmentDefinition,
  StructureItem,
  VersionDefinitions,
} from '../definitions/definitions.ts';
import { applyFieldRules, type FieldRule } from './field-rules.ts';
import type { Profile } from './profile.ts';
import { readDatatypes, readFieldRules, readItemRules } from './read-rules.ts';
import { findOwnLayer, RuleReport } from './report.ts';
import { isAtEnd } from './rule-paths.ts';
import { applyToStructure, listPlaces } from './structure-rules.ts';
import { suggest } from '../../suggest.ts';

export type AppliedProfile =
  | { readonly ok: true; readonly definitions: VersionDefinitions }
  | { readonly ok: false; readonly issues: readonly Issue[] };

/**
 * A version's definitions with a profile laid over them. Everything in the profile that does not fit the
 * version is found at once, `profile-invalid`, located as `file:line:column`: places, fields, tables and
 * datatypes that it does not have, rules that contradict one another or themselves.
 */
export function applyProfile(base: VersionDefinitions, profile: Profile): AppliedProfile {
  const report = new RuleReport();
  const structures = findStructures(base, profile, report);
  const datatypes = readDatatypes({ profile, definitions: base, report });
  const typed: VersionDefinitions = {
    ...delegate(base),
    findDatatype: (name) => datatypes.get(name) ?? base.findDatatype(name),
  };
  const context = { profile, definitions: typed, report };
  const rules = readFieldRules(context);
  const segments = applyAnywhere(base, rules);
  const findDefinition = buildPlaceFinder(base, rules, report);
  const structureRules = { ...readItemRules(context), findDefinition };
  const changed = new Map(
    structures.map((structure) => [structure.name, applyToStructure(structure, structureRules)]),
  );
  checkPlaces([...changed.values()], { ...context, rules });
  if (report.issues.length > 0) return { ok: false, issues: report.issues };
  const definitions: VersionDefinitions = {
    ...delegate(typed),
    findSegment: (name) => segments.get(name) ?? base.findSegment(name),
    findStructure: (name) => changed.get(name) ?? base.findStructure(name),
  };
  return { ok: true, definitions };
}

/** Method by method: definitions may be an object of a class, which does not spread. */
function delegate(base: VersionDefinitions): VersionDefinitions {
  return {
    version: base.version,
    ...(base.newest === undefined ? {} : { newest: base.newest }),
    findStructureName: (type, event) => base.findStructureName(type, event),
    findStructure: (name) => base.findStructure(name),
    isMessageType: (type) => base.isMessageType(type),
    isEvent: (event) => base.isEvent(event),
    findSegment: (name) => base.findSegment(name),
    findDatatype: (name) => base.findDatatype(name),
    findTable: (id) => base.findTable(id),
  };
}

/** The structures of the profile's messages, each once. */
function findStructures(
  base: VersionDefinitions,
  profile: Profile,
  report: RuleReport,
): readonly StructureItem[] {
  const found = new Set<StructureItem>();
  profile.messages.forEach((message, index) => {
    const [type = '', event = ''] = message.split('^');
    const structure = base.findStructure(base.findStructureName(type, event) ?? '');
    if (structure !== undefined) found.add(structure);
    else {
      const text = `messages: HL7 ${base.version} has no structure for ${message}`;
      report.add(findOwnLayer(profile), ['messages', index], text);
    }
  });
  return [...found];
}

/** A Z segment is the site's own: what the profile says is all there is. */
function findSegment(base: VersionDefinitions, name: string): SegmentDefinition | undefined {
  return base.findSegment(name) ?? (name.startsWith('Z') ? { name, fields: [] } : undefined);
}

/** The segments with the rules that hold wherever they stand. */
function applyAnywhere(
  base: VersionDefinitions,
  rules: readonly FieldRule[],
): ReadonlyMap<string, SegmentDefinition> {
  const anywhere = rules.filter(({ path }) => path.groups.length === 0);
  const segments = new Map<string, SegmentDefinition>();
  for (const [name, own] of Map.groupBy(anywhere, ({ path }) => path.segment)) {
    const segment = findSegment(base, name);
    if (segment !== undefined) segments.set(name, applyFieldRules(segment, own));
  }
  return segments;
}

/** Finds the rules of a segment at a place, where some are of this very place; one object for the same rules. */
function buildPlaceFinder(
  base: VersionDefinitions,
  rules: readonly FieldRule[],
  report: RuleReport,
): (place: readonly string[]) => SegmentDefinition | undefined {
  const bySegment = Map.groupBy(rules, ({ path }) => path.segment);
  const known = new Map<string, SegmentDefinition>();
  return (place) => {
    const name = place.at(-1) ?? '';
    const here = (bySegment.get(name) ?? []).filter(({ path }) =>
      isAtEnd(place, [...path.groups, name]),
    );
    for (const { origin } of here) report.use(origin);
    if (here.every(({ path }) => path.groups.length === 0)) return undefined;
    const segment = findSegment(base, name);
    if (segment === undefined) return undefined;
    const key = `${name} ${here.map((rule) => rules.indexOf(rule)).join()}`;
    const definition = known.get(key) ?? applyFieldRules(segment, here);
    known.set(key, definition);
    return definition;
  };
}

/**
 * A rule that is about nothing is a mistake: of the profile's own rules only, since what it extends may be
 * for other messages too.
 */
function checkPlaces(
  structures: readonly StructureItem[],
  context: {
    readonly profile: Profile;
    readonly report: RuleReport;
    readonly definitions: VersionDefinitions;
    readonly rules: readonly FieldRule[];
  },
): void {
  const { profile, report, definitions, rules } = context;
  if (structures.length === 0) return;
  const layer = findOwnLayer(profile);
  const places = structures.flatMap(listPlaces);
  const names = new Set(places.flat());
  const where = `the structures of ${profile.messages.join(', ')} in HL7 ${definitions.version}`;
  for (const rule of layer.segments) {
    if (report.isUsed(rule)) continue;
    const path = rule.key.split('.');
    const { after, before } = rule.rule;
    const wanted = (after ?? before ?? rule.key).split('.');
    if (wanted !== path && (after ?? before) !== undefined) {
      const side = after === undefined ? 'before' : 'after';
      const hint = suggestPlace(wanted, names);
      report.of(layer, rule)(`${side}: ${wanted.join('.')} is no place in ${where}.${hint}`);
      continue;
    }
    const hint = rule.key.startsWith('Z')
      ? ' Say with after or before where it stands.'
      : suggestPlace(path, names);
    report.of(layer, rule)(`is no place in ${where}.${hint}`);
  }
  for (const { path, scope, origin } of rules) {
    if (scope.layer !== layer || report.isUsed(origin)) continue;
    const place = [...path.groups, path.segment];
    scope.report(`${place.join('.')} is no place in ${where}.${suggestPlace(place, names)}`);
  }
}

/** For the first name of a path that is none. */
function suggestPlace(path: readonly string[], names: ReadonlySet<string>): string {
  const unknown = path.find((name) => !names.has(name));
  return unknown === undefined
    ? ' Each of these names exists, but not one in the other; leave out those in front, or name all.'
    : suggest(unknown, names);
}
