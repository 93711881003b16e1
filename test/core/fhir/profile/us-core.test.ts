import { readConformance } from '../../../../connectors/file/conformance-files.ts';
import { buildConformanceCheck } from '../../../../core/fhir/conformance.ts';

const check = buildConformanceCheck(readConformance(undefined));
const urlOf = (id: string): string => `http://hl7.org/fhir/us/core/StructureDefinition/${id}`;

/** What is found in a resource that claims a profile, each as `severity code location`. */
const find = (profile: string, resource: object): readonly string[] =>
  check({ ...resource, meta: { profile: [urlOf(profile)] } }, []).map(
    ({ severity, code, location }) => `${severity} ${code} ${location}`,
  );

const us = 'http://hl7.org/fhir/us/core';
const tho = 'http://terminology.hl7.org/CodeSystem';
const subject = { reference: 'Patient/1' };
const reason = (valueCode: string) => ({
  extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode }],
});
const coded = (system: string, code: string) => ({ coding: [{ system, code }] });
const loinc = (code: string) => coded('http://loinc.org', code);

const patient = {
  ...{ resourceType: 'Patient', name: [{ family: 'Low' }], gender: 'female' },
  identifier: [{ system: 'urn:oid:2.16.840.1.999.9', value: 'C3' }],
};
const timeless = { resourceType: 'Observation', status: 'final', subject };
const observation = { ...timeless, effectiveDateTime: '2026-01-02', code: loinc('2093-3') };
const lab = { ...observation, category: [coded(`${tho}/observation-category`, 'laboratory')] };
const vital = { ...observation, category: [coded(`${tho}/observation-category`, 'vital-signs')] };
const social = coded(`${tho}/observation-category`, 'social-history');
const transmitter = {
  type: coded(`${us}/CodeSystem/us-core-provenance-participant-type`, 'transmitter'),
  who: { reference: 'Organization/1' },
};
const amount = (value: number, code: string) => ({
  ...{ value, unit: code, system: 'http://unitsofmeasure.org', code },
});
const condition = { resourceType: 'Condition', subject, code: { text: 'x' } };
const organization = { resourceType: 'Organization', active: true, name: 'Hospital' };
const npi = (value: string) => ({
  ...organization,
  identifier: [{ system: 'http://hl7.org/fhir/sid/us-npi', value }],
});
const report = {
  ...{ resourceType: 'DiagnosticReport', status: 'final', subject, code: loinc('24331-1') },
  ...{ category: [coded(`${tho}/v2-0074`, 'LAB')], effectiveDateTime: '2026-01-02' },
  issued: '2026-01-02T10:00:00Z',
};
const coverage = {
  ...{ resourceType: 'Coverage', status: 'active', beneficiary: subject, subscriberId: 'S1' },
  ...{ relationship: coded(`${tho}/subscriber-relationship`, 'self') },
  payor: [{ reference: 'Organization/1' }],
};
const document = {
  ...{ resourceType: 'DocumentReference', status: 'current', subject, type: loinc('34133-9') },
  category: [coded(`${us}/CodeSystem/us-core-documentreference-category`, 'clinical-note')],
  content: [{ attachment: { contentType: 'text/plain', data: 'eA==' } }],
};
const race = (...extension: readonly object[]) => ({
  ...patient,
  extension: [{ url: urlOf('us-core-race'), extension }],
});
const text = { url: 'text', valueString: 'White' };
const omb = (system: string, code: string) => ({
  url: 'ombCategory',
  valueCoding: { system, code },
});
const cdc = 'urn:oid:2.16.840.1.113883.6.238';

