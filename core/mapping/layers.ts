import type { MapDocument } from './document.ts';
import { applyResources } from './layer-resources.ts';
import { suggestMeant } from '../suggest.ts';
import type { V2MessageMapDocument, V2PartDocument } from './reverse/document.ts';

/** Reports a problem of one rule of a layer's file. */
export type ReportRule = (rule: string, message: string) => void;

/** A map with one of a layer over it; undefined where they are of different kinds. */
export function applyLayer(
  base: MapDocument,
  over: MapDocument,
  report: ReportRule,
): MapDocument | undefined {
  if (base.kind === 'MessageMap' || base.kind === 'MessageBlock') {
    if (over.kind !== base.kind) return undefined;
    return { ...base, resources: applyResources(base.resources, over.resources, report) };
  }
  if (base.kind === 'V2MessageMap') {
    return over.kind === 'V2MessageMap' ? applyParts(base, over, report) : undefined;
  }
  if ('resources' in over || over.kind === 'V2MessageMap') return undefined;
  if (base.kind === 'V2Map') {
    if (over.kind !== 'V2Map') return undefined;
    return { ...base, rules: applyRules(base.rules, over.rules, report) };
  }
  if (base.kind === 'FhirMap') {
    if (over.kind !== 'FhirMap') return undefined;
    return { ...base, rules: applyRules(base.rules, over.rules, report) };
  }
  if (over.kind !== base.kind) return undefined;
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
  const known = base.map(({ id }) => id);
  const seen = new Set<string>();
  for (const rule of layer) {
    if (seen.has(rule.id)) {
      report(rule.id, 'There is another rule with this id in the file');
      continue;
    }
    seen.add(rule.id);
    const position = rules.findIndex((known) => known.id === rule.id);
    if (rule.override === 'add') {
      if (position < 0) rules.push(rule);
      else
        report(rule.id, 'override: add, but the map has a rule with this id already; use replace');
    } else if (rule.override === undefined) {
      report(rule.id, 'override: expected replace, disable or add in a layer');
    } else if (position < 0) {
      const end = suggestMeant(rule.id, known);
      report(rule.id, `override: ${rule.override}, but the map has no rule with this id${end}`);
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

/** Whether a file changes another map instead of being one. */
export function isLayer(document: MapDocument): boolean {
  return document.extends !== undefined;
}
