import type {
  ConditionalUsage,
  ElementDefinition,
  FieldDefinition,
  Usage,
  VersionDefinitions,
} from '../definitions/definitions.ts';
import { resolveCodes } from './code-sets.ts';
import { compileCondition } from './condition.ts';
import { compilePattern } from './pattern.ts';
import type { ElementRule, ProfileLayer } from './profile.ts';

/** What a rule is applied with. */
export interface ElementScope {
  /** The segment that the rule is about; undefined for a rule of a datatype. */
  readonly segment: string | undefined;
  readonly layer: ProfileLayer;
  readonly layers: readonly ProfileLayer[];
  readonly definitions: VersionDefinitions;
  readonly report: (message: string) => void;
}

/** A field with a rule over it: as an element, and how often. */
export function applyToField(
  field: FieldDefinition,
  rule: ElementRule,
  scope: ElementScope,
): FieldDefinition {
  const element = applyToElement(field, rule, scope);
  const { usage } = element;
  let min = field.min;
  if (rule.min !== undefined) min = Number(rule.min);
  else if (rule.usage !== undefined) min = usage === 'R' ? Math.max(1, min) : 0;
  const max = rule.max === undefined ? field.max : toMax(rule.max);
  if (min > max) {
    const [what, at] =
      rule.max === undefined ? [`min: ${min}`, max] : [`max: ${rule.max}`, `${min} to be there`];
    scope.report(`${what} contradicts the other bound (${at})`);
  }
  if (min > 0 && (usage === 'O' || usage === 'X')) {
    scope.report(`min: ${min} needs usage R, RE or C, found ${usage}`);
  }
  return { ...element, min, max };
}

/** `*` is without end. */
export function toMax(text: string): number {
  return text === '*' ? Infinity : Number(text);
}

/** A field, component or sub-component with a rule over it. */
export function applyToElement<T extends ElementDefinition>(
  element: T,
  rule: ElementRule,
  scope: ElementScope,
): T {
  let changed = element;
  if (rule.name !== undefined) changed = { ...changed, name: rule.name };
  if (rule.datatype !== undefined) changed = withDatatype(changed, rule.datatype, scope);
  changed = withUsage(changed, rule, scope);
  if (rule.length !== undefined) changed = withLength(changed, rule.length, scope);
  if (rule.codes !== undefined || rule.pattern !== undefined) {
    changed = withCodes(changed, rule, scope);
  }
  if (rule.fixed !== undefined) changed = withFixed(changed, rule.fixed, scope);
  checkAbsent(rule, changed.usage, scope);
  return changed;
}

function withDatatype<T extends ElementDefinition>(
  element: T,
  datatype: string,
  { definitions, report }: ElementScope,
): T {
  if (!isDatatype(datatype, definitions)) {
    report(`datatype: HL7 ${definitions.version} has no datatype ${datatype}`);
    return element;
  }
  const { components, ...rest } = element;
  return { ...(rest as T), datatype };
}

/** `varies`, and those that have no components, may not be listed. */
const primitives = new Set('varies ST TX FT ID IS NM SI SNM DT TM DTM GTS TN TS'.split(' '));

function isDatatype(name: string, definitions: VersionDefinitions): boolean {
  return primitives.has(name) || definitions.findDatatype(name) !== undefined;
}

const conditional = /^C\((RE|R|O|X)\/(RE|R|O|X)\)$/;

function withUsage<T extends ElementDefinition>(
  element: T,
  rule: ElementRule,
  scope: ElementScope,
): T {
  const { usage, when } = rule;
  if (usage === undefined) {
    for (const key of ['when', 'then', 'otherwise'] as const) {
      if (rule[key] !== undefined) scope.report(`${key} needs usage: C or C(R/O) in the same rule`);
    }
    return element;
  }
  const { condition, ...rest } = element;
  const [isBoth, first, second] = conditional.exec(usage) ?? [];
  if (!usage.startsWith('C')) {
    if (when !== undefined) scope.report(`when needs usage: C or C(R/O), found ${usage}`);
    return { ...(rest as T), usage: usage as Usage };
  }
  if (when === undefined) {
    if (isBoth !== undefined) scope.report(`usage: ${usage} needs its condition: when`);
    return { ...(rest as T), usage: 'C' };
  }
  const then = (first ?? rule.then ?? 'R') as Usage;
  const otherwise = (second ?? rule.otherwise ?? 'O') as Usage;
  if (then === otherwise) scope.report(`usage: ${then} whether the condition holds or not`);
  if (isBoth !== undefined && (rule.then ?? rule.otherwise) !== undefined) {
    scope.report(`${usage} says already what then and otherwise say`);
  }
  const built = buildCondition(when, { then, otherwise }, scope);
  return { ...(rest as T), usage: 'C', ...(built === undefined ? {} : { condition: built }) };
}

function buildCondition(
  text: string,
  usages: Pick<ConditionalUsage, 'then' | 'otherwise'>,
  scope: ElementScope,
): ConditionalUsage | undefined {
  const result = compileCondition(text, scope);
  if (result.ok) return { text, holds: result.condition, ...usages };
  scope.report(`when: ${result.message}`);
  return undefined;
}

