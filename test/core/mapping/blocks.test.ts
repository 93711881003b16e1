import { parseMessage } from '../../../core/hl7v2/parse.ts';
import type { Issue } from '../../../core/issue.ts';
import { compareMappings } from '../../../core/mapping/diff/rules.ts';
import { findEffectiveMaps } from '../../../core/mapping/effective.ts';
import { type MappingFile, compileMappings } from '../../../core/mapping/mapper.ts';
import { findVersions } from '../../../core/mapping/version.ts';

const file = (path: string, text: string): MappingFile => ({ path, text });

const segments: readonly MappingFile[] = [
  ['PID.Patient', 'PID-7', 'birthDate'],
  ['PV1.Encounter', 'PV1-44', 'period.start'],
  ['PV2.Encounter', 'PV2-8', 'period.end'],
].map(([id = '', from = '', to = '']) => {
  const [source = '', type = ''] = id.split('.');
  const rules = `rules: [{ id: ${from}, from: ${from}, to: ${to}, fn: date }]`;
  return file(
    `segment/${id}.map.yaml`,
    `kind: SegmentMap\nid: ${id}\nsource: { v2: ${source} }\ntarget: { fhir: ${type} }\n${rules}\n`,
  );
});

const patient = `- id: patient
  resource: Patient
  maps: [PID.Patient]
  identity: { request: create, key: { by: [[PID-3]] } }
`;
const visit = `- forEach: VISIT
  resources:
    - id: encounter
      resource: Encounter
      maps: [PV1.Encounter, PV2.Encounter]
      needs: patient
      identity: { request: create, key: { by: [[PV1-19]] } }
      references:
        - { id: encounter.subject, to: subject, resource: patient, within: PATIENT }
`;

const structure = `structure:
  segments: [MSH]
  groups:
    - { name: PATIENT, opens: [PID], groups: [{ name: VISIT, opens: [PV1], segments: [PV2] }] }`;
const messageMap = (id: string, resources: string, more = ''): MappingFile =>
  file(
    `message/${id}.map.yaml`,
    `kind: MessageMap\nid: ${id}\nsource: { messages: [${id.replace('_', '^')}] }\n${structure}\nresources:\n${indent(`- forEach: PATIENT\n  resources:\n${indent(resources, 4)}${more}`)}`,
  );
const block = (id: string, resources: string): MappingFile =>
  file(`block/${id}.map.yaml`, `kind: MessageBlock\nid: ${id}\nresources:\n${indent(resources)}`);
const layer = (extended: string, kind: string, resources: string): MappingFile =>
  file(
    `layers/acme/${extended}.map.yaml`,
    `kind: ${kind}\nid: ${extended}@acme\nextends: ${extended}\nlayer: acme\nresources:\n${indent(resources)}`,
  );

function indent(text: string, by = 2): string {
  return text.replace(/^(?=.)/gm, ' '.repeat(by));
}

const include = '- include: person\n';
const person = block('person', `${patient}- include: visit\n`);
const blocks = [person, block('visit', visit)];
const including = [...segments, ...blocks, messageMap('ADT_A01', include)];
const flat = [...segments, messageMap('ADT_A01', patient + visit)];
const both = [...including, messageMap('ADT_A08', include)];

const text = (event: string): string =>
  `MSH|^~\\&|A|B|C|D|20260102||${event}|M1|P|2.5.1\rPID|||C3||||19800102\rPV1||I|||||||||||||||||V1${'|'.repeat(25)}20260102\rPV2||||||||20260105`;

function map(files: readonly MappingFile[], layers: readonly string[] = [], event = 'ADT^A01') {
  const compiled = compileMappings(files, { layers });
  if (!compiled.ok) throw new Error(compiled.issues.map(({ message }) => message).join());
  const parsed = parseMessage(text(event));
  if (!parsed.ok) throw new Error('no message');
  return compiled.mapper.map(parsed.message, { provenance: true });
}
const toTypes = (...of: Parameters<typeof map>): unknown[] =>
  (map(...of).resource?.entry ?? []).map(({ resource }) => resource?.resourceType);
const problems = (files: readonly MappingFile[]): readonly string[] => {
  const compiled = compileMappings(files);
  return compiled.ok ? [] : compiled.issues.map((one) => `${one.location ?? ''} ${one.message}`);
};

test('a map says what its blocks say, those inside them too', () => {
  expect(toTypes(including)).toEqual(['Patient', 'Encounter']);
  expect(map(including)).toEqual(map(flat));
});

test('what is included is no other version, and is shown with the blocks that it came with', () => {
  const issues: Issue[] = [];
  const versions = [including, flat].map((files) => findVersions(files, [], issues)[0]?.version);
  expect(versions[0]).toBe(versions[1]);
  const shown = findEffectiveMaps(including, [], issues).find(({ id }) => id === 'ADT_A01');
  expect(shown?.rules).toMatchObject([
    { id: 'patient', blocks: ['person'], rule: { resource: 'Patient' } },
    { id: 'encounter', blocks: ['person', 'visit'] },
  ]);
  const changed = block('visit', visit.replace(', PV2.Encounter', ''));
  const other = including.map((one) => (one.path === changed.path ? changed : one));
  expect(findVersions(other, [], issues)[0]?.version).not.toBe(versions[0]);
  expect(issues).toEqual([]);
});

