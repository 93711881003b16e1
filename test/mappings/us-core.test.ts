import { readConformance } from '../../connectors/file/conformance-files.ts';
import { openFhirValidator } from '../../connectors/file/fhir-schema.ts';
import { openMapper } from '../../connectors/file/mapping-files.ts';
import { buildConformanceCheck } from '../../core/fhir/conformance.ts';
import { findHolders } from '../../core/fhir/profile/find-values.ts';
import type { FhirProfile, SliceRule } from '../../core/fhir/profile/profile.ts';
import { includes } from '../../core/mapping/reverse/node.ts';
import {
  mappingsFolder,
  openShippedMapper,
  readMessageCases,
  toMessage,
  toParsed,
} from './support.ts';
import { notClaimed, notInV2, ofQuantity } from './us-core-support.ts';

const mapper = openMapper(mappingsFolder, ['us-core']);
const female = toParsed(
  [
    'MSH|^~\\&|ADTAPP|HOSP|EHRAPP|EHR|20260102093000+0100||ADT^A08^ADT_A01|M1|P|2.5.1',
    'PID|1||C3^^^ALPHA^MR||Low^Al|||F||2106-3^White^HL70005',
  ].join('\r'),
);

test('the administrative sex alone says nothing of the sex at birth', () => {
  const text = JSON.stringify(mapper.map(female).resource);
  expect(text).toContain('us-core-race');
  expect(text).not.toContain('us-core-birthsex');
});

test('without the layer there is none of it, and the race is listed as used by no rule', () => {
  const { resource, unconsumed } = openShippedMapper().map(female);
  expect(JSON.stringify(resource)).not.toContain('us-core');
  expect(unconsumed).toContain('PID-10');
});

const conformance = readConformance(undefined);
const check = buildConformanceCheck(conformance);
const cases = readMessageCases().filter(
  ({ layers }) => layers.length === 0 || layers.includes('us-core'),
);
const mapped = cases.map((one) => ({ one, resource: mapper.map(toMessage(one)).resource }));

/** Cases whose message US Core would not have: what it lacks or has wrong, once for each resource. */
const faulty: Readonly<Record<string, readonly string[]>> = {
  'the requester and status of an order control code': ['us-core-16', 'us-core-17'],
  'an order without a patient': ['subject', 'subject'],
  'a control that is of no patient': ['subject', 'subject'],
};

describe.each(mapped)('$one.file: $one.name', ({ one, resource }) => {
  test('makes valid FHIR that conforms to the profiles of US Core that it claims', () => {
    expect(openFhirValidator()(resource)).toEqual([]);
    const errors = check(structuredClone(resource), [])
      .filter(({ severity }) => severity === 'error')
      .map(({ location = '', message }) => `${location}: ${message}`);
    const expected = (faulty[one.name] ?? []).map(
      (text) => expect.stringContaining(text) as unknown,
    );
    expect(errors).toEqual(expected);
  });
});

const resources = mapped.flatMap(({ resource }) =>
  (resource?.entry ?? []).flatMap((entry) => entry.resource ?? []),
);

/** Each element of a profile that must be supported, and whether any case has it: `category:us-core` of a slice. */
function findSupported(profile: FhirProfile): readonly (readonly [string, boolean])[] {
  const own = resources.filter(({ meta }) => meta?.profile?.includes(profile.url));
  return profile.elements.flatMap(({ path, support, slices = [] }) => {
    const values = own
      .flatMap((resource) => findHolders(resource, '', path).flatMap(({ found }) => found))
      .flatMap(({ value }) => (value === undefined ? [] : [value]));
    const ofSlices = slices
      .filter((slice) => slice.support !== undefined)
      .map((slice) => [`${path}:${slice.name}`, values.some((one) => isOf(one, slice))] as const);
    return support === undefined ? ofSlices : [[path, values.length > 0] as const, ...ofSlices];
  });
}

function isOf(value: unknown, { pattern, codes }: SliceRule): boolean {
  if (codes === undefined) return includes(value, pattern);
  const { coding = [] } = value as { readonly coding?: readonly { readonly code?: string }[] };
  const known = Object.values(conformance.valueSets.get(codes) ?? {}).flat();
  return coding.some(({ code = '' }) => known.includes(code));
}

const profiles = conformance.profiles.filter(({ type }) => type !== 'Extension');

test('every resource of a type that US Core knows claims a profile of it', () => {
  const types = new Set<string>(profiles.map(({ type }) => type));
  types.delete('Device');
  const without = resources.filter(({ resourceType, meta }) => {
    const isOfUsCore = meta?.profile?.some((url) => profiles.some((one) => one.url === url));
    return types.has(resourceType) && isOfUsCore !== true;
  });
  // A member of a team with two roles.
  expect(without.map(({ resourceType }) => resourceType)).toEqual(['CareTeam']);
});

test('every profile is claimed, or has a reason why not', () => {
  const claimed = new Set(resources.flatMap(({ meta }) => meta?.profile ?? []));
  const missing = profiles.filter(({ url }) => !claimed.has(url)).map(({ id }) => id);
  expect(missing.sort()).toEqual(Object.keys(notClaimed).sort());
});

describe.each(profiles.filter(({ id }) => !(id in notClaimed)))('$id', (profile) => {
  test('what must be supported is made by a case, or is nowhere in HL7 v2', () => {
    const isQuantity = profile.elements.some(({ path }) => path === 'valueQuantity.code');
    const reasons = { ...(isQuantity ? ofQuantity : {}), ...notInV2[profile.id] };
    const missing = findSupported(profile).filter(([, isThere]) => !isThere);
    expect(missing.map(([path]) => path).sort()).toEqual(Object.keys(reasons).sort());
  });
});