describe('a resource that conforms has no issues', () => {
  it.each([
    ['us-core-patient', patient],
    ['us-core-patient', { ...patient, name: [reason('unknown')] }],
    ['us-core-patient', race(omb(cdc, '2106-3'), text)],
    ['us-core-patient', race(omb(`${tho}/v3-NullFlavor`, 'ASKU'), text)],
    [
      'us-core-patient',
      race({ url: 'detailed', valueCoding: { system: cdc, code: '2034-7' } }, text),
    ],
    [
      'us-core-patient',
      race({ url: 'detailed', valueCoding: { system: `${tho}/v3-NullFlavor`, code: 'OTH' } }, text),
    ],
    ['us-core-organization', npi('1234567893')],
    ['us-core-organization', { ...organization, active: undefined, _active: reason('unknown') }],
    ['us-core-observation-lab', { ...lab, valueQuantity: amount(180, 'mg/dL') }],
    ['us-core-observation-lab', { ...lab, dataAbsentReason: { text: 'lost' } }],
    ['us-core-observation-clinical-result', { ...lab, valueString: 'clear' }],
    ['us-core-body-weight', { ...vital, code: loinc('29463-7'), valueQuantity: amount(70, 'kg') }],
    [
      'us-core-smokingstatus',
      {
        ...{ ...timeless, effectivePeriod: { start: '2026' }, category: [social] },
        code: coded('http://snomed.info/sct', '401201003'),
        valueQuantity: amount(20, '{PackYears}'),
      },
    ],
    [
      'us-core-observation-occupation',
      { ...observation, code: loinc('11341-5'), valueCodeableConcept: { text: 'Nurse' } },
    ],
    [
      'us-core-provenance',
      {
        ...{ resourceType: 'Provenance', recorded: '2026-01-02T10:00:00Z' },
        ...{ target: [subject], agent: [transmitter, transmitter] },
      },
    ],
    [
      'us-core-goal',
      {
        ...{ resourceType: 'Goal', lifecycleStatus: 'active', description: { text: 'x' } },
        subject: { reference: 'Group/1' },
      },
    ],
    [
      'us-core-condition-problems-health-concerns',
      { ...condition, category: [coded(`${tho}/condition-category`, 'problem-list-item')] },
    ],
    ['us-core-diagnosticreport-lab', report],
    ['us-core-coverage', coverage],
    ['us-core-documentreference', document],
    ['us-core-documentreference', { ...document, type: coded(`${tho}/v3-NullFlavor`, 'UNK') }],
  ] as const)('%s', (profile, resource) => {
    expect(find(profile, resource)).toEqual([]);
  });
});