describe('refused is', () => {
  test.each([
    [
      'a block that is not there',
      [...segments, messageMap('ADT_A01', '- include: none\n')],
      'message/ADT_A01.map.yaml include: there is no block none',
    ],
    [
      'a map in the place of a block',
      [...flat, messageMap('ADT_A08', '- include: PID.Patient\n')],
      'include: there is no block PID.Patient',
    ],
    [
      'a block that includes itself',
      [...segments, block('visit', include), person, messageMap('ADT_A01', include)],
      'include: person includes itself',
    ],
    [
      'a resource that is there already',
      [...segments, ...blocks, messageMap('ADT_A01', `${patient}${include}`)],
      'ADT_A01.map.yaml:11:patient There is another resource or reference with this id',
    ],
    [
      'a map that is not there, by the block that names it',
      [...including.slice(1)],
      'ADT_A01.map.yaml:patient maps: there is no segment map PID.Patient (of the block person)',
    ],
  ])('%s', (_, files, words) => {
    expect(problems(files).join('\n')).toContain(words);
  });
});

test('a block may be included twice, and a resource have the label of another', () => {
  const twice = messageMap('ADT_A01', `${include}- include: visit\n`);
  expect(toTypes([...segments, ...blocks, twice])).toEqual(['Patient', 'Encounter']);
  const stay = visit
    .replaceAll('encounter', 'stay')
    .replace('id: stay\n', 'id: stay\n      as: encounter\n');
  const more = `- forEach: VISIT\n  resources: [{ id: late, extend: encounter, maps: [PV2.Encounter] }]\n`;
  const named = messageMap('ADT_A01', patient + stay.replace(', PV2.Encounter', '') + more);
  expect(map([...segments, named]).resource?.entry?.[1]?.resource).toMatchObject({
    period: { start: '2026-01-02', end: '2026-01-05' },
  });
});

describe('a layer', () => {
  const off = '- { id: encounter, override: disable }\n';

  test('changes a block for all maps that include it', () => {
    const files = [...both, layer('visit', 'MessageBlock', off)];
    expect(toTypes(files)).toEqual(['Patient', 'Encounter']);
    expect(toTypes(files, ['acme'])).toEqual(['Patient']);
    expect(toTypes(files, ['acme'], 'ADT^A08')).toEqual(['Patient']);
  });

  test('changes what one map has of a block', () => {
    const files = [...both, layer('ADT_A01', 'MessageMap', off)];
    expect(toTypes(files, ['acme'])).toEqual(['Patient']);
    expect(toTypes(files, ['acme'], 'ADT^A08')).toEqual(['Patient', 'Encounter']);
  });

  test('replaces a resource where it stands, and disables a reference by its id', () => {
    const start = visit.replace(', PV2.Encounter', '').split('\n').slice(2, 7).join('\n');
    const replaced = `${start.replace(/^ {4}/gm, '')}\n  override: replace\n`;
    const files = [...both, layer('ADT_A01', 'MessageMap', replaced)];
    expect(map(files, ['acme']).resource?.entry?.[1]?.resource).toMatchObject({
      resourceType: 'Encounter',
      period: { start: '2026-01-02' },
    });
    expect(map(files, ['acme']).unconsumed).toContain('PV2-8');
    const reference = '- { id: encounter.subject, override: disable }\n';
    const without = [...both, layer('visit', 'MessageBlock', reference)];
    expect(map(without).resource?.entry?.[1]?.resource).toHaveProperty('subject');
    expect(map(without, ['acme']).resource?.entry?.[1]?.resource).not.toHaveProperty('subject');
  });

  test('may include a block itself', () => {
    const own = messageMap('ADT_A01', patient);
    const files = [
      ...segments,
      ...blocks,
      own,
      layer('ADT_A01', 'MessageMap', '- forEach: PATIENT\n  resources: [{ include: visit }]\n'),
    ];
    expect(toTypes(files)).toEqual(['Patient']);
    expect(toTypes(files, ['acme'])).toEqual(['Patient', 'Encounter']);
  });

  test('that names nothing that is there is refused', () => {
    const none = layer('visit', 'MessageBlock', '- { id: episode, override: disable }\n');
    const compiled = compileMappings([...both, none], { layers: ['acme'] });
    expect(compiled.ok ? [] : compiled.issues.map(({ location }) => location)).toEqual([
      'layers/acme/visit.map.yaml:6:episode',
    ]);
  });
});

test('what a block changes is a difference once, what a map changes of it is one of the map', () => {
  const differences = (kind: string, extended: string): readonly string[] => {
    const files = [...both, layer(extended, kind, '- { id: encounter, override: disable }\n')];
    const [before, after] = [[], ['acme']].map((layers) => ({ files, layers }));
    return compareMappings(before!, after!, []).map(({ id }) => id);
  };
  expect(differences('MessageBlock', 'visit')).toEqual(['visit#encounter']);
  expect(differences('MessageMap', 'ADT_A08')).toEqual(['ADT_A08#encounter']);
});

test('coverage is told a resource and reference by map and block, and what was included for them', () => {
  const compiled = compileMappings(including);
  const parsed = parseMessage(text('ADT^A01'));
  if (!compiled.ok || !parsed.ok) throw new Error('does not compile');
  const told = new Set<string>();
  compiled.mapper.map(parsed.message, { onRule: (rule) => told.add(rule) });
  expect([...told].filter((rule) => !rule.startsWith('P')).sort()).toEqual([
    'ADT_A01#encounter',
    'ADT_A01#encounter PV1.Encounter',
    'ADT_A01#encounter PV2.Encounter',
    'ADT_A01#encounter.subject',
    'ADT_A01#include person',
    'ADT_A01#patient',
    'ADT_A01#patient PID.Patient',
    'person#include visit',
    'person#patient',
    'person#patient PID.Patient',
    'visit#encounter',
    'visit#encounter PV1.Encounter',
    'visit#encounter PV2.Encounter',
    'visit#encounter.subject',
  ]);
});
