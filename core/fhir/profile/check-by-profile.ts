import { evalFhirPathTyped, toTypedValue, tryGetDataType, type TypedValue } from '@medplum/core';
import { contains } from '../../contains.ts';
import type { Issue } from '../../issue.ts';
import { isInValueSet } from '../bindings.ts';
import { toRecord } from '../record.ts';
import type { ValueSetCodes } from '../value-sets.ts';
import { type Found, findHolders, type Holder } from './find-values.ts';
import type { ElementProfile, ElementRule, FhirProfile, Invariant, SliceRule } from './profile.ts';

/** A resource or an extension, and where it stands. */
interface Profiled {
  readonly value: unknown;
  readonly location: string;
}

/**
 * What does not conform to a profile. What the type itself requires is not looked at. A binding whose value set is not known
 * is not checked; one that is extensible gives a warning. No message holds a value of the resource.
 */
export function checkByProfile(
  { value, location }: Profiled,
  profile: FhirProfile,
  valueSets: ReadonlyMap<string, ValueSetCodes>,
): readonly Issue[] {
  const check = new Check(valueSets);
  const typed = { type: profile.type, value };
  check.invariants(profile.invariants, typed, location);
  check.elements(profile.elements, typed, location);
  return check.issues;
}

class Check {
  readonly issues: Issue[] = [];
  readonly #valueSets: ReadonlyMap<string, ValueSetCodes>;

  constructor(valueSets: ReadonlyMap<string, ValueSetCodes>) {
    this.#valueSets = valueSets;
  }

  elements(rules: readonly ElementRule[], { type, value }: TypedValue, location: string): void {
    for (const rule of rules) {
      for (const holder of findHolders(value, location, rule.path)) {
        this.#count(rule, holder.found.length, holder.location);
        if (holder.found.length === 0 && rule.slices === undefined) continue;
        const inner = findType(type, rule.path);
        for (const found of holder.found) this.#value(rule, found, inner);
        for (const slice of rule.slices ?? []) this.#slice(slice, holder, inner);
      }
    }
  }

  invariants(invariants: readonly Invariant[], typed: TypedValue, location: string): void {
    for (const { key, holds, says } of invariants) {
      if (isTrue(holds, typed)) continue;
      this.#add('fhir-invariant', location, `Constraint ${key} not met: ${says}`);
    }
  }

  #value(rule: ElementRule, found: Found, inner: string | undefined): void {
    const { value, location, key } = found;
    const { path, types, refs, required, extensible, pattern, invariants = [] } = rule;
    const type = toChoice(path, key);
    if (types !== undefined && type !== undefined && !types.some((one) => isType(one, type))) {
      this.#add('fhir-structure', location, `Expected ${types.join(' or ')}`);
    }
    if (value === undefined) return;
    if (refs !== undefined && !mayReferTo(value, refs)) {
      this.#add('fhir-structure', location, `Expected a reference to ${refs.join(', ')}`);
    }
    if (pattern !== undefined && !contains(value, pattern)) {
      this.#add('fhir-structure', location, 'Expected the value that the profile fixes');
    }
    this.invariants(invariants, toTyped(value, inner), location);
    if (required !== undefined && !this.#isIn(value, required)) {
      const text = `Expected a code of the value set ${required}, found none of it`;
      this.#add('fhir-code', location, text);
    }
    if (extensible !== undefined && isCoded(value) && !this.#isIn(value, extensible)) {
      const text = `Expected a code of the value set ${extensible} where it has one, found none of it`;
      this.#add('fhir-code', location, text, 'warning');
    }
  }

  #slice(slice: SliceRule, { found, location }: Holder, inner: string | undefined): void {
    const { name, pattern, codes, invariants = [], elements } = slice;
    const isKnown = codes === undefined || this.#valueSets.get(codes) != null;
    if (!isKnown) return;
    const isOf = ({ value }: Found): boolean =>
      codes === undefined ? contains(value, pattern) : this.#isIn(value, codes);
    const inside = found.filter(isOf);
    this.#count(slice, inside.length, location, ` in the slice ${name}`);
    for (const one of inside) {
      const typed = toTyped(one.value, inner);
      this.invariants(invariants, typed, one.location);
      this.elements(elements, typed, one.location);
    }
  }

  #count({ min = 0, max }: ElementProfile, count: number, location: string, where = ''): void {
    if (count < min) {
      const text =
        count === 0 ? 'Missing required property' : `Expected at least ${min}, found ${count}`;
      this.#add('fhir-structure', location, `${text}${where}`);
    } else if (max !== undefined && count > max) {
      this.#add('fhir-structure', location, `Expected at most ${max}, found ${count}${where}`);
    }
  }

  #isIn(value: unknown, url: string): boolean {
    return isInValueSet({ type: toBoundType(value), value }, url, this.#valueSets.get(url));
  }

  #add(
    code: string,
    location: string,
    message: string,
    severity: Issue['severity'] = 'error',
  ): void {
    this.issues.push({ code, severity, location, message });
  }
}

/** What does not hold cannot be evaluated either: FHIRPath has no value for it then. */
function isTrue(expression: string, typed: TypedValue): boolean {
  const resource = { '%resource': typed, '%context': typed };
  const [found, ...more] = evalFhirPathTyped(expression, [typed], resource);
  return found?.value === true && more.length === 0;
}

/** The type of an element within another one; undefined for a choice. Without it FHIRPath does not see `_url`. */
function findType(type: string, path: string): string | undefined {
  return path.split('.').reduce<string | undefined>((at, name) => {
    const types = at === undefined ? undefined : tryGetDataType(at)?.elements[name]?.type;
    return types?.length === 1 ? types[0]?.code : undefined;
  }, type);
}

const toTyped = (value: unknown, type: string | undefined): TypedValue =>
  type === undefined ? toTypedValue(value) : { type, value };

/** Of an element that is a choice its type as the key has it: `Quantity`. */
const toChoice = (path: string, key: string): string | undefined =>
  path.endsWith('[x]')
    ? key.slice((path.split('.').at(-1) ?? '').length - '[x]'.length)
    : undefined;

const isType = (type: string, name: string): boolean =>
  type.charAt(0).toUpperCase() + type.slice(1) === name;

/** What a reference leads to is only known where it says the type. */
function mayReferTo(value: unknown, types: readonly string[]): boolean {
  const { reference, type } = toRecord(value);
  const [, named] = /(?:^|\/)([A-Z]\w+)\/[^/]+$/.exec(String(reference)) ?? [];
  const found = named ?? type;
  return typeof found !== 'string' || types.includes(found);
}

function toBoundType(value: unknown): string {
  if (typeof value !== 'object' || value === null) return 'code';
  return 'coding' in value || 'text' in value ? 'CodeableConcept' : 'Coding';
}

const absent = 'http://terminology.hl7.org/CodeSystem/data-absent-reason';

/** Text alone, and the reason why there is no code, may stand in the place of a code that is extensible. */
function isCoded(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  const { coding } = toRecord(value);
  const codings = Array.isArray(coding) ? coding.map(toRecord) : [toRecord(value)];
  return codings.some(({ system, code }) => code !== undefined && system !== absent);
}
