import { openDefinitions } from '../../connectors/file/definition-files.ts';
import { openReverseMapper } from '../../connectors/file/mapping-files.ts';
import type { Hl7Message } from '../../core/hl7v2/message.ts';
import type { ReverseOptions, ReverseResult } from '../../core/mapping/reverse.ts';
import { mappingsFolder, toParsed } from './support.ts';

const mapper = openReverseMapper(mappingsFolder);
const base: ReverseOptions = {
  date: '20260102093000+0100',
  definitions: openDefinitions(),
  sender: { application: 'HILUM', facility: 'HOSP^1.2.3^ISO' },
  receiver: { application: 'LAB' },
};

const patient = {
  resourceType: 'Patient',
  id: 'p',
  identifier: [
    {
      system: 'urn:oid:1.2.3.4',
      value: '42',
      type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MR' }] },
    },
  ],
  name: [{ use: 'official', family: 'Low', given: ['Anna', 'Maria', 'Eva'] }],
  gender: 'female',
  birthDate: '1980-05',
};
const subject = { reference: 'Patient/p' };
const requester = {
  resourceType: 'Practitioner',
  id: 'd',
  identifier: [{ system: 'http://hl7.org/fhir/sid/us-npi', value: '1234567893' }],
  name: [{ family: 'Doc', given: ['Dora'] }],
};
const order = {
  resourceType: 'ServiceRequest',
  id: 's',
  status: 'active',
  intent: 'order',
  identifier: [{ system: 'urn:oid:1.2.3', value: 'ORD-1' }],
  code: { coding: [{ system: 'http://loinc.org', code: '24331-1', display: 'Lipids' }] },
  priority: 'stat',
  authoredOn: '2026-01-02T08:00:00Z',
  subject,
  requester: { reference: 'Practitioner/d' },
  note: [{ text: 'fasting | please' }],
  specimen: [{ reference: 'Specimen/sp' }],
};
const specimen = {
  resourceType: 'Specimen',
  id: 'sp',
  type: { coding: [{ system: 'http://snomed.info/sct', code: '119297000' }] },
  collection: { collectedDateTime: '2026-01-02T07:00:00Z' },
};

const toBundle = (...resources: readonly object[]): object => ({
  resourceType: 'Bundle',
  type: 'collection',
  entry: resources.map((resource) => ({ resource })),
});

function make(
  input: unknown,
  options: Partial<ReverseOptions> = {},
): ReverseResult & { v2: Hl7Message } {
  const result = mapper.map(input, { ...base, ...options });
  if (result.message === null) throw new Error(result.issues.map(({ code }) => code).join());
  return { ...result, v2: toParsed(result.message) };
}

const names = (message: Hl7Message): string => message.segments.map(({ name }) => name).join(' ');