function withLength<T extends ElementDefinition>(
  element: T,
  text: string,
  { report }: ElementScope,
): T {
  const [from, to] = text.includes('..') ? text.split('..') : ['', text];
  const { minLength, maxLength, conformanceLength, ...rest } = element;
  const min = from === undefined || from === '' ? undefined : Number(from);
  const max = to === undefined || to === '' ? undefined : Number(to);
  if ((min ?? 0) > (max ?? Infinity)) report(`length: ${text} ends before it begins`);
  return {
    ...(rest as T),
    ...(min === undefined ? {} : { minLength: min }),
    ...(max === undefined ? {} : { maxLength: max, isLengthAgreed: true }),
  };
}

/** Types whose codes are said of the whole: the first component is the code, the third its system. */
const codedTypes = new Set(['CE', 'CF', 'CNE', 'CWE', 'CSU']);

function withCodes<T extends ElementDefinition>(
  element: T,
  rule: ElementRule,
  scope: ElementScope,
): T {
  if (rule.pattern !== undefined) {
    if (rule.codes !== undefined) scope.report('pattern and codes exclude one another');
    return atCode(element, scope, (inner) => withPattern(inner, rule.pattern ?? '', scope));
  }
  const { codes: written } = rule;
  if (written === undefined) return element;
  const resolved = resolveCodes(written, { ...scope, element: toCode(element, scope) });
  if (resolved === undefined) return element;
  const { codes, system } = resolved;
  const changed = atCode(element, scope, (inner) => {
    const { fixed, ...rest } = inner;
    return { ...rest, codes };
  });
  if (system === undefined) return changed;
  if (!codedTypes.has(element.datatype)) {
    scope.report(`codes.system needs a coded datatype (CE, CWE, CNE), found ${element.datatype}`);
    return changed;
  }
  return atComponent(changed, 3, scope, (third) => ({ ...third, fixed: system }));
}

function withPattern<T extends ElementDefinition>(
  element: T,
  pattern: string,
  scope: ElementScope,
): T {
  try {
    const has = compilePattern(pattern);
    return { ...element, codes: { name: `the form ${pattern}`, isClosed: true, has } };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    scope.report(`pattern: ${error.message}`);
    return element;
  }
}

function withFixed<T extends ElementDefinition>(element: T, fixed: string, scope: ElementScope): T {
  const { codes } = toCode(element, scope);
  if (codes?.has(fixed) === false) scope.report(`fixed: ${fixed} is not in ${codes.name}`);
  return atFirst(element, scope, (inner) => ({ ...inner, fixed }));
}

function checkAbsent(rule: ElementRule, usage: Usage, { report }: ElementScope): void {
  if (usage !== 'X') return;
  for (const key of ['fixed', 'codes', 'pattern', 'length'] as const) {
    if (rule[key] !== undefined) report(`${key} says something of what must be absent (usage X)`);
  }
}

type Change = (element: ElementDefinition) => ElementDefinition;

function isComposite(element: ElementDefinition, scope: ElementScope): boolean {
  return findComponents(element, scope).length > 0;
}

function findComponents(
  { components, datatype }: ElementDefinition,
  { definitions }: ElementScope,
): readonly ElementDefinition[] {
  return components ?? definitions.findDatatype(datatype)?.components ?? [];
}

/** Where an element's codes are said: itself, or the first part of one that is not coded. */
function atCode<T extends ElementDefinition>(element: T, scope: ElementScope, change: Change): T {
  if (codedTypes.has(element.datatype)) return change(element) as T;
  return atFirst(element, scope, change);
}

function toCode(element: ElementDefinition, scope: ElementScope): ElementDefinition {
  if (codedTypes.has(element.datatype) || !isComposite(element, scope)) return element;
  const [first] = findComponents(element, scope);
  return first === undefined ? element : toCode(first, scope);
}

function atFirst<T extends ElementDefinition>(element: T, scope: ElementScope, change: Change): T {
  if (!isComposite(element, scope)) return change(element) as T;
  return atComponent(element, 1, scope, (first) => atFirst(first, scope, change));
}

/**
 * An element with one of its components changed. A component beyond the last is made; undefined from
 * `change` would say nothing of it. Components of a datatype become the element's own.
 */
export function atComponent<T extends ElementDefinition>(
  element: T,
  position: number,
  scope: ElementScope,
  change: Change,
): T {
  const components = [...findComponents(element, scope)];
  while (components.length < position) components.push(unknownElement);
  const old = components[position - 1] ?? unknownElement;
  components[position - 1] = change(old);
  return { ...element, components };
}

/** What nothing is said of. */
export const unknownElement: ElementDefinition = { name: '', datatype: 'varies', usage: 'O' };

/** What a path to a component says that is wrong; undefined where the component exists or is made by the rule. */
export function findPathFault(
  element: ElementDefinition,
  position: number,
  rule: ElementRule,
  scope: ElementScope,
): string | undefined {
  const known = findComponents(element, scope);
  if (position <= known.length || rule.datatype !== undefined) return undefined;
  const { datatype } = element;
  if (datatype === 'varies') {
    return 'its datatype is told by another field, so its components are not known; give it a datatype';
  }
  if (known.length === 0) return `${datatype} has no components`;
  return `${datatype} has ${known.length} components in HL7 ${scope.definitions.version}; to allow one more, give its datatype`;
}
