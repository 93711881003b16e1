import type { Issue } from '../../../../core/issue.ts';
import { parseFiles } from '../../../../core/mapping/parse-files.ts';
import { type GuideRows, compareGuide } from '../../../../core/mapping/guide/compare.ts';
import { Decisions, parseDecisions } from '../../../../core/mapping/guide/decisions.ts';
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
  compareGuide([sheet(path, heads + text)], maps, { known });
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
      declined: 0,
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
  const { differences } = compareGuide([other], []);
  expect(differences.map(({ kind, identifier }) => [kind, identifier])).toEqual([
    ['sheet-unmapped', 'PV1[Patient]'],
  ]);
});

describe('a decision', () => {
  const decided = (...list: ConstructorParameters<typeof Decisions>[0] & object) =>
    compareGuide([sheet(path, heads + rows)], maps, { decisions: new Decisions(list) });

  test('about a row counts it as followed or declined', () => {
    const { counts, differences } = decided(
      { sheet: 'PID[Patient]', rows: ['PID-2'], followed: 'PID.Patient' },
      { sheet: 'PID[Patient]', rows: ['PID-13'], declined: 'Nobody telephones.' },
    );
    expect(counts.segments).toMatchObject({ mapped: 3, declined: 1, unmapped: 0 });
    expect(differences.filter(({ kind }) => kind === 'row-unmapped')).toEqual([]);
  });

  test('without rows is about what is left of the sheet', () => {
    const { counts } = decided({ sheet: 'PID[Patient]', declined: 'Enough.' });
    expect(counts.segments).toMatchObject({ mapped: 2, declined: 2, unmapped: 0 });
  });

  test('that names what is not there is a difference', () => {
    const { differences } = decided(
      { sheet: 'PID[Nobody]', declined: 'Nobody.' },
      { sheet: 'PID[Patient]', rows: ['PID-4', 'PID-99'], followed: 'PID.Nobody' },
    );
    const gone = differences.filter(({ kind }) => kind === 'decision-gone');
    expect(gone.map(({ identifier }) => identifier)).toEqual([
      'PID[Nobody]',
      'PID-4',
      'PID-99',
      'PID.Nobody',
    ]);
  });

  test('says by its number what is wrong with it', () => {
    const issues: Issue[] = [];
    const text = `- { sheet: 'A[B]', followed: x }
- { sheet: 'A[B]' }
- { sheet: 'A[B]', followed: x, declined: y }
- { sheet: 'A[B]', row: [A-1], declined: y }
`;
    expect(parseDecisions({ path: 'decisions.yaml', text }, issues)).toHaveLength(1);
    expect(issues.map(({ location }) => location)).toEqual(
      [2, 3, 4].map((n) => `decisions.yaml:${n}`),
    );
    for (const wrong of ['a: b', '- ['])
      parseDecisions({ path: 'decisions.yaml', text: wrong }, issues);
    expect(issues).toHaveLength(5);
  });
});

test('a message row is mapped where a map that the message uses, or one that it calls, follows the sheet, or a decision names such a map', () => {
  const message = sheet(
    'messages/HL7 Message - FHIR R4_ ADT_A05 - Sheet1.csv',
    ',,,,,,,,,,,,,\nSort Order,Identifier,Syntax,Name,Min,Max,Computable ANTLR,Computable FHIRPath,Narrative,Primary Target,Segment Map,References,Comments,\n' +
      '1,ADT_A05.PID,,PID,1,1,,,,Patient[1],PID[Patient],,,\n2,ADT_A05.PV1,,PV1,1,1,,,,Encounter[1],PV1[Encounter],,,\n3,ADT_A05.PD1,,PD1,1,1,,,,Patient[1],,,,\n4,ADT_A05.DB1,,DB1,1,1,,,,Patient[1],,,,\n',
  );
  const files = parseFiles(
    [
      {
        path: 'message/ADT_A01.map.yaml',
        text: `kind: MessageMap
id: ADT_A01
source: { messages: [ADT^A01] }
structure: { segments: [MSH], groups: [] }
resources:
  - id: patient
    resource: Patient
    maps: [PID.Person]
    identity: { request: update, system: 'urn:hilum:patient', key: { by: [[PID-3.1]] } }
`,
      },
      {
        path: 'segment/PID.Person.map.yaml',
        text: `kind: SegmentMap
id: PID.Person
source: { v2: PID }
target: { fhir: Patient }
rules:
  - { id: all, to: $this, via: PID.Patient }
`,
      },
    ],
    [],
  );
  const { counts } = compareGuide([message, sheet(path, heads + rows)], [...maps, ...files.maps], {
    decisions: new Decisions([
      { sheet: 'ADT_A05', followed: 'ADT_A01' },
      { sheet: 'ADT_A05', rows: ['ADT_A05.PD1'], followed: 'PID.Patient' },
      { sheet: 'ADT_A05', rows: ['ADT_A05.DB1'], followed: 'PV1.Encounter' },
    ]),
  });
  expect(counts.messages).toMatchObject({ followed: 1, mapped: 2, unmapped: 2 });
});
