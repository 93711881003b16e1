import type { MappingFile } from '../../../core/mapping/mapper.ts';
import { type ReverseMapper, compileReverse } from '../../../core/mapping/reverse.ts';

const toFile = (id: string, content: object): MappingFile => ({
  path: `${id}.map.json`,
  text: JSON.stringify({ id, ...content }),
});

const segmentMap = (v2: string, fhir: string, rules: readonly object[]): MappingFile =>
  toFile(`${v2}.${fhir}`, { kind: 'V2SegmentMap', source: { fhir }, target: { v2 }, rules });

const family = segmentMap('PID', 'Patient', [{ id: 'name', from: 'name[0].family', to: 'PID-5' }]);
const status = segmentMap('PV1', 'Encounter', [{ id: 'status', from: 'status', to: 'PV1-2' }]);
const number = segmentMap('ORC', 'ServiceRequest', [
  { id: 'number', from: 'identifier[0].value', to: 'ORC-2' },
  { id: 'intent', from: 'intent', ignore: 'All are orders.' },
]);

const patientPart = { id: 'pid', segment: 'PID', with: '@patient', maps: ['PID.Patient'] };
const visitPart = { id: 'pv1', segment: 'PV1', with: 'Encounter', maps: ['PV1.Encounter'] };

function compile(segments: readonly object[]): ReverseMapper {
  const message = toFile('OML.toV2', {
    kind: 'V2MessageMap',
    source: { fhir: ['Patient'] },
    target: { v2: 'OML_O21' },
    events: [{ event: 'OML^O21' }],
    labels: { patient: ['ServiceRequest.subject', 'Patient'] },
    segments,
  });
  const compiled = compileReverse([family, status, number, message]);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.issues));
  return compiled.mapper;
}

const resources = [
  { resourceType: 'Patient', id: 'other', name: [{ family: 'High' }] },
  { resourceType: 'Patient', id: 'p', name: [{ family: 'Low' }] },
  { resourceType: 'Encounter', id: 'v', status: 'in-progress' },
  {
    resourceType: 'Encounter',
    id: 'w',
    status: 'finished',
    location: [{ location: to('Location/l') }],
  },
  { resourceType: 'Location', id: 'l', name: 'W1', partOf: to('Location/m') },
  { resourceType: 'Location', id: 'm', name: 'North' },
  { resourceType: 'Location', id: 'n', name: 'Nobody refers to it' },
  {
    resourceType: 'ServiceRequest',
    id: 's',
    identifier: [{ value: 'S' }],
    subject: to('Patient/p'),
    supportingInfo: [to('Observation/o'), to('DiagnosticReport/r')],
  },
  { resourceType: 'Observation', id: 'o', basedOn: [to('ServiceRequest/s')] },
  { resourceType: 'DiagnosticReport', id: 'r', basedOn: [to('ServiceRequest/b')] },
  {
    resourceType: 'ServiceRequest',
    id: 'b',
    identifier: [{ value: 'B' }],
    intent: 'order',
    subject: to('Patient/p'),
  },
  { resourceType: 'Condition', id: 'c', subject: to('Patient/other') },
  { resourceType: 'Account', id: 'a', subject: [to('Patient/other'), to('Patient/p')] },
];

function to(reference: string): object {
  return { reference };
}

const run = (
  mapper: ReverseMapper,
  input: readonly object[] = resources,
): ReturnType<ReverseMapper['map']> =>
  mapper.map(
    { resourceType: 'Bundle', entry: input.map((resource) => ({ resource })) },
    { date: '20260102', controlId: '1' },
  );

const toLines = (text: string | null): readonly string[] =>
  (text ?? '').split('\r').filter((line) => line !== '' && !line.startsWith('MSH'));

