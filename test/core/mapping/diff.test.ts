import { parseMessage } from '../../../core/hl7v2/parse.ts';
import type { Issue } from '../../../core/issue.ts';
import { compareOutput } from '../../../core/mapping/diff/output.ts';
import { compareMappings, type MappingSide } from '../../../core/mapping/diff/rules.ts';
import { compileMappings } from '../../../core/mapping/mapper.ts';
import { findVersions } from '../../../core/mapping/version.ts';
import { smallMappings, smallMessage } from '../../support/small-mappings.ts';

/** The small mappings with one text for another in the file of that path. */
function withText(path: string, from: string, to: string): MappingSide {
  expect(smallMappings.find((file) => file.path === path)?.text).toContain(from);
  const files = smallMappings.map((file) =>
    file.path === path ? { path, text: file.text.replace(from, to) } : file,
  );
  return { files, layers: [] };
}

const base: MappingSide = { files: smallMappings, layers: [] };
const acme: MappingSide = { files: smallMappings, layers: ['acme'] };
const segment = 'segment/PID.Patient.map.yaml';

function differences(before: MappingSide, after: MappingSide) {
  const issues: Issue[] = [];
  const found = compareMappings(before, after, issues);
  expect(issues).toEqual([]);
  return found;
}

describe('the difference of mappings', () => {
  test('is none where nothing differs, whatever the files say of themselves', () => {
    expect(differences(base, base)).toEqual([]);
    const noted = withText(segment, 'id: PID.Patient\n', 'id: PID.Patient\nnote: Ours.\n');
    expect(differences(base, noted)).toEqual([]);
  });

  test('is what a layer takes, adds and says of codes', () => {
    expect(differences(base, acme).map(({ id, ...sides }) => [id, ...Object.keys(sides)])).toEqual([
      ['PID.Patient#PID-7.birth-date', 'before'],
      ['PID.Patient#PID-23.birth-place', 'after'],
      ['sex#9', 'after'],
    ]);
  });

  test.each([
    [segment, 'fn: date', 'fn: dateTime', 'PID.Patient#PID-7.birth-date'],
    ['message/ADT_A01.map.yaml', '[MSH, PID]', '[MSH, PID, PV1]', 'ADT_A01:structure'],
    ['message/ADT_A01.map.yaml', 'request: update', 'request: create', 'ADT_A01#patient'],
    ['tables/sex.csv', 'F,female', 'F,other', 'sex#F'],
    ['tables/sex.csv', 'M,male', 'M,male\n*,,', 'sex#*'],
  ])('names a change of %s, %s to %s, as %s', (path, from, to, id) => {
    const after = withText(path, from, to.replace('*,,', '*,unknown'));
    expect(differences(base, after).map((one) => one.id)).toEqual([id]);
  });

  test('is another order of the rules, since one may depend on those before it', () => {
    const name = "  - { id: PID-5.name, from: 'PID-5[*]', to: 'name[+]', via: XPN.HumanName }\n";
    const [file] = withText(segment, name, '').files.filter(({ path }) => path === segment);
    const moved = smallMappings.map((one) =>
      one.path === segment ? { path: segment, text: `${file?.text ?? ''}${name}` } : one,
    );
    expect(differences(base, { files: moved, layers: [] })).toMatchObject([
      { id: 'PID.Patient:order', before: expect.stringContaining('PID-5.name') as string },
    ]);
  });
});

function map({ files, layers }: MappingSide, text: string) {
  const compiled = compileMappings(files, { layers });
  const parsed = parseMessage(text);
  if (!compiled.ok || !parsed.ok) throw new Error('no mapper or no message');
  return compiled.mapper.map(parsed.message);
}

describe('the difference of what a message becomes', () => {
  test('is element by element, with what is unconsumed now', () => {
    const found = compareOutput(map(base, smallMessage), map(acme, smallMessage));
    expect(found).toEqual([
      { element: 'Patient[0].birthDate', before: '1980-01-02' },
      { element: 'Patient[0].extension', after: [{ url: 'urn:acme:born', valueString: 'Town' }] },
      { element: 'unconsumed PID-23', before: true },
      { element: 'unconsumed PID-7', after: true },
    ]);
  });

  test('pairs a resource whose identity has changed with itself', () => {
    const other = withText('message/ADT_A01.map.yaml', 'PID-3.1', 'PID-5.1');
    const elements = compareOutput(map(base, smallMessage), map(other, smallMessage));
    expect(elements.map(({ element }) => element)).toEqual([
      'Patient[0].identifier[0].value',
      'Patient[0]:request.url',
    ]);
  });

  test('is a resource as a whole where the other side makes none', () => {
    const none = { ...map(base, smallMessage), resource: null };
    expect(compareOutput(map(base, smallMessage), none).map(({ element }) => element)).toContain(
      'Patient[0]',
    );
  });
});

describe('the version of a message map', () => {
  const version = ({ files, layers }: MappingSide): string | undefined =>
    findVersions(files, layers, []).find(({ id }) => id === 'ADT_A01')?.version;

  test('is the same for the same, and another for whatever it reaches', () => {
    expect(version(base)).toMatch(/^[0-9a-f]{16}$/);
    expect(version(withText(segment, 'rules:', 'rules:'))).toBe(version(base));
    const others = [
      acme,
      withText('datatype/XPN.HumanName.map.yaml', 'to: family', 'to: text'),
      withText(segment, 'fn: date', 'fn: dateTime'),
      withText('tables/sex.csv', 'F,female', 'F,other'),
    ].map(version);
    expect(new Set([version(base), ...others]).size).toBe(5);
  });

  test('is not touched by what it does not reach', () => {
    const files = [...smallMappings, { path: 'tables/other.csv', text: 'code,target\nA,B\n' }];
    expect(version({ files, layers: [] })).toBe(version(base));
  });
});
