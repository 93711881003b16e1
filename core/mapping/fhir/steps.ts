import type { MapContext } from '../map-context.ts';
import { type Draft, isPlainObject } from '../target.ts';
import type { FhirMapDocument } from './document.ts';
import { compileFhirRule, type FhirStep } from './rule.ts';

/** The rules of a map from FHIR to FHIR, compiled; what is wrong with them is pushed to the issues. */
export function compileSteps(
  document: FhirMapDocument,
  { path, tables, issues }: MapContext,
): readonly FhirStep[] {
  const known = new Set<string>();
  const report = (message: string, rule?: string): void => {
    const location = rule === undefined ? path : `${path}:${rule}`;
    issues.push({ code: 'mapping-invalid', severity: 'error', location, message });
  };
  const { id, source, target, rest = 'keep' } = document;
  if (rest === 'keep' && source?.fhir !== target?.fhir) {
    report('rest: what stays must be of the same type; say rest: leave, and map each element');
  }
  return document.rules.map((rule) => {
    if (known.has(rule.id)) report('There is another rule with this id in the map', rule.id);
    known.add(rule.id);
    const context = { mapId: id, tables, report: (text: string) => report(text, rule.id) };
    return compileFhirRule(rule, context);
  });
}

/** Says in a resource of which profile it is. */
export function claim(output: Draft, profile: string | undefined): void {
  if (profile === undefined) return;
  const meta = isPlainObject(output['meta']) ? output['meta'] : {};
  output['meta'] = { ...meta, profile: [profile] };
}
