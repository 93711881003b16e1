import type {
  ForEachDocument,
  MapDocument,
  MessageMapDocument,
  ResourceDocument,
} from './document.ts';
import type { V2MessageMapDocument, V2PartDocument } from './reverse/document.ts';

/** Reports a problem of one rule of a layer's file. */
export type ReportRule = (rule: string, message: string) => void;

/** A map with one of a layer over it; undefined where they are of different kinds. */
export function applyLayer(
  base: MapDocument,
  over: MapDocument,
  report: ReportRule,
): MapDocument | undefined {
  if (base.kind === 'MessageMap') {
    return over.kind === 'MessageMap' ? applyResources(base, over, report) : undefined;
  }
  if (base.kind === 'V2MessageMap') {
    return over.kind === 'V2MessageMap' ? applyParts(base, over, report) : undefined;
  }
  if (over.kind === 'MessageMap' || over.kind === 'V2MessageMap') return undefined;
  if (base.kind === 'V2Map') {
    if (over.kind !== 'V2Map') return undefined;
    return { ...base, rules: applyRules(base.rules, over.rules, report) };
  }
  if (base.kind === 'FhirMap') {
    if (over.kind !== 'FhirMap') return undefined;
    return { ...base, rules: applyRules(base.rules, over.rules, report) };
  }
  if (over.kind === 'V2Map' || over.kind === 'FhirMap') return undefined;
  return { ...base, rules: applyRules(base.rules, over.rules, report) };
}

/** What a layer may change by its id. */
interface Overridable {
  readonly id: string;
  readonly override?: 'replace' | 'disable' | 'add';
}

/** The rules of a map with those of one layer over them: replaced in place, disabled, or added at the end. */
function applyRules<T extends Overridable>(
  base: readonly T[],
  layer: readonly T[],
  report: ReportRule,
): T[] {
  const rules = [...base];
  for (const rule of layer) {
    const position = rules.findIndex((known) => known.id === rule.id);
    if (rule.override === 'add') {
      if (position < 0) rules.push(rule);
      else
        report(rule.id, 'override: add, but the map has a rule with this id already; use replace');
    } else if (rule.override === undefined) {
      report(rule.id, 'override: expected replace, disable or add in a layer');
    } else if (position < 0) {
      report(rule.id, `override: ${rule.override}, but the map has no rule with this id`);
    } else if (rule.override === 'disable') {
      rules.splice(position, 1);
    } else {
      rules[position] = rule;
    }
  }
  return rules;
}

/** The segments of a message with those of one layer: replaced or disabled by id. */
function applyParts(
  base: V2MessageMapDocument,
  layer: V2MessageMapDocument,
  report: ReportRule,
): V2MessageMapDocument {
  let { segments } = base;
  for (const part of layer.segments) {
    if (part.override === undefined) {
      report(part.id, 'override: expected replace or disable in a layer');
      continue;
    }
    const changed = withoutPart(segments, part);
    if (changed === segments)
      report(part.id, `override: ${part.override}, but the map has no segment with this id`);
    segments = changed;
  }
  return { ...base, segments };
}

/** The same list where the part is nowhere in it. */
function withoutPart(
  parts: readonly V2PartDocument[],
  over: V2PartDocument,
): readonly V2PartDocument[] {
  const result = parts.flatMap((part) => {
    if (part.id === over.id) return over.override === 'disable' ? [] : [over];
    const inner = part.segments && withoutPart(part.segments, over);
    return [inner === part.segments || inner === undefined ? part : { ...part, segments: inner }];
  });
  const isSame = result.length === parts.length && result.every((part, at) => part === parts[at]);
  return isSame ? parts : result;
}

/** The resources of a message map with those of one layer: disabled by id, or added at the end. */
function applyResources(
  base: MessageMapDocument,
  layer: MessageMapDocument,
  report: ReportRule,
): MessageMapDocument {
  let resources = base.resources;
  for (const resource of layer.resources) {
    if ('forEach' in resource || resource.override === undefined) {
      resources = [...resources, resource];
      continue;
    }
    const before = countResources(resources);
    resources = withoutResource(resources, resource.id);
    if (countResources(resources) === before) {
      report(resource.id, 'override: disable, but the map has no resource with this id');
    }
  }
  return { ...base, resources };
}

type Resources = readonly (ResourceDocument | ForEachDocument)[];

function withoutResource(resources: Resources, id: string): Resources {
  return resources
    .filter((resource) => 'forEach' in resource || resource.id !== id)
    .map((resource) =>
      'forEach' in resource
        ? { ...resource, resources: withoutResource(resource.resources, id) }
        : resource,
    );
}

function countResources(resources: Resources): number {
  let count = 0;
  for (const resource of resources) {
    count += 'forEach' in resource ? countResources(resource.resources) : 1;
  }
  return count;
}

/** Whether a file changes another map instead of being one. */
export function isLayer(document: MapDocument): boolean {
  return document.extends !== undefined;
}
