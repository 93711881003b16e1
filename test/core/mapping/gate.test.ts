import { openFhirValidator } from '../../../connectors/file/fhir-schema.ts';
import { parseMessage } from '../../../core/hl7v2/parse.ts';
import { findFaults, toBlamed } from '../../../core/mapping/gate.ts';
import { compileMappings } from '../../../core/mapping/mapper.ts';
import { patientMessage, patientSegment } from '../../support/small-mappings.ts';

const name = `kind: DatatypeMap
id: XPN.HumanName
source: { v2: XPN }
target: { fhir: HumanName }
rules:
  - { id: family, from: '1', to: family }
  - { id: use, from: '7', to: use }
`;

function findWith(rules: readonly string[], pid: string) {
  const compiled = compileMappings([
    patientMessage('ADT^A08', { request: 'id' }),
    { path: 'datatype/name.map.yaml', text: name },
    patientSegment(...rules),
  ]);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.issues));
  const parsed = parseMessage(`MSH|^~\\&|A|B|||20260101||ADT^A08|1|P|2.5\r${pid}\r`);
  if (!parsed.ok) throw new Error('not parsed');
  const { mapper } = compiled;
  let explained = 0;
  const issues = findFaults(mapper.map(parsed.message), openFhirValidator(), () => {
    explained += 1;
    return mapper.map(parsed.message, { provenance: true });
  });
  return { issues, explained };
}

it('blames the source value of the element, in whatever depth, and its rule', () => {
  const { issues, explained } = findWith(
    [
      '{ id: birth, from: PID-7, to: birthDate }',
      "{ id: name, from: 'PID-5[*]', to: 'name[+]', via: XPN.HumanName }",
    ],
    'PID|||7||Low~High^^^^^^wrong||born in May',
  );
  expect(issues.map(({ location }) => location).sort()).toEqual(['PID-5[2].7', 'PID-7[1]']);
  expect(issues.find(({ location }) => location === 'PID-7[1]')).toMatchObject({
    code: 'fhir-schema',
    severity: 'error',
    message: expect.stringMatching(
      /^Bundle\.entry\[0\]\.resource\.birthDate: .*by the rule PID\.Patient#birth/,
    ) as unknown,
  });
  expect(JSON.stringify(issues)).not.toMatch(/born in May/);
  expect(explained).toBe(1);
});

it('blames the resource’s source where something is missing or too much', () => {
  const { issues } = findWith(
    ['{ id: a, from: PID-8, to: gendre }', "{ id: b, from: PID-5.1, to: 'name[0].family' }"],
    'PID|||7||Low|||F',
  );
  expect(issues[0]?.location).toMatch(/^PID-/);
});

it('explains nothing where all is well', () => {
  const { issues, explained } = findWith(
    ["{ id: name, from: PID-5.1, to: 'name[0].family' }"],
    'PID|||7||Low',
  );
  expect(issues).toEqual([]);
  expect(explained).toBe(0);
});

it('says of what is missing that nothing became it, and beside what', () => {
  const [issue] = toBlamed(
    [
      {
        ...{ code: 'fhir-structure', severity: 'error', message: 'Missing required property' },
        location: 'Bundle.entry[2].resource.subject',
      },
    ],
    () => ({
      provenance: [
        { target: 'Bundle.entry[2].resource.status', source: 'OBR-25[1]', rule: 'R#status' },
      ],
    }),
  );
  expect(issue).toMatchObject({
    location: 'OBR-25[1]',
    message: expect.stringMatching(
      /subject: Missing required property; nothing in the message became it\. .* OBR-25\[1\] by the rule R#status/,
    ) as unknown,
  });
});

describe('where a message has nothing to refer to', () => {
  const files = [
    {
      path: 'message/ADT_A08.map.yaml',
      text: `kind: MessageMap
id: ADT_A08
source: { messages: [ADT^A08] }
structure: { segments: [MSH, PID, DG1], groups: [] }
resources:
  - id: patient
    resource: Patient
    maps: [PID.Patient]
    identity: { request: id, key: { by: [[PID-3.1]] } }
  - id: condition
    resource: Condition
    maps: [DG1.Condition]
    identity: { request: id, key: { by: [[DG1-3.1]] } }
    references:
      - { id: condition.subject, to: subject, resource: patient }
  - id: flag
    resource: Flag
    needs: patient
    maps: [DG1.Condition]
    identity: { request: id, key: { by: [[DG1-3.1]] } }
`,
    },
    {
      path: 'segment/DG1.Condition.map.yaml',
      text: `kind: SegmentMap
id: DG1.Condition
source: { v2: DG1 }
target: { fhir: Condition }
rules:
  - { id: DG1-3.code, from: DG1-3.2, to: code.text }
`,
    },
    patientSegment("{ id: name, from: PID-5.1, to: 'name[0].family' }"),
  ];
  const compiled = compileMappings(files);
  const parsed = parseMessage(
    'MSH|^~\\&|A|B|||20260101||ADT^A08|1|P|2.5\rDG1|1||E11^Diabetes\rDG1|2||I10^Pressure\r',
  );
  const map = (provenance: boolean) => {
    if (!compiled.ok || !parsed.ok) throw new Error('not compiled');
    return compiled.mapper.map(parsed.message, { provenance });
  };

  it('says which segment is missing, not what refers to it', () => {
    const issues = findFaults(map(false), openFhirValidator(), () => map(true));
    expect(issues).toEqual([
      {
        ...{ code: 'fhir-schema', severity: 'error', location: 'PID' },
        message:
          'Bundle.entry[0].resource.subject: The element is required, and missing; the message has no patient for it, ' +
          'which is made from PID. Let the sender send PID there, or change the reference ADT_A08#condition.subject.',
      },
    ]);
  });

  it('says once that a resource that needs it was left out', () => {
    expect(map(false).issues).toEqual([
      {
        ...{ code: 'resource-needed', severity: 'warning', location: 'DG1' },
        message:
          'DG1 was left out: it becomes flag only beside patient, and there is none. ' +
          'Expected PID in its place; let the sender send it.',
      },
    ]);
  });
});
