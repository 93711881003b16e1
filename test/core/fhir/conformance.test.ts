import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readConformance } from '../../../connectors/file/conformance-files.ts';
import { buildConformanceCheck } from '../../../core/fhir/conformance.ts';

const site = mkdtempSync(path.join(tmpdir(), 'hilum-fhir-profiles-'));
afterAll(() => rmSync(site, { recursive: true }));

/** A site's own: a patient has a language of its list. */
const element = (name: string, more: object) => ({
  ...{ id: `Patient${name}`, path: `Patient${name}`, min: 0, max: '1' },
  ...{ base: { path: `Patient${name}`, min: 0, max: '1' }, ...more },
});
writeFileSync(
  path.join(site, 'acme.json'),
  JSON.stringify({
    resourceType: 'Bundle',
    type: 'collection',
    entry: [
      {
        resource: {
          ...{ resourceType: 'StructureDefinition', id: 'acme-patient', name: 'AcmePatient' },
          ...{ url: 'urn:acme:patient', status: 'active', kind: 'resource', abstract: false },
          ...{ type: 'Patient', derivation: 'constraint' },
          baseDefinition: 'http://hl7.org/fhir/StructureDefinition/Patient',
          snapshot: {
            element: [
              element('', { max: '*' }),
              element('.language', {
                min: 1,
                type: [{ code: 'code' }],
                binding: { strength: 'required', valueSet: 'urn:acme:languages' },
              }),
            ],
          },
        },
      },
      {
        resource: {
          ...{ resourceType: 'ValueSet', url: 'urn:acme:languages', status: 'active' },
          compose: { include: [{ system: 'urn:ietf:bcp:47', concept: [{ code: 'de' }] }] },
        },
      },
    ],
  }),
);

const check = buildConformanceCheck(readConformance(site));
const find = (resource: object, profiles: readonly string[] = []) =>
  check(resource, profiles).map(
    ({ severity, code, location }) => `${severity} ${code} ${location}`,
  );

const patient = { resourceType: 'Patient', name: [{ family: 'Low' }] };
const observation = { resourceType: 'Observation', status: 'final', code: { text: 'x' } };
const usCore = 'http://hl7.org/fhir/us/core/StructureDefinition';

/** A resource with one fault, and what is found. */
const faults: readonly (readonly [string, object, string])[] = [
  [
    'an invariant of a part',
    { ...patient, contact: [{ gender: 'male' }] },
    'error fhir-invariant Patient.contact[0]',
  ],
  [
    'an invariant of a resource',
    { ...observation, valueString: 'x', dataAbsentReason: { text: 'none' } },
    'error fhir-invariant Observation',
  ],
  [
    'an invariant that @medplum/core leaves out',
    { resourceType: 'Organization', active: true },
    'error fhir-invariant Organization',
  ],
  [
    'what is contained and nobody refers to',
    { ...observation, contained: [{ ...patient, id: 'p' }] },
    'error fhir-invariant Observation.contained[0]',
  ],
  [
    'a required element that is missing',
    { resourceType: 'Observation', status: 'final' },
    'error fhir-structure Observation.code',
  ],
  [
    'a date that there is not',
    { ...patient, birthDate: '2001-02-29' },
    'error fhir-structure Patient.birthDate',
  ],
  [
    'two values of one choice',
    { ...observation, component: [{ code: { text: 'x' }, valueString: 'x', valueInteger: 1 }] },
    'error fhir-structure Observation.component[0]',
  ],
  [
    'a code of no required value set',
    { ...patient, gender: 'feminine' },
    'error fhir-code Patient.gender',
  ],
  [
    'a concept of which no coding is in a required value set',
    {
      ...{ resourceType: 'AllergyIntolerance', patient: { reference: 'Patient/1' } },
      ...{ code: { text: 'x' }, clinicalStatus: { coding: [{ system: 'urn:x', code: 'active' }] } },
      verificationStatus: { text: 'confirmed' },
    },
    'error fhir-code AllergyIntolerance.clinicalStatus',
  ],
  [
    'a media type that is none',
    {
      ...{ resourceType: 'DocumentReference', status: 'current' },
      content: [{ attachment: { contentType: 'pdf', url: 'https://x.example/1' } }],
    },
    'error fhir-code DocumentReference.content[0].attachment.contentType',
  ],
  [
    'a reference to another type',
    { ...observation, subject: { reference: 'Practitioner/1' } },
    'error fhir-structure Observation.subject',
  ],
];

