import type {
  ForEachDocument,
  MapDocument,
  MessageMapDocument,
  ResourceDocument,
  RuleDocument,
} from './document.ts';

/** Reports a problem of one rule of a layer's file. */
export type ReportRule = (rule: string, message: string) => void;

/** The rules of a map with those of one layer over them: replaced in place, disabled, or added at the end. */
export function applyRules(
  base: readonly RuleDocument[],
  layer: readonly RuleDocument[],
  report: ReportRule,
): RuleDocument[] {
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

/** The resources of a message map with those of one layer: disabled by id, or added at the end. */
export function applyResources(
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
