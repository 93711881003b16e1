import type { Issue } from '../../../core/issue.ts';
import { parseCsvTable } from '../../../core/mapping/csv-table.ts';
import type { MappingFile } from '../../../core/mapping/document.ts';
import { compileMappings } from '../../../core/mapping/mapper.ts';
import { parseMessage } from '../../../core/hl7v2/parse.ts';
import { patientMessage, patientSegment } from '../../support/small-mappings.ts';

const parse = (text: string, path = 'tables/ward.csv') => {
  const issues: Issue[] = [];
  return { table: parseCsvTable({ path, text }, issues), issues };
};

test.each([
  ['commas', 'code,target,system,display\n007,ICU,urn:wards,"Ward 7, east"\n'],
  [
    'semicolons, a BOM and CRLF',
    '\uFEFFcode;target;system;display\r\n007;ICU;urn:wards;Ward 7, east\r\n',
  ],
  ['tabs, in another order', 'Target\tCode\tDisplay\tSystem\nICU\t007\tWard 7, east\turn:wards\n'],
])('reads %s, leading zeros kept', (_, text) => {
  const { table, issues } = parse(text);
  expect(issues).toEqual([]);
  expect(table).toEqual({
    resourceType: 'ConceptMap',
    id: 'ward',
    group: [
      {
        target: 'urn:wards',
        element: [{ code: '007', target: [{ code: 'ICU', display: 'Ward 7, east' }] }],
      },
    ],
  });
});

test('a code without target has none, and * speaks of all others', () => {
  const { table } = parse('code,target,equivalence\nA,,\nB,x,unmatched\n*,,hold\n');
  expect(table?.group[0]?.element).toEqual([{ code: 'A' }, { code: 'B' }]);
  expect(table?.extension).toEqual([{ url: 'urn:hilum:unmapped', valueCode: 'hold' }]);
  expect(parse('code,target\n*,other\n').table?.group[0]?.unmapped).toEqual({
    mode: 'fixed',
    code: 'other',
  });
});

test.each([
  ['code;ziel\nA;B\n', ':1', 'no column "ziel"'],
  ['code\nA\n', ':1', 'code and target'],
  ['code,code,target\nA,A,B\n', ':1', 'twice'],
  ['', ':1', 'code and target'],
  ['code,target\nA,B\n,C\n', ':3', 'found none'],
  ['code,target\nA,B\n\nA,C\n', ':4', 'line 2'],
  ['code,target\nA,B,C\n', ':2', 'Expected 2 cells, found 3'],
  ['code,target\n1.23457E+11,B\n', ':2', 'as text'],
  ['code,target\n"=""02""",B\n', ':2', 'found a formula'],
  ['code,target,equivalence\nA,B,same\n', ':2', 'equivalence'],
  ['code,target,equivalence\n*,,same\n', ':2', 'keep, omit, error, hold'],
  ['code,target\nA,"B\n', ':2', 'never closed'],
  ['code,target\nA,B\uFFFD\n', ':2', 'UTF-8'],
])('says by line what is wrong in %j', (text, line, message) => {
  const { table, issues } = parse(text);
  expect(table).toBeUndefined();
  expect(issues[0]?.location).toBe(`tables/ward.csv${line}`);
  expect(issues.map((issue) => issue.message).join()).toContain(message);
});

test('the name of the file is the id of the table', () => {
  expect(parse('code,target\nA,B\n', 'tables/my wards.csv').issues[0]?.message).toContain('name');
});

const file = (path: string, text: string): MappingFile => ({ path, text });
const base = [
  patientMessage(),
  patientSegment(
    '{ id: PID-8.gender, from: PID-8, to: gender, table: sex }',
    '{ id: PID-16.marital, from: PID-16, to: maritalStatus, via: CWE.CodeableConcept, table: sex }',
  ),
  file(
    'datatype/CWE.CodeableConcept.map.yaml',
    `kind: DatatypeMap
id: CWE.CodeableConcept
source: { v2: CWE }
target: { fhir: CodeableConcept }
rules:
  - { id: CWE.1, from: '1', to: 'coding[0].code' }
  - { id: CWE.3, from: '3', to: 'coding[0].system' }
`,
  ),
];

function map(code: string, layers: string[], ...files: MappingFile[]) {
  const result = compileMappings([...base, ...files], { layers });
  if (!result.ok) throw new Error(result.issues.map((issue) => issue.message).join('; '));
  const text = `MSH|^~\\&|A|B|||20260102||ORU^R01|M1|P|2.5\rPID|||7|||||${code}||||||||${code}^^urn:x`;
  const parsed = parseMessage(text);
  if (!parsed.ok) throw new Error('not parsed');
  const resource = result.mapper.map(parsed.message).resource?.entry?.[0]?.resource;
  return (resource ?? {}) as { gender?: string; maritalStatus?: { coding: { code: string }[] } };
}

test('a CSV file is a table like any other, for codings of any system', () => {
  const table = file('tables/sex.csv', 'code,target\n01,female\n');
  const patient = map('01', [], table);
  expect(patient.gender).toBe('female');
  expect(patient.maritalStatus?.coding[0]?.code).toBe('female');
});

test('a table of a layer decides first, and leaves the other codes to the table below it', () => {
  const table = file('tables/sex.csv', 'code,target\n01,female\n02,male\n03,other\n');
  const layer = file('layers/acme/sex.csv', 'code,target\n02,unknown\n03,\n04,other\n');
  const genders = (layers: string[]) =>
    ['01', '02', '03', '04'].map((code) => map(code, layers, table, layer).gender);
  expect(genders([])).toEqual(['female', 'male', 'other', undefined]);
  expect(genders(['acme'])).toEqual(['female', 'unknown', undefined, 'other']);
});

test('a table of a layer alone is there with the layer', () => {
  const layer = file('layers/acme/tables/sex.csv', 'code,target\n01,female\n');
  expect(map('01', ['acme'], layer).gender).toBe('female');
  expect(() => map('01', [], layer)).toThrow('there is no table sex');
});