describe('an order', () => {
  const orders = toBundle(patient, requester, order, specimen);

  test('becomes an OML_O21 without findings, its values where they belong', () => {
    const { v2, issues, unconsumed, event } = make(orders);
    expect(event).toBe('OML^O21');
    expect(issues).toEqual([]);
    expect(unconsumed).toEqual([]);
    expect(names(v2)).toBe('MSH PID ORC OBR NTE SPM');
    const values = [
      'MSH-3',
      'MSH-4.2',
      'MSH-9.3',
      'PID-3.4.2',
      'PID-5.3',
      'PID-7',
      'ORC-1',
      'ORC-2.1',
    ];
    expect(values.map((path) => v2.get(path))).toEqual([
      'HILUM',
      '1.2.3',
      'OML_O21',
      '1.2.3.4',
      'Maria Eva',
      '198005',
      'NW',
      'ORD-1',
    ]);
    expect(v2.get('OBR-4.3')).toBe('LN');
    expect([v2.get('OBR-5'), v2.get('ORC-7')]).toEqual(['S', '']);
    expect(v2.get('ORC-12.13')).toBe('NPI');
    expect(v2.get('OBR-16.1')).toBe('1234567893');
    expect(v2.get('NTE-3')).toBe('fasting | please');
    expect(v2.text).toContain('fasting \\F\\ please');
    expect(v2.get('SPM-17.1')).toBe('20260102070000+0000');
  });

  test('becomes an ORM_O01 where that is asked for, the specimen in its OBR', () => {
    const { v2 } = make(orders, { event: 'ORM^O01', version: '2.3' });
    expect(names(v2)).toBe('MSH PID ORC OBR NTE');
    expect([v2.get('MSH-9'), v2.get('MSH-12')].join()).toMatch(/^ORM/);
    expect(v2.get('MSH-9.3')).toBeUndefined();
    expect(v2.get('OBR-15.1.1')).toBe('119297000');
  });

  test.each([
    ['revoked', 'CA'],
    ['on-hold', 'HD'],
    ['completed', 'SC'],
    ['active', 'NW'],
  ])('that is %s has the order control code %s', (status, control) => {
    expect(make(toBundle(patient, { ...order, status })).v2.get('ORC-1')).toBe(control);
  });

  test('takes the order control code of a task about it', () => {
    const task = {
      resourceType: 'Task',
      id: 't',
      status: 'cancelled',
      intent: 'order',
      focus: { reference: 'ServiceRequest/s' },
    };
    expect(make(toBundle(patient, order, task)).v2.get('ORC-1')).toBe('CA');
  });
});

describe('a report', () => {
  const pressure = {
    resourceType: 'Observation',
    id: 'o',
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: '85354-9' }] },
    subject,
    effectiveDateTime: '2026-01-02T08:00:00+01:00',
    component: [
      {
        code: { coding: [{ system: 'http://loinc.org', code: '8480-6' }] },
        valueQuantity: { value: 120, unit: 'mmHg' },
      },
      {
        code: { coding: [{ system: 'http://loinc.org', code: '8462-4' }] },
        valueQuantity: { value: 80, unit: 'mmHg' },
      },
    ],
  };

  test('that is amended is a correction; each component has an OBX of its own', () => {
    const report = {
      resourceType: 'DiagnosticReport',
      id: 'r',
      status: 'amended',
      code: { coding: [{ system: 'http://loinc.org', code: '55417-0' }] },
      subject,
      result: [{ reference: 'Observation/o' }],
    };
    const { v2 } = make(toBundle(patient, report, pressure));
    expect(v2.get('OBR-25')).toBe('C');
    expect(v2.all('OBX-3.1')).toEqual(['85354-9', '8480-6', '8462-4']);
    expect(v2.all('OBX-5').slice(-2)).toEqual(['120', '80']);
    expect(v2.all('OBX-6.1')).toEqual(['', 'mmHg', 'mmHg']);
    expect(v2.all('OBX-1')).toEqual(['1', '2', '3']);
  });

  test('an observation of no report has a request of its own', () => {
    const { v2, event } = make(toBundle(patient, pressure));
    expect(event).toBe('ORU^R01');
    expect(names(v2)).toBe('MSH PID OBR OBX OBX OBX');
    expect(v2.get('OBR-4.1')).toBe('85354-9');
  });

  test.each([
    [{ valueQuantity: { value: 5.2, comparator: '<', unit: 'g' } }, 'SN', '<^5.2'],
    [{ valueString: 'a^b' }, 'ST', 'a\\S\\b'],
    [{ valueDateTime: '2026-01-02' }, 'DT', '20260102'],
    [{ valueDateTime: '2026-01-02T10:00:00Z' }, 'TS', '20260102100000+0000'],
    [{ valueInteger: 7 }, 'NM', '7'],
    [{ valueTime: '10:00:00' }, 'TM', '100000'],
    [{ valueRatio: { numerator: { value: 1 }, denominator: { value: 8 } } }, 'SN', '^1^:^8'],
  ])('writes %j as %s', (value, type, raw) => {
    const { component: _, ...plain } = pressure;
    const { v2 } = make(toBundle(patient, { ...plain, ...value }));
    expect(v2.get('OBX-2')).toBe(type);
    expect(v2.segmentsNamed('OBX')[0]?.field(5).raw).toBe(raw);
  });

  test('names what is required and not there', () => {
    const { issues } = make(toBundle({ ...patient, identifier: [] }, pressure));
    expect(issues.map(({ code, location }) => `${code} ${location ?? ''}`)).toContain(
      'required-value-missing PID-3',
    );
  });
});

