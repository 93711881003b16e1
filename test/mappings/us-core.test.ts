import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { Bundle, Resource } from '@medplum/fhirtypes';
import { parse as parseYaml } from 'yaml';
import { openFhirValidator } from '../../connectors/file/fhir-schema.ts';
import { openMapper } from '../../connectors/file/mapping-files.ts';
import { mappingsFolder, openShippedMapper, readCases, readFact, toMessage } from './support.ts';

const mapper = openMapper(mappingsFolder, ['us-core']);
const header = 'MSH|^~\\&|ADTAPP|HOSP|EHRAPP|EHR|20260102093000+0100||ADT^A08^ADT_A01|M1|P|2.5.1';
const cdcrec = 'urn:oid:2.16.840.1.113883.6.238';
const profile = (name: string): string => `http://hl7.org/fhir/us/core/StructureDefinition/${name}`;

const fired = new Set<string>();
const onRule = (rule: string): void => void fired.add(rule);
const map = (one: Parameters<typeof toMessage>[0]) => mapper.map(toMessage(one), { onRule });

const toBundle = (...segments: string[]): Bundle | null => map({ header, segments }).resource;

/** PID with race (PID-10) and ethnicity (PID-22). */
const toPid = (race: string, ethnicity = ''): string =>
  `PID|1||C3^^^ALPHA^MR||Low^Al|||F||${race}||||||||||||${ethnicity}`;

const findExtension = (bundle: Bundle | null, name: string): unknown => {
  const list = readFact(bundle, 'Patient[0].extension') as { url: string }[] | undefined;
  return list?.find(({ url }) => url === profile(name));
};

describe('race', () => {
  test('has its categories, what is finer, and a text', () => {
    const race = '2106-3^White^HL70005~2034-7^Chinese^CDCREC~X^^L^2028-9^Asian^CDCREC';
    expect(findExtension(toBundle(toPid(race)), 'us-core-race')).toEqual({
      url: profile('us-core-race'),
      extension: [
        { url: 'ombCategory', valueCoding: { system: cdcrec, code: '2106-3', display: 'White' } },
        { url: 'ombCategory', valueCoding: { system: cdcrec, code: '2028-9', display: 'Asian' } },
        { url: 'detailed', valueCoding: { system: cdcrec, code: '2034-7', display: 'Chinese' } },
        { url: 'text', valueString: 'White, Chinese' },
      ],
    });
  });

  test('that is only a code is a text too, and one that is not known is told', () => {
    const result = map({ header, segments: [toPid('W')] });
    expect(findExtension(result.resource, 'us-core-race')).toMatchObject({
      extension: [{ url: 'text', valueString: 'W' }],
    });
    expect(result.issues).toMatchObject([{ code: 'code-unmapped', location: 'PID-10[1]' }]);
  });

  test('is nothing where the message says nothing', () => {
    expect(findExtension(toBundle(toPid('')), 'us-core-race')).toBeUndefined();
  });
});

test.each([
  ['2135-2^Hispanic or Latino^HL70189', cdcrec, '2135-2'],
  ['N^Not Hispanic^HL70189', cdcrec, '2186-5'],
  ['U', 'http://terminology.hl7.org/CodeSystem/v3-NullFlavor', 'UNK'],
])('the ethnicity %s is %s|%s', (ethnicity, system, code) => {
  expect(findExtension(toBundle(toPid('', ethnicity)), 'us-core-ethnicity')).toMatchObject({
    extension: [
      { url: 'ombCategory', valueCoding: { system, code } },
      { url: 'text', valueString: expect.any(String) as string },
    ],
  });
});

test.each([
  ['LA3-6^Female^LN', 'F'],
  ['M', 'M'],
  ['U', 'UNK'],
])('the sex at birth that an observation says is the patient’s: %s', (value, code) => {
  const bundle = toBundle(toPid(''), `OBX|1|CWE|76689-9^Sex assigned at birth^LN||${value}||||||F`);
  expect(findExtension(bundle, 'us-core-birthsex')).toEqual({
    url: profile('us-core-birthsex'),
    valueCode: code,
  });
});

test('the administrative sex alone says nothing of the sex at birth', () => {
  expect(findExtension(toBundle(toPid('')), 'us-core-birthsex')).toBeUndefined();
});

test('a finer ethnicity stands beside its text', () => {
  expect(findExtension(toBundle(toPid('', '2148-5^Mexican^CDCREC')), 'us-core-ethnicity')).toEqual({
    url: profile('us-core-ethnicity'),
    extension: [
      { url: 'detailed', valueCoding: { system: cdcrec, code: '2148-5', display: 'Mexican' } },
      { url: 'text', valueString: 'Mexican' },
    ],
  });
});

