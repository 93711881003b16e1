import {
  check,
  urlOf,
  find,
  tho,
  subject,
  reason,
  coded,
  loinc,
  patient,
  timeless,
  observation,
  lab,
  vital,
  social,
  transmitter,
  amount,
  condition,
  organization,
  npi,
  report,
  coverage,
  document,
  race,
  text,
  omb,
  cdc,
} from './us-core-support.ts';

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
