import {
  urlOf,
  find,
  tho,
  coded,
  loinc,
  patient,
  observation,
  lab,
  vital,
  amount,
  condition,
  npi,
  report,
  coverage,
  document,
  race,
  text,
  omb,
  cdc,
} from './us-core-support.ts';

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
