import type {
  ElementDefinition,
  FieldDefinition,
  SegmentDefinition,
} from '../definitions/definitions.ts';
import {
  applyToElement,
  applyToField,
  atComponent,
  findPathFault,
  unknownElement,
  type ElementScope,
} from './element-rules.ts';
import type { ElementRule, Rule } from './profile.ts';
import type { FieldPath } from './rule-paths.ts';

/** A rule of `fields`, ready to be applied. */
export interface FieldRule {
  readonly path: FieldPath;
  readonly rule: ElementRule;
  readonly scope: ElementScope;
  /** As it was read. */
  readonly origin: Rule<ElementRule>;
}

/** A segment with rules over it, in their order. */
export function applyFieldRules(
  segment: SegmentDefinition,
  rules: readonly FieldRule[],
): SegmentDefinition {
  const fields = [...segment.fields];
  for (const { path, rule, scope } of rules) {
    const isOwn = path.segment.startsWith('Z');
    const known = fields[path.field - 1];
    if (known === undefined && !isOwn && rule.datatype === undefined) {
      const { version } = scope.definitions;
      scope.report(
        `${segment.name} has ${segment.fields.length} fields in HL7 ${version}; to allow one more, give its datatype`,
      );
      continue;
    }
    while (fields.length < path.field) fields.push(unknownField);
    const field = fields[path.field - 1] ?? unknownField;
    const changed =
      path.parts.length === 0
        ? applyToField(field, rule, scope)
        : applyBelow(field, path.parts, { rule, scope });
    fields[path.field - 1] = { ...changed, isAgreed: true };
  }
  return { name: segment.name, fields };
}

const unknownField: FieldDefinition = { ...unknownElement, min: 0, max: Infinity };

/** Applies a rule to a component or sub-component of an element. */
export function applyBelow<T extends ElementDefinition>(
  element: T,
  parts: readonly number[],
  { rule, scope }: Pick<FieldRule, 'rule' | 'scope'>,
): T {
  const [position = 1, ...deeper] = parts;
  const fault = findPathFault(element, position, deeper.length === 0 ? rule : {}, scope);
  if (fault !== undefined) {
    scope.report(fault);
    return element;
  }
  if (rule.min !== undefined || rule.max !== undefined) {
    scope.report('min and max are for fields: a component does not repeat; use usage');
  }
  return atComponent(element, position, scope, (component) =>
    deeper.length === 0
      ? applyToElement(component, rule, scope)
      : applyBelow(component, deeper, { rule, scope }),
  );
}
