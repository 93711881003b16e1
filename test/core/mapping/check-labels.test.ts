import type { Issue } from '../../../core/issue.ts';
import { flattenFiles } from '../../../core/mapping/compile.ts';
import type { MappingFile } from '../../../core/mapping/document.ts';

const identity = 'identity: { request: create, key: { by: [[PID-3]] } }';
const patient = `{ id: patient, resource: Patient, maps: [], ${identity} }`;
const encounter = (more: string): string =>
  `{ id: encounter, resource: Encounter, maps: [], ${more} }`;

const map = (...visit: readonly string[]): MappingFile => ({
  path: 'message/ADT_A01.map.yaml',
  text: `kind: MessageMap
id: ADT_A01
source: { messages: [ADT^A01] }
structure:
  segments: [MSH]
  groups: [{ name: PATIENT, opens: [PID], groups: [{ name: VISIT, opens: [PV1] }] }]
resources:
  - forEach: PATIENT
    resources:
      - ${patient}
      - forEach: VISIT
        resources: [${visit.join(', ')}]
`,
});

const find = (files: readonly MappingFile[], layers: readonly string[] = []): readonly string[] => {
  const issues: Issue[] = [];
  flattenFiles(files, layers, issues);
  return issues.map(({ location, message }) => `${location ?? ''} ${message}`);
};
const reference = (more: string): string =>
  encounter(`${identity}, references: [{ id: encounter.subject, to: subject, ${more} }]`);

test.each([
  ['a resource', reference('resource: patiant'), ':encounter.subject resource: there is no'],
  ['a group', reference('resource: patient, within: ORDER'), 'does not stand in a group ORDER'],
  ['what it needs', encounter(`${identity}, needs: patiant`), ':encounter needs: there is no'],
  ['what it extends', '{ id: more, extend: patiant, maps: [] }', ':more extend: there is no'],
  [
    'a part of its key',
    encounter("identity: { request: create, key: { within: ['@patiant'] } }"),
    ':encounter key: there is no resource patiant',
  ],
  ['where it stands', '{ forEach: ORDER, resources: [] }', 'has no group ORDER in VISIT'],
])('a map that names what it does not have is refused: %s', (_, part, words) => {
  expect(find([map(part)]).join('\n')).toContain(words);
});

test('a map that names what it has is as it should be', () => {
  expect(find([map(reference('resource: patient, within: PATIENT'))])).toEqual([]);
  expect(find([map(reference('resource: patient, within: MESSAGE'))])).toEqual([]);
});

describe('what is named may be', () => {
  const known = reference('resource: patient, within: PATIENT');
  const layer = (kind: string, extended: string): MappingFile => ({
    path: 'layers/acme/over.map.yaml',
    text: `kind: ${kind}\nid: over\nextends: ${extended}\nlayer: acme\nresources: [{ id: patient, override: disable }]\n`,
  });
  const block = (part: string): MappingFile => ({
    path: 'block/person.map.yaml',
    text: `kind: MessageBlock\nid: person\nresources: [${part}]\n`,
  });

  test('taken away by a layer, of the map or of a block', () => {
    expect(find([map(known), layer('MessageMap', 'ADT_A01')], ['acme'])).toEqual([]);
    const including = map(known);
    const text = including.text.replace(patient, 'include: person');
    const files = [{ ...including, text }, block(patient), layer('MessageBlock', 'person')];
    expect(find(files, ['acme'])).toEqual([]);
  });

  test('missing for a reference of a block, which other maps have', () => {
    const files = [map('{ include: person }'), block(reference('resource: account'))];
    expect(find(files)).toEqual([]);
  });
});