describe('what the message lacks is said to be unknown', () => {
  const unknown = {
    url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason',
    valueCode: 'unknown',
  };
  const noCode = {
    coding: [
      { system: 'http://terminology.hl7.org/CodeSystem/data-absent-reason', code: 'unknown' },
    ],
  };
  const bundle = toBundle(
    'PID|1||C3^^^ALPHA^MR',
    'PV1|1|I|||||G1^^Gus||||||||||||V77',
    'OBX|1|NM|1-8^Weight^LN||70|kg|||||F||||LAB7^^L',
    'AL1|1||||Hives',
    'IAM|1||||Rash|A|AI1^ALPHA',
    'DG1|1||||20260101',
    'PR1|1||||20260101',
    'IN1|1||IC1^^^ALPHA||||||GRP|||20260101||||||||||||||||||||||||POL1',
    'IN1|2||IC2^^^ALPHA|||||||GE1^^^ALPHA',
    'PD1|||^^^^^^^^^P77',
  );

  test.each([
    ['Patient[0].name', [{ extension: [unknown] }]],
    ['Patient[0].gender', 'unknown'],
    ['AllergyIntolerance[0].code', noCode],
    ['AllergyIntolerance[1].code', noCode],
    ['Condition[0].code', noCode],
    ['Procedure[0].code', noCode],
    ['Coverage[0].relationship', noCode],
    ['Practitioner[0].name[0]._family', { extension: [unknown] }],
  ])('%s', (fact, value) => {
    expect(readFact(bundle, fact)).toEqual(value);
  });

  test('the name of an organization', () => {
    const names = (bundle?.entry ?? [])
      .map(({ resource }) => resource)
      .filter((resource) => resource?.resourceType === 'Organization')
      .map((resource) => resource as { name?: string; _name?: unknown });
    const unnamed = names.filter(({ name }) => name === undefined);
    expect(unnamed.length).toBeGreaterThanOrEqual(4);
    expect(unnamed.every(({ _name }) => _name !== undefined)).toBe(true);
  });

  test('the type of a specimen', () => {
    const message = [toPid(''), 'OBR|1|P1|F1|24331-1^Lipids^LN', 'SPM|1|^S1'];
    const { resource } = map({ segments: message });
    expect(readFact(resource, 'Specimen[0].type')).toEqual(noCode);
  });
});

test('without the layer there is none of it', () => {
  const message = toMessage({ header, segments: [toPid('2106-3^White^HL70005')] });
  const { resource, unconsumed } = openShippedMapper().map(message);
  expect(findExtension(resource, 'us-core-race')).toBeUndefined();
  expect(unconsumed).toContain('PID-10');
});

/** What the profiles of US Core 7 require (1..) beyond FHIR R4, for the resources that we write. */
const required: Partial<Record<Resource['resourceType'], readonly string[]>> = {
  Patient: ['identifier', 'name', 'gender'],
  Encounter: ['type', 'subject'],
  Condition: ['category', 'code'],
  AllergyIntolerance: ['code'],
  Procedure: ['code'],
  Coverage: ['relationship', 'payor'],
  CareTeam: ['subject', 'participant'],
  DiagnosticReport: ['category', 'code'],
  Specimen: ['type'],
  Organization: ['active', 'name'],
  Practitioner: ['identifier', 'name'],
  RelatedPerson: ['active', 'patient'],
  Location: ['name'],
};

describe.each(readCases())('$file: $name', (one) => {
  const { resource } = map(one);

  test('has all that US Core requires, or says that it is unknown', () => {
    const missing = (resource?.entry ?? []).flatMap(({ resource: found }) => {
      if (found === undefined) return [];
      const has = new Set(Object.keys(found).map((key) => key.replace(/^_/, '')));
      const wanted = required[found.resourceType] ?? [];
      return wanted.filter((key) => !has.has(key)).map((key) => `${found.resourceType}.${key}`);
    });
    expect(missing).toEqual([]);
  });

  test('makes a Bundle of valid FHIR', () => {
    expect(openFhirValidator()(resource)).toEqual([]);
  });
});

test('every rule of the layer is exercised', () => {
  const folder = path.join(mappingsFolder, 'layers/us-core');
  const names = readdirSync(folder)
    .filter((name) => name.endsWith('.map.yaml'))
    .flatMap((name) => {
      const text = readFileSync(path.join(folder, name), 'utf8');
      const file = parseYaml(text) as { id: string; extends?: string; rules?: { id: string }[] };
      return (file.rules ?? []).map((rule) => `${file.extends ?? file.id}#${rule.id}`);
    });
  expect(names.length).toBeGreaterThan(20);
  expect(names.filter((name) => !fired.has(name))).toEqual([]);
});