it.each(faults)('finds %s', (_name, resource, expected) => {
  expect(find(resource)).toContain(expected);
});

it('finds nothing in what is valid', () => {
  expect(find(patient)).toEqual([]);
  expect(find({ ...observation, subject: { reference: 'urn:uuid:of-another-bundle' } })).toEqual(
    [],
  );
});

it('checks each resource of a Bundle, and where its references lead', () => {
  const bundle = {
    ...{ resourceType: 'Bundle', type: 'collection' },
    entry: [
      { fullUrl: 'urn:uuid:1', resource: { ...patient, contact: [{ gender: 'male' }] } },
      { fullUrl: 'urn:uuid:2', resource: { ...observation, subject: { reference: 'urn:uuid:1' } } },
      {
        fullUrl: 'urn:uuid:3',
        resource: { ...observation, performer: [{ reference: 'urn:uuid:2' }] },
      },
    ],
  };
  expect(find(bundle)).toEqual([
    'error fhir-invariant Bundle.entry[0].resource.contact[0]',
    'error fhir-structure Bundle.entry[2].resource.performer[0]',
  ]);
});

it('checks the invariants of a Bundle', () => {
  expect(
    find({ resourceType: 'Bundle', type: 'transaction', entry: [{ resource: patient }] }),
  ).toEqual(['error fhir-invariant Bundle']);
});

it('checks by the profile that is asked for, by its id or URL, and by the one that a resource claims', () => {
  const expected = expect.arrayContaining([
    'error fhir-structure Patient.identifier',
    'error fhir-structure Patient.gender',
  ]) as unknown;
  expect(find(patient, ['us-core-patient'])).toEqual(expected);
  expect(find(patient, [`${usCore}/us-core-patient|7.0.0`])).toEqual(expected);
  expect(find({ ...patient, meta: { profile: [`${usCore}/us-core-patient`] } })).toEqual(expected);
  expect(find(observation, ['us-core-patient'])).toEqual([]);
});

it('checks an extension by its definition', () => {
  const race = { url: `${usCore}/us-core-race`, extension: [{ url: 'ombCategory' }] };
  expect(find({ ...patient, extension: [race] }).join()).toContain('Patient.extension[0]');
});

it('warns of a profile that a resource claims and nobody knows, and refuses one that is asked for', () => {
  expect(find({ ...patient, meta: { profile: ['urn:x'] } })).toEqual([
    'warning fhir-profile-unknown Patient.meta.profile[0]',
  ]);
  expect(check(patient, ['us-core-pateint'])).toMatchObject([
    { code: 'fhir-profile-unknown', severity: 'error' },
  ]);
});

it('knows the profiles and value sets of a site', () => {
  const own = { resourceType: 'Patient' };
  expect(find(own, ['acme-patient'])).toEqual(['error fhir-structure Patient.language']);
  expect(find({ ...own, language: 'fr' }, ['urn:acme:patient'])).toEqual([
    'error fhir-code Patient.language',
  ]);
  expect(find({ ...own, language: 'de' }, ['urn:acme:patient'])).toEqual([]);
});

it('says no value of the resource', () => {
  const secret = 'Low^Al of no type';
  const issues = check(
    {
      ...{ ...patient, gender: secret, birthDate: secret },
      ...{ generalPractitioner: [{ reference: secret }], meta: { profile: [secret] } },
    },
    [],
  );
  expect(issues.length).toBeGreaterThan(2);
  expect(JSON.stringify(issues)).not.toContain('Low');
});

it.each([
  ['a coding that is null', [null]],
  ['codings that are no list', {}],
  ['a system that every object has', [{ system: 'constructor', code: 'active' }]],
])('says what is wrong with %s', (_name, coding) => {
  const allergy = {
    ...{ resourceType: 'AllergyIntolerance', patient: { reference: 'Patient/1' } },
    ...{ code: { text: 'x' }, clinicalStatus: { coding } },
  };
  expect(find(allergy).join()).toContain('AllergyIntolerance.clinicalStatus');
});

it('says what it can of a Bundle with an entry that is null', () => {
  const bundle = { resourceType: 'Bundle', type: 'collection', entry: [null, { resource: {} }] };
  expect(() => find(bundle)).not.toThrow();
});