describe('a visit', () => {
  const visit = {
    resourceType: 'Encounter',
    id: 'e',
    status: 'in-progress',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
    subject,
  };

  test.each([
    ['in-progress', 'ADT^A08', 'ADT_A01'],
    ['finished', 'ADT^A03', 'ADT_A03'],
    ['planned', 'ADT^A05', 'ADT_A05'],
    ['cancelled', 'ADT^A11', 'ADT_A09'],
  ])('that is %s is %s', (status, event, structure) => {
    const made = make(toBundle(patient, { ...visit, status }));
    expect(made.event).toBe(event);
    expect(made.v2.get('MSH-9.3')).toBe(structure);
    expect(made.v2.get('PV1-2')).toBe('I');
  });

  test('is of the event that is asked for', () => {
    const { v2, issues } = make(toBundle(patient, visit), { event: 'ADT^A04' });
    expect([v2.get('MSH-9.2'), v2.get('EVN-1')]).toEqual(['A04', 'A04']);
    expect(issues).toEqual([]);
  });

  test('a patient alone is a person who has changed', () => {
    const { v2, event } = make(patient);
    expect(event).toBe('ADT^A31');
    expect(names(v2)).toBe('MSH EVN PID PV1');
    expect(v2.get('PV1-2')).toBe('N');
  });
});

test('equal input and options give the same message, another date another control id', () => {
  const first = mapper.map(patient, base);
  expect(mapper.map(patient, base)).toEqual(first);
  const later = make(patient, { date: '20260102093001+0100' });
  expect(later.v2.get('MSH-10')).not.toBe(make(patient).v2.get('MSH-10'));
  expect(make(patient).v2.get('MSH-10')).toMatch(/^[0-9A-F]{20}$/);
});

test('text beyond ASCII is declared in MSH-18', () => {
  const { v2 } = make({ ...patient, name: [{ family: 'Größe' }] });
  expect(v2.get('MSH-18')).toBe('UNICODE UTF-8');
  expect(make(patient).v2.get('MSH-18')).toBeUndefined();
});

test.each([
  [{ resourceType: 'Claim' }, {}, 'resource-unmapped'],
  [patient, { event: 'ADT^A99' }, 'event-unmapped'],
  [patient, { date: 'today' }, 'date-invalid'],
  ['no resource', {}, 'resource-unmapped'],
])('%# is no message, and says why', (input, options, code) => {
  const result = mapper.map(input, { ...base, ...options });
  expect(result.message).toBeNull();
  expect(result.issues.map((issue) => issue.code)).toEqual([code]);
});

