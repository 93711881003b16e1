import type { DatatypeDefinition, VersionDefinitions } from '../definitions/definitions.ts';
import type { ElementScope } from './element-rules.ts';
import { applyBelow, type FieldRule } from './field-rules.ts';
import type { ItemRule, Profile, ProfileLayer, Rule } from './profile.ts';
import type { RuleReport } from './report.ts';
import { parseDatatypePath, parseFieldPath } from './rule-paths.ts';
import type { Addition, StructureRule } from './structure-rules.ts';

interface RuleContext {
  readonly profile: Profile;
  readonly definitions: VersionDefinitions;
  readonly report: RuleReport;
}

/**
 * The rules of fields in the order in which they apply: layer by layer, a whole before its parts, anywhere
 * before at a place.
 */
export function readFieldRules(context: RuleContext): readonly FieldRule[] {
  return context.profile.layers.flatMap((layer) =>
    layer.fields
      .flatMap((origin): FieldRule[] => {
        const path = parseFieldPath(origin.key);
        const scope = toScope(context, layer, { rule: origin, segment: path?.segment });
        if (path !== undefined) return [{ path, rule: origin.rule, scope, origin }];
        scope.report('expected a field or component, such as PID-3, PID-3.1, OBSERVATION.OBX-5');
        return [];
      })
      .sort(
        ({ path: a }, { path: b }) =>
          a.parts.length - b.parts.length || a.groups.length - b.groups.length,
      ),
  );
}

/** The datatypes that a profile changes, by name. */
export function readDatatypes(context: RuleContext): ReadonlyMap<string, DatatypeDefinition> {
  const { profile, definitions } = context;
  const datatypes = new Map<string, DatatypeDefinition>();
  for (const layer of profile.layers) {
    const rules = layer.datatypes
      .map((rule) => ({ rule, path: parseDatatypePath(rule.key) }))
      .sort((a, b) => (a.path?.parts.length ?? 0) - (b.path?.parts.length ?? 0));
    for (const { rule, path } of rules) {
      const scope = toScope(context, layer, { rule, segment: undefined });
      if (path === undefined) {
        scope.report('expected a component of a datatype, such as CX.4');
        continue;
      }
      const datatype = datatypes.get(path.datatype) ?? definitions.findDatatype(path.datatype);
      if (datatype === undefined) {
        scope.report(`HL7 ${definitions.version} has no datatype ${path.datatype} with components`);
        continue;
      }
      const { name, components } = datatype;
      const whole = { name, datatype: name, usage: 'O', components } as const;
      const changed = applyBelow(whole, path.parts, { rule: rule.rule, scope });
      datatypes.set(name, { name, components: changed.components });
    }
  }
  return datatypes;
}

function toScope(
  { profile, definitions, report }: RuleContext,
  layer: ProfileLayer,
  { rule, segment }: { readonly rule: Rule<unknown>; readonly segment: string | undefined },
): ElementScope {
  return { segment, layer, layers: profile.layers, definitions, report: report.of(layer, rule) };
}

const place = /^[A-Z][A-Z0-9_]*(?:\.[A-Z][A-Z0-9_]*)*$/;

/** The rules of segments and groups, and the segments that they add; a later layer changes an addition. */
export function readItemRules({ profile, report }: RuleContext): {
  readonly items: readonly StructureRule[];
  readonly additions: readonly Addition[];
} {
  const items: StructureRule[] = [];
  const additions = new Map<string, Addition>();
  for (const layer of profile.layers) {
    const own: StructureRule[] = [];
    for (const origin of layer.segments) {
      const tell = report.of(layer, origin);
      if (!place.test(origin.key)) {
        tell('expected a segment or group, such as PV1, ORDER_OBSERVATION.OBR');
        report.use(origin);
        continue;
      }
      const use = () => report.use(origin);
      own.push({ path: origin.key.split('.'), rule: origin.rule, report: tell, use });
      const addition = toAddition(origin, tell, use);
      if (addition !== undefined) additions.set(origin.key, addition);
    }
    items.push(...own.sort((a, b) => a.path.length - b.path.length));
  }
  return { items, additions: [...additions.values()] };
}

function toAddition(
  { key, rule }: Rule<ItemRule>,
  report: (message: string) => void,
  use: () => void,
): Addition | undefined {
  const { after, before } = rule;
  const anchor = after ?? before;
  if (anchor === undefined) return undefined;
  if (after !== undefined && before !== undefined) {
    report('after and before exclude one another');
    return undefined;
  }
  if (!/^[A-Z][A-Z0-9]{2}$/.test(key)) {
    report(
      `${after === undefined ? 'before' : 'after'} adds a segment, such as ZPI; name it alone`,
    );
    return undefined;
  }
  const side = after === undefined ? 'before' : 'after';
  return { name: key, side, anchor: anchor.split('.'), report, use };
}
