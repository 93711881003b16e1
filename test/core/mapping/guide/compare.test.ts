import type { Issue } from '../../../../core/issue.ts';
import { parseFiles } from '../../../../core/mapping/parse-files.ts';
import { type GuideRows, compareGuide } from '../../../../core/mapping/guide/compare.ts';
import { type GuideSheet, parseSheet } from '../../../../core/mapping/guide/sheet.ts';

const heads =
  'HL7 v2,,,,,,Condition (IF True),,,HL7 FHIR,,,,,,,,,Comments\n' +
  'Sort Order,Identifier,Name,Data Type,Cardinality - Min,Cardinality - Max,Computable ANTLR,' +
  'Computable FHIRPath,Narrative,FHIR Attribute,,Data Type,Cardinality - Min,Cardinality - Max,' +
  'Data Type Mapping,"Vocabulary Mapping\n(IS, ID, CE, CNE, CWE)",Assignment,,\n';

const sheet = (path: string, text: string): GuideSheet => {
  const issues: Issue[] = [];
  const parsed = parseSheet({ path, text }, issues);
  if (parsed === undefined) throw new Error(JSON.stringify(issues));
  return parsed;
};

const path = 'segments/HL7 Segment - FHIR R4_ PID[Patient] - PID.csv';
const row = (identifier: string, condition: string, target: string): string =>
  `1,${identifier},n,CX,0,1,${condition},,,${target},,Identifier,0,-1,CX[Identifier],,,,\n`;
const rows = [
  row('PID-2', '', 'identifier[1]'),
  row('PID-3', '', 'identifier[2]'),
  row('PID-4', '', ''),
  row('PID-13', 'IF PID-13.2 VALUED ERROR', 'telecom[1]'),
  row('PID-40', 'IF PID-40 VALUED', 'telecom[2]'),
].join('');

const { maps } = parseFiles(
  [
    {
      path: 'segment/PID.Patient.map.yaml',
      text: `kind: SegmentMap
id: PID.Patient
source: { v2: PID }
target: { fhir: Patient }
rules:
  - { id: PID-3.identifier, from: 'PID-3[*]', to: 'identifier[+]', ig: PID-3 }
  - { id: PID-40.telecom, from: PID-40, ignore: Nobody wants it. }
  - { id: PID-41.none, from: PID-41, to: language, ig: PID-41 }
`,
    },
  ],
  [],
);

const compare = (known: GuideRows, text = rows) =>
  compareGuide([sheet(path, heads + text)], maps, known);
const kinds = (known: GuideRows, text?: string): string[] =>
  compare(known, text).differences.map(({ kind, identifier }) => `${kind} ${identifier}`);

test('reads sheets by their heads, wherever the columns stand', () => {
  const deviating =
    ',,,,,,,,,,\n,,,,,,Computable - ANTLR,Computable - FHIRPath,Narrative,FHIR Attribute/ Data Type,,Data Type\n' +
    '1,HD-2,n,ST,0,1,,,words,name,,string\n,,,,,,,,,url,,uri\n';
  const {
    name,
    kind,
    rows: found,
  } = sheet('datatypes/HL7 Data Type - FHIR R4_ HD[Device] - Sheet1.csv', deviating);
  expect([kind, name]).toEqual(['datatypes', 'HD[Device]']);
  expect(found).toMatchObject([
    { line: 3, identifier: 'HD.2', narrative: 'words', target: 'name', targetType: 'string' },
    { line: 4, identifier: 'HD', target: 'url' },
  ]);
});

test.each([
  ['Sort Order,Identifier\n1,PID-3\n', ':1', 'Narrative'],
  ['a\n,Identifier,Narrative\n', ':2', 'target'],
  [`${heads}1,"PID-3\n`, ':4', 'never closed'],
])('says by file and line what is no sheet', (text, line, message) => {
  const issues: Issue[] = [];
  parseSheet({ path, text }, issues);
  expect(issues[0]?.location).toBe(`${path}${line}`);
  expect(issues[0]?.message).toContain(message);
});

test('counts what rules cite, what they ignore and what nobody follows', () => {
  expect(compare({}).counts).toEqual({
    segments: {
      sheets: 1,
      followed: 1,
      rows: 4,
      mapped: 2,
      unmapped: 2,
      conditions: 2,
      parsed: 1,
      narrative: 0,
    },
  });
});

test('lists rows without a rule, rules without a row, and conditions that cannot be read', () => {
  expect(kinds({})).toEqual([
    'rule-row-gone PID-41',
    'row-unmapped PID-2',
    'condition-unparsable PID-13',
    'row-unmapped PID-13',
  ]);
  const [gone, unmapped] = compare({}).differences;
  expect(gone).toMatchObject({
    location: 'segment/PID.Patient.map.yaml:PID-41.none',
    rule: 'PID.Patient#PID-41.none',
  });
  expect(unmapped?.location).toBe(`${path}:4`);
});

test('tells a row that has changed since the last comparison, and a new one', () => {
  const { rows: known } = compare({});
  expect(kinds(known)).toEqual(kinds({}));
  const later = rows.replace('identifier[2]', 'identifier[3]') + row('PID-39', '', 'extension[1]');
  const found = kinds(known, later);
  expect(found).toContain('rule-row-changed PID-3');
  expect(found).toContain('row-new PID-39');
  expect(found).toContain('row-unmapped PID-39');
});

test('a change of wording alone is none', () => {
  const { rows: known } = compare({});
  expect(kinds(known, rows.replaceAll(',n,', ',another name,'))).toEqual(kinds({}));
});

test('a sheet that no map follows is one difference', () => {
  const other = sheet(
    path.replace('PID[Patient]', 'PV1[Patient]'),
    heads + row('PV1-3', '', 'contact'),
  );
  const { differences } = compareGuide([other], [], {});
  expect(differences.map(({ kind, identifier }) => [kind, identifier])).toEqual([
    ['sheet-unmapped', 'PV1[Patient]'],
  ]);
});