describe('a part that leaves something out', () => {
  const why = 'There is one visit.';
  const otherVisits = { id: 'visits', forEach: 'Encounter', unused: true, ignore: why };

  test('takes what it selects, and what nothing else refers to, and says so', () => {
    const { message, issues, unconsumed, ignored } = run(compile([visitPart, otherVisits]));
    expect(toLines(message)).toEqual(['PV1||in-progress']);
    expect(issues).toEqual([
      {
        code: 'resource-ignored',
        severity: 'information',
        location: 'Bundle.entry[3].resource',
        message: `This Encounter has no place in the message and was left out (OML.toV2#visits): ${why}`,
      },
    ]);
    const paths = [3, 4, 5].map((at) => `Bundle.entry[${at}].resource`);
    expect(ignored).toEqual(paths.map((source) => ({ source, rule: 'OML.toV2#visits', why })));
    expect(unconsumed).not.toContain(paths[1]);
    expect(unconsumed).toContain('Bundle.entry[6].resource');
  });

  test('that is a patient takes what is of that patient alone', () => {
    const others = { id: 'others', forEach: 'Patient', unused: true, ignore: 'It is of one.' };
    const { ignored } = run(compile([patientPart, others]));
    const source = ['Bundle.entry[0].resource', 'Bundle.entry[11].resource'];
    expect(ignored.map((one) => one.source)).toEqual(source);
  });

  test('has nothing to say where all have their place', () => {
    const { issues, ignored } = run(
      compile([{ ...visitPart, with: undefined, forEach: 'Encounter' }, otherVisits]),
    );
    expect(issues).toEqual([]);
    expect(ignored).toEqual([]);
  });

  test('may be an error, of which there is to be no message', () => {
    const { issues } = run(compile([visitPart, { ...otherVisits, severity: 'error' }]));
    expect(issues.map(({ severity }) => severity)).toEqual(['error']);
  });

  test('is listed with its reason, as a rule of the way back that takes without writing is', () => {
    const mapper = compile([visitPart, otherVisits]);
    expect(mapper.rulesOf('OML.toV2')).toEqual([
      { id: 'visits', reverse: 'none', why: `Encounter is left out: ${why}` },
    ]);
    expect(mapper.rulesOf('ORC.ServiceRequest')).toEqual([
      { id: 'number', reverse: 'declared' },
      { id: 'intent', reverse: 'none', why: 'intent is left out: All are orders.' },
    ]);
  });
});

test('a rule that takes without writing says what it left out where that is there', () => {
  const orders = {
    id: 'orc',
    segment: 'ORC',
    forEach: 'ServiceRequest',
    maps: ['ORC.ServiceRequest'],
  };
  const { ignored } = run(compile([orders]));
  expect(ignored).toEqual([
    {
      source: 'Bundle.entry[10].resource.intent',
      rule: 'ORC.ServiceRequest#intent',
      why: 'All are orders.',
    },
  ]);
});

test('the labels of a message are those of all its parts, and one selects what another leaves to it', () => {
  const prior = 'ServiceRequest.supportingInfo.DiagnosticReport.basedOn';
  const orders = {
    ...{ id: 'orc', segment: 'ORC', maps: ['ORC.ServiceRequest'] },
    ...{ forEach: 'ServiceRequest.subject=@patient', except: prior },
  };
  const group = {
    id: 'before',
    group: 'PRIOR',
    forEach: prior,
    segments: [{ ...orders, id: 'prior', forEach: undefined, except: undefined }],
  };
  const { message } = run(compile([patientPart, orders, group]));
  expect(toLines(message)).toEqual(['PID|||||Low', 'ORC||S', 'ORC||B']);
});

test('what is of another is left out, and what is of nobody in particular is not', () => {
  const orders = {
    ...{ id: 'orc', segment: 'ORC', maps: ['ORC.ServiceRequest'] },
    ...{ forEach: 'ServiceRequest', except: 'ServiceRequest.subject!=@patient' },
  };
  const input = [
    { resourceType: 'Patient', id: 'p', name: [{ family: 'Low' }] },
    { resourceType: 'Patient', id: 'q' },
    ...[
      to('Patient/p'),
      to('Patient/q'),
      to('Patient/elsewhere'),
      { display: 'Low' },
      undefined,
    ].map((subject, index) => ({
      ...{ resourceType: 'ServiceRequest', identifier: [{ value: `S${index + 1}` }] },
      ...(subject === undefined ? {} : { subject }),
    })),
  ];
  const { message } = run(compile([patientPart, orders]), input);
  expect(toLines(message)).toEqual(['PID|||||Low', 'ORC||S1', 'ORC||S4', 'ORC||S5']);
});

test('a path that ends with a type is compared by what it has come to', () => {
  const orders = {
    ...{ id: 'orc', segment: 'ORC', maps: ['ORC.ServiceRequest'] },
    ...{ forEach: 'ServiceRequest.subject.Patient=@patient' },
  };
  const { message } = run(compile([patientPart, orders]));
  expect(toLines(message)[1]).toBe('ORC||S');
});

test('a part either writes or leaves out', () => {
  const document = { kind: 'V2MessageMap', source: { fhir: ['Patient'] }, target: { v2: 'X_X01' } };
  const parts = [{ id: 'both', segment: 'PV1', forEach: 'Encounter', ignore: 'No place.' }];
  const compiled = compileReverse([
    toFile('X', { ...document, events: [{ event: 'XXX^X01' }], segments: parts }),
  ]);
  expect(compiled.ok).toBe(false);
});

test('a selector of two takes what both find, in the order of the first', () => {
  const both = 'ServiceRequest.subject & Patient';
  const part = { ...patientPart, with: undefined, forEach: both };
  expect(toLines(run(compile([part])).message)).toEqual(['PID|||||Low']);
});