describe('other resources', () => {
  const doctor = { reference: 'Practitioner/d' };
  const coding = (system: string, code: string): object => ({ coding: [{ system, code }] });
  const rxnorm = 'http://www.nlm.nih.gov/research/umls/rxnorm';
  const medication = { resourceType: 'Medication', id: 'x', code: coding(rxnorm, '1') };
  const inputs: Readonly<Record<string, object>> = {
    'RDE^O11': {
      resourceType: 'MedicationRequest',
      status: 'active',
      identifier: [{ system: 'urn:oid:1.2', value: 'RX1' }],
      medicationReference: { reference: 'Medication/x' },
      subject,
      requester: doctor,
      dosageInstruction: [
        {
          route: coding('http://snomed.info/sct', '26643006'),
          doseAndRate: [{ doseQuantity: { value: 1, unit: 'tablet' } }],
        },
      ],
      dispenseRequest: { quantity: { value: 30, unit: 'tablet' }, numberOfRepeatsAllowed: 2 },
    },
    'RDS^O13': {
      resourceType: 'MedicationDispense',
      status: 'completed',
      identifier: [{ system: 'urn:oid:1.2', value: 'D1' }],
      medicationCodeableConcept: coding(rxnorm, '1'),
      subject,
      whenHandedOver: '2026-01-02T09:00:00Z',
      quantity: { value: 30, unit: 'tablet' },
      performer: [{ actor: doctor }],
      dosageInstruction: [{ route: coding('http://snomed.info/sct', '26643006') }],
    },
    'VXU^V04': {
      resourceType: 'Immunization',
      status: 'completed',
      vaccineCode: coding('http://hl7.org/fhir/sid/cvx', '08'),
      patient: subject,
      occurrenceDateTime: '2026-01-02',
      primarySource: true,
      lotNumber: 'L1',
    },
    'SIU^S12': {
      resourceType: 'Appointment',
      status: 'booked',
      description: 'Check-up',
      start: '2026-01-05T09:00:00Z',
      end: '2026-01-05T09:30:00Z',
      participant: [{ actor: subject }, { actor: doctor }, { actor: { reference: 'Location/l' } }],
    },
    'MDM^T02': {
      resourceType: 'DocumentReference',
      status: 'current',
      docStatus: 'final',
      masterIdentifier: { system: 'urn:oid:1.2', value: 'DOC1' },
      type: coding('http://loinc.org', '11488-4'),
      subject,
      date: '2026-01-02T09:00:00Z',
      author: [doctor],
      content: [{ attachment: { contentType: 'application/pdf', data: 'JVBERi0=' } }],
    },
  };
  const facts: readonly (readonly [string, string, Readonly<Record<string, string>>])[] = [
    [
      'RDE^O11',
      'MSH PID ORC RXE TQ1 RXR',
      {
        'ORC-1': 'NW',
        'RXE-2.3': 'RXNORM',
        'RXE-3': '1',
        'RXE-5.1': 'tablet',
        'RXE-10': '30',
        'RXE-12': '2',
        'RXR-1.1': '26643006',
      },
    ],
    [
      'RDS^O13',
      'MSH PID ORC RXD RXR',
      { 'ORC-1': 'RE', 'RXD-2.1': '1', 'RXD-4': '30', 'RXD-7': 'D1', 'RXD-10.2': 'Doc' },
    ],
    [
      'VXU^V04',
      'MSH PID ORC RXA',
      { 'RXA-5.3': 'CVX', 'RXA-6': '999', 'RXA-9.1': '00', 'RXA-15': 'L1', 'RXA-20': 'CP' },
    ],
    [
      'SIU^S12',
      'MSH SCH PID RGS AIL AIP',
      {
        'SCH-6.2': 'Check-up',
        'SCH-11.4': '20260105090000+0000',
        'SCH-25': 'Booked',
        'AIL-3.1': 'Room 1',
        'AIP-3.2': 'Doc',
      },
    ],
    [
      'MDM^T02',
      'MSH EVN PID PV1 TXA OBX',
      {
        'EVN-1': 'T02',
        'TXA-2': '11488-4',
        'TXA-12.1': 'DOC1',
        'TXA-17': 'AU',
        'TXA-19': 'AV',
        'OBX-5.5': 'JVBERi0=',
      },
    ],
  ];

  test.each(facts)('become %s', (event, segments, values) => {
    const place = { resourceType: 'Location', id: 'l', name: 'Room 1' };
    const made = make(toBundle(patient, requester, medication, place, inputs[event] ?? {}));
    expect(made.event).toBe(event);
    expect(names(made.v2)).toBe(segments);
    for (const [path, value] of Object.entries(values))
      expect([path, made.v2.get(path)]).toEqual([path, value]);
  });

  test('an appointment that was cancelled is S15', () => {
    const input = { ...inputs['SIU^S12'], status: 'cancelled' };
    expect(make(toBundle(patient, input)).event).toBe('SIU^S15');
  });
});