const faults: readonly (readonly [string, string, object, string])[] = [
  [
    'an element in an element that is missing',
    'us-core-patient',
    { ...patient, identifier: [...patient.identifier, { value: 'C4' }] },
    'error fhir-structure Patient.identifier[1].system',
  ],
  [
    'an invariant of an element',
    'us-core-patient',
    { ...patient, name: [{ family: 'Low' }, { use: 'old' }] },
    'error fhir-invariant Patient.name[1]',
  ],
  [
    'a state that is none, as a warning',
    'us-core-patient',
    { ...patient, address: [{ state: 'XX' }] },
    'warning fhir-code Patient.address[0].state',
  ],
  [
    'an extension that stands there twice',
    'us-core-patient',
    { ...patient, extension: [...race(text).extension, ...race(text).extension] },
    'error fhir-structure Patient.extension',
  ],
  [
    'a race without its text',
    'us-core-patient',
    race(omb(cdc, '2106-3')),
    'error fhir-structure Patient.extension[0].extension',
  ],
  [
    'a race that is none of the categories',
    'us-core-patient',
    race(omb(cdc, '2034-7'), text),
    'error fhir-code Patient.extension[0].extension[0].valueCoding',
  ],
  [
    'a detailed race that there is not',
    'us-core-patient',
    race({ url: 'detailed', valueCoding: { system: cdc, code: '9999-9' } }, text),
    'error fhir-code Patient.extension[0].extension[0].valueCoding',
  ],
  [
    'a value of another type',
    'us-core-patient',
    race({ url: 'text', valueCode: 'White' }),
    'error fhir-structure Patient.extension[0].extension[0].valueCode',
  ],
  [
    'a sex at birth by a code that it does not have',
    'us-core-patient',
    { ...patient, extension: [{ url: urlOf('us-core-birthsex'), valueCode: 'X' }] },
    'error fhir-code Patient.extension[0].valueCode',
  ],
  [
    'an NPI with a letter',
    'us-core-organization',
    npi('12345A7893'),
    'error fhir-invariant Organization.identifier[0]',
  ],
  [
    'an NPI whose check digit is wrong',
    'us-core-organization',
    npi('1234567894'),
    'error fhir-invariant Organization.identifier[0]',
  ],
  [
    'a problem whose category is none of the value set that the slice requires',
    'us-core-condition-problems-health-concerns',
    { ...condition, category: [coded(`${tho}/condition-category`, 'encounter-diagnosis')] },
    'error fhir-structure Condition.category',
  ],
  [
    'a slice with a pattern that is missing',
    'us-core-observation-lab',
    { ...vital, valueString: 'x' },
    'error fhir-structure Observation.category',
  ],
  [
    'an invariant of the profile that it extends',
    'us-core-observation-lab',
    lab,
    'error fhir-invariant Observation',
  ],
  [
    'a unit that is not of UCUM',
    'us-core-observation-lab',
    { ...lab, valueQuantity: { value: 1, unit: 'mg', system: 'urn:id:L', code: 'mg' } },
    'error fhir-invariant Observation',
  ],
  [
    'a time that is not told to the day',
    'us-core-observation-lab',
    { ...lab, effectiveDateTime: '2026', valueString: 'x' },
    'error fhir-invariant Observation',
  ],
  [
    'a vital sign without a time',
    'us-core-vital-signs',
    { ...vital, effectiveDateTime: undefined, valueQuantity: amount(70, 'kg') },
    'error fhir-structure Observation.effective[x]',
  ],
  [
    'a vital sign of nobody',
    'us-core-vital-signs',
    { ...vital, subject: undefined, valueQuantity: amount(70, 'kg') },
    'error fhir-structure Observation.subject',
  ],
  [
    'the category of vital signs with a code of another system in it',
    'us-core-vital-signs',
    {
      ...{ ...vital, valueQuantity: amount(70, 'kg') },
      category: [
        { coding: [...vital.category.flatMap(({ coding }) => coding), { system: 'urn:id:L' }] },
      ],
    },
    'error fhir-structure Observation.category[0].coding[1].system',
  ],
  [
    'a weight that is a length',
    'us-core-body-weight',
    { ...vital, code: loinc('29463-7'), valueQuantity: amount(70, 'cm') },
    'error fhir-code Observation.valueQuantity.code',
  ],
  [
    'another code than the profile fixes',
    'us-core-body-weight',
    { ...vital, valueQuantity: amount(70, 'kg') },
    'error fhir-structure Observation.code',
  ],
  [
    'a blood pressure without the one part',
    'us-core-blood-pressure',
    {
      ...{ ...vital, code: loinc('85354-9') },
      component: [
        { code: loinc('8480-6'), valueQuantity: amount(120, 'mm[Hg]') },
        { code: loinc('8310-5'), valueQuantity: amount(37, 'Cel') },
      ],
    },
    'error fhir-structure Observation.component',
  ],
  [
    'what is wrong within a slice',
    'us-core-blood-pressure',
    {
      ...{ ...vital, code: loinc('85354-9') },
      component: [
        { code: loinc('8480-6'), valueQuantity: amount(16, 'kPa') },
        { code: loinc('8462-4'), valueQuantity: amount(80, 'mm[Hg]') },
      ],
    },
    'error fhir-structure Observation.component[0].valueQuantity.code',
  ],
  [
    'a part of a blood pressure with neither a value nor the reason why not',
    'us-core-blood-pressure',
    {
      ...{ ...vital, code: loinc('85354-9') },
      component: [
        { code: loinc('8480-6'), valueQuantity: amount(120, 'mm[Hg]') },
        { code: loinc('8462-4') },
      ],
    },
    'error fhir-invariant Observation.component[1]',
  ],
  [
    'a part of a blood pressure that is a text',
    'us-core-blood-pressure',
    {
      ...{ ...vital, code: loinc('85354-9') },
      component: [
        { code: loinc('8480-6'), valueQuantity: amount(120, 'mm[Hg]') },
        { code: loinc('8462-4'), valueString: 'low' },
      ],
    },
    'error fhir-structure Observation.component[1].valueString',
  ],
  [
    'a range whose unit is not of UCUM',
    'us-core-observation-lab',
    { ...lab, valueString: 'x', referenceRange: [{ low: { value: 1, system: 'urn:id:L' } }] },
    'error fhir-invariant Observation.referenceRange[0]',
  ],
  [
    'a sexual orientation that is not told, without a reason',
    'us-core-observation-sexual-orientation',
    { ...observation, code: loinc('76690-7') },
    'error fhir-invariant Observation',
  ],
  [
    'a report that does not say when it was issued',
    'us-core-diagnosticreport-lab',
    { ...report, issued: undefined },
    'error fhir-invariant DiagnosticReport',
  ],
  [
    'more than there may be',
    'us-core-coverage',
    { ...coverage, payor: [...coverage.payor, { reference: 'Organization/2' }] },
    'error fhir-structure Coverage.payor',
  ],
  [
    'a reference to another type',
    'us-core-observation-sexual-orientation',
    { ...observation, code: loinc('76690-7'), subject: { reference: 'Device/1' } },
    'error fhir-structure Observation.subject',
  ],
  [
    'a document whose type is no code of LOINC',
    'us-core-documentreference',
    { ...document, type: coded('urn:id:L', 'NOTE') },
    'error fhir-code DocumentReference.type',
  ],
];

it.each(faults)('finds %s', (_name, profile, resource, expected) => {
  expect(find(profile, resource)).toContain(expected);
});

it('names the profile and says no value of the resource', () => {
  const secret = 'of nobody';
  const resource = {
    ...{
      ...patient,
      identifier: [{ value: secret }],
      meta: { profile: [urlOf('us-core-patient')] },
    },
    address: [{ state: secret }],
  };
  const [first, ...others] = check(resource, []);
  expect(first?.message).toBe(
    'Missing required property (profile http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient)',
  );
  expect(JSON.stringify([first, ...others])).not.toContain(secret);
});
