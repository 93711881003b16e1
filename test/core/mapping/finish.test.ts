import { parseMessage } from '../../../core/hl7v2/parse.ts';
import { compileMappings } from '../../../core/mapping/mapper.ts';
import { findVersions } from '../../../core/mapping/version.ts';

const base = [
  {
    path: 'message/report.map.yaml',
    text: `kind: MessageMap
id: report
source: { messages: [ORU^R01] }
structure: { segments: [MSH, PID, OBX], groups: [] }
resources:
  - { id: patient, resource: Patient, maps: [PID.Patient], identity: { request: id, key: { by: [[PID-3.1]] } } }
  - id: result
    resource: Observation
    maps: [OBX.Observation]
    identity: { request: id, key: { by: [[OBX-3.1]] } }
    references: [{ id: subject, to: subject, resource: patient }]
`,
  },
  {
    path: 'segment/PID.map.yaml',
    text: `kind: SegmentMap
id: PID.Patient
source: { v2: PID }
target: { fhir: Patient }
rules:
  - { id: number, from: 'PID-3[*].1', to: 'identifier[+].value' }
`,
  },
  {
    path: 'segment/OBX.map.yaml',
    text: `kind: SegmentMap
id: OBX.Observation
source: { v2: OBX }
target: { fhir: Observation }
rules:
  - { id: code, from: OBX-3.1, to: 'code.coding[0].code' }
  - { id: method, from: OBX-17.1, to: 'method.coding[0].code' }
`,
  },
];
const finish = (id: string, type: string, rules: string, more = '') => ({
  path: `layers/acme/${id}.map.yaml`,
  text: `kind: FhirMap
id: ${id}
layer: acme
finish: true
source: { fhir: ${type} }
target: { fhir: ${type}, profile: 'urn:acme:${type}' }
${more}rules:
${rules}`,
});

const patient = finish(
  'acme.Patient',
  'Patient',
  `  - { id: system, from: 'identifier[*].value', where: not system valued, to: 'identifier[*].system', const: urn:acme }
  - { id: seen, when: "identifier[*].system = 'urn:acme'", to: gender, const: unknown }
`,
);
const observation = finish(
  'acme.Observation',
  'Observation',
  `  - { id: of-patient, when: subject.resourceType = 'Patient', to: 'category[0].text', const: patient }
  - { id: of-device, when: subject.resourceType = 'Device', to: 'category[0].text', const: device }
  - { id: no-method, from: method, drop: ACME takes none. }
`,
);

function map(files: readonly { path: string; text: string }[], layers: readonly string[]) {
  const compiled = compileMappings(files, { layers });
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.issues));
  const parsed = parseMessage(
    'MSH|^~\\&|A|B|||20260101||ORU^R01|1|P|2.5\rPID|||7~8\rOBX|1|NM|W||70|||||F||||||M\r',
  );
  if (!parsed.ok) throw new Error('not parsed');
  const rules: string[] = [];
  const result = compiled.mapper.map(parsed.message, {
    provenance: true,
    onRule: (rule) => rules.push(rule),
  });
  return { ...result, rules };
}

const files = [...base, patient, observation];

it('changes what the maps of HL7 v2 have made, each rule after the one before, and claims the profile', () => {
  const { resource } = map(files, ['acme']);
  expect(resource?.entry?.map((entry) => entry.resource)).toMatchObject([
    {
      ...{ resourceType: 'Patient', gender: 'unknown', meta: { profile: ['urn:acme:Patient'] } },
      identifier: [
        { value: '7', system: 'urn:acme' },
        { value: '8', system: 'urn:acme' },
      ],
    },
    { resourceType: 'Observation', meta: { profile: ['urn:acme:Observation'] } },
  ]);
});

it('knows of which type the resource is that a reference leads to', () => {
  const { resource } = map(files, ['acme']);
  expect(resource?.entry?.[1]?.resource).toMatchObject({ category: [{ text: 'patient' }] });
});

it('takes elements away, with where they came from', () => {
  const { resource, provenance } = map(files, ['acme']);
  expect(resource?.entry?.[1]?.resource).not.toHaveProperty('method');
  expect(provenance.filter(({ target }) => target.includes('.method'))).toEqual([]);
});

it('says where what it wrote came from, as far as the message', () => {
  const { provenance, rules } = map(files, ['acme']);
  const at = (path: string) =>
    provenance.find(({ target }) => target === `Bundle.entry[0].resource.${path}`);
  expect(at('identifier[1].system')).toMatchObject({
    source: 'PID-3[2].1',
    rule: 'acme.Patient#system',
  });
  expect(at('gender')).toMatchObject({ source: 'PID', rule: 'acme.Patient#seen' });
  expect(at('meta.profile[0]')).toMatchObject({ source: 'PID', rule: 'acme.Patient#profile' });
  expect(rules).toContain('acme.Patient#system');
});

it('does nothing without its layer', () => {
  const { resource } = map(files, []);
  expect(JSON.stringify(resource)).not.toContain('urn:acme');
});

it('is part of the version of every message map', () => {
  const versionOf = (from: typeof files, layers: readonly string[]) =>
    findVersions(from, layers, [])[0]?.version;
  const changed = [
    ...base,
    patient,
    { ...observation, text: observation.text.replace('patient', 'Patient') },
  ];
  expect(versionOf(files, ['acme'])).not.toBe(versionOf(changed, ['acme']));
  expect(versionOf(files, [])).toBe(versionOf(changed, []));
});

it('refuses a map that leaves out what no rule names', () => {
  const compiled = compileMappings(
    [
      ...base,
      finish('acme.Patient', 'Patient', '  - { id: a, to: gender, const: x }\n', 'rest: leave\n'),
    ],
    { layers: ['acme'] },
  );
  expect(compiled).toMatchObject({ ok: false, issues: [{ code: 'mapping-invalid' }] });
});
